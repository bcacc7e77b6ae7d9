//! The right to change keys: an operator's permit together with the lease, so that two operators
//! never rotate at once.

use crate::{access::OperatorPermit, error::VaultError, registry::KeyLease, vault::Vault};

/// The proof that an operator, and no other for the moment, changes keys; it ends when dropped.
#[derive(Debug)]
pub struct KeyWork {
    permit: OperatorPermit,
    lease: KeyLease,
    is_compromised: bool,
}

impl Vault {
    /// Begins to change keys; `work` is what others are told meanwhile.
    ///
    /// # Errors
    /// `conflict` when another operator is at it; its message names them.
    pub async fn begin_key_work(
        &self,
        permit: OperatorPermit,
        work: &'static str,
    ) -> Result<KeyWork, VaultError> {
        let holder = permit.name().as_str();
        let lease = self.registry().take_key_lease(holder, work, self.clock().now_ms()).await?;
        Ok(KeyWork { permit, lease, is_compromised: false })
    }

    /// Makes sure, before each step, that the lease still holds.
    pub(crate) async fn go_on(&self, work: &mut KeyWork) -> Result<(), VaultError> {
        self.registry().renew_key_lease(&mut work.lease, self.clock().now_ms()).await
    }
}

impl KeyWork {
    /// The operator's permit.
    #[must_use]
    pub fn permit(&self) -> &OperatorPermit {
        &self.permit
    }

    /// The same work; the keys it replaces are believed known to others, or not.
    #[must_use]
    pub fn on_compromised_keys(self, is_compromised: bool) -> Self {
        Self { is_compromised, ..self }
    }

    /// Whether the keys it replaces are believed known to others.
    pub(crate) fn is_compromised(&self) -> bool {
        self.is_compromised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{house::House, store::StoreEngine};

    async fn begin(house: &House, work: &'static str) -> Result<KeyWork, VaultError> {
        let permit = house.vault().permit_operator(&House::operator()).unwrap();
        house.vault().begin_key_work(permit, work).await
    }

    #[tokio::test]
    async fn the_second_operator_is_told_who_is_at_it_since_when() {
        let house = House::build(StoreEngine::Memory).await;
        let work = begin(&house, "replacing cipher keys").await.unwrap();
        let Err(VaultError::Refused(failure)) = begin(&house, "else").await else {
            panic!("two at once");
        };
        assert_eq!(failure.code(), tresor_proto::ErrorCode::Conflict);
        let told = "operator is at it since 2027-01-15T08:00:00Z: replacing cipher keys; try again \
                    when that has ended";
        assert_eq!(failure.message(), told);
        drop(work);
        assert!(begin(&house, "else").await.is_ok(), "the first has ended");
    }

    #[tokio::test]
    async fn of_two_operators_at_the_same_moment_the_second_is_told_of_the_first() {
        for engine in [StoreEngine::Memory, StoreEngine::Redb] {
            let house = House::build(engine).await;
            for _ in 0..8 {
                let both = tokio::join!(begin(&house, "one"), begin(&house, "two"));
                let (winner, refusal) = match both {
                    (Ok(work), Err(error)) => ((work, "one"), error),
                    (Err(error), Ok(work)) => ((work, "two"), error),
                    (Ok(_), Ok(_)) | (Err(_), Err(_)) => panic!("not one of the two"),
                };
                let told = format!("operator is at it since 2027-01-15T08:00:00Z: {}", winner.1);
                assert!(refusal.to_string().contains(&told), "{refusal}");
            }
        }
    }

    #[tokio::test]
    async fn who_lost_the_lease_cannot_go_on() {
        let house = House::build(StoreEngine::Memory).await;
        let mut first = begin(&house, "first").await.unwrap();
        house.clock.advance(59_999);
        house.vault().go_on(&mut first).await.unwrap();
        house.clock.advance(59_999);
        assert!(begin(&house, "second").await.is_err(), "it was renewed");
        house.clock.advance(1);
        let mut second = begin(&house, "second").await.unwrap();
        assert!(house.vault().go_on(&mut first).await.is_err());
        let tenants = [house.tenant];
        assert!(house.vault().rotate_cipher_keys(&mut first, &tenants).await.is_err());
        drop(first);
        assert!(begin(&house, "third").await.is_err(), "the second still holds it");
        house.vault().go_on(&mut second).await.unwrap();
    }

    #[tokio::test]
    async fn the_lease_of_a_process_that_is_gone_is_void() {
        let mut house = House::build(StoreEngine::Redb).await;
        let work = begin(&house, "cut off").await.unwrap();
        house.reopen().await;
        assert!(begin(&house, "again").await.is_ok());
        drop(work);
    }
}
