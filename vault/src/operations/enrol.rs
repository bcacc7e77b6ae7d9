//! Enrols a tenant's customer: makes all its keys and gives the customer token, once.

use subtle::ConstantTimeEq as _;
use tresor_proto::{
    CustomerToken, CustomerTokenKind, CustomerTokenName, DataClass, EnrolmentCode, OperationSet,
    RefusalReason, TenantId, TenantName, TenantRef,
};

use crate::{
    access::EnrolPermit,
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry, TokenBounds},
    entropy::Entropy,
    error::VaultError,
    kdf,
    key::{CipherKey, ClassKey, Key, Pepper},
    keyring::{
        CipherKeyVersion, Issuer, KeyBirth, NewCustomerToken, TenantKeyring, TokenDesk,
        generate_customer_token,
    },
    registry::Enrolment,
    slot::{Slot, SlotHolder, TwoKeys},
    store::{Existence, Keyspace, ScanRange},
    tlv::Tlv,
    vault::Vault,
};

/// A tenant whose customer has enrolled.
#[derive(Debug)]
pub struct Enrolled {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: TenantName,
    /// The customer token, which is shown this once.
    pub customer_token: CustomerToken,
    /// The recovery token, which is shown this once too: it can only issue another.
    pub recovery_token: CustomerToken,
}

impl Vault {
    /// Makes the tenant's keys against its one-time code. The answer is the only copy of the
    /// customer token: if it is lost on its way, the tenant has to be registered anew, which loses
    /// nothing, since nothing can have been stored.
    ///
    /// Not safe to cancel: run it in a task of its own, so that the turn ends with the work.
    ///
    /// # Errors
    /// `unauthenticated` for a wrong or expired code; `already_exists` once enrolled; `integrity` when the registry says that
    /// nobody has enrolled and there are records all the same.
    pub async fn enrol(
        &self,
        permit: EnrolPermit,
        code: &EnrolmentCode,
    ) -> Result<Enrolled, VaultError> {
        // One enrolment at a time, so that two cannot write the same keyring; whoever waited for
        // the turn looks again at what the one before has done.
        let _turn = self.enrolment_turn().await;
        let tenant = TenantRef::Id(permit.record().id);
        let record = self.registry().tenant(&tenant).await?;
        let record = record.ok_or(RefusalReason::TenantUnknown)?;
        if let Some(reason) = record.standing.refusal() {
            return Err(reason.into());
        }
        let now_ms = self.clock().now_ms();
        let Enrolment::Open { verifier, expires_ms } = &record.enrolment else {
            return Err(VaultError::AlreadyExists);
        };
        let expected = code_verifier(record.id, code, self.keyrings().pepper());
        let expected = expected.map_err(|_| VaultError::Internal)?;
        if !bool::from(expected.ct_eq(verifier)) {
            return Err(RefusalReason::EnrolmentCodeWrong.into());
        }
        if now_ms >= *expires_ms {
            return Err(RefusalReason::EnrolmentCodeExpired.into());
        }
        let store = self.stores().tenant(record.id, Existence::Create).await?;
        // Somebody may have put back an older registry row: new keys would make the data unreadable.
        let any = ScanRange { keyspace: Keyspace::Records, prefix: Vec::new(), after: None };
        if !store.scan(any, 1).await?.is_empty() {
            return Err(VaultError::Integrity);
        }
        let (customer_token, recovery_token) = self.make_keys(record.id, now_ms).await?;
        self.registry().finish_enrolment(&record, now_ms).await?;
        tracing::info!(tenant = %record.id, "customer enrolled");
        Ok(Enrolled { tenant: record.id, name: record.name, customer_token, recovery_token })
    }

    /// The keyring, with the customer token and the recovery token that open it.
    async fn make_keys(
        &self,
        tenant: TenantId,
        now_ms: u64,
    ) -> Result<(CustomerToken, CustomerToken), VaultError> {
        let (entropy, keyrings) = (self.entropy_arc(), self.keyrings_arc());
        // An enrolment that was cut off before it was registered is written over: nobody has its
        // customer token, so nothing can have been sealed under it.
        let sequence = keyrings.remembered_sequence(tenant);
        let make = move || {
            let desk = TokenDesk { pepper: keyrings.pepper(), entropy: entropy.as_ref(), now_ms };
            let (customer_token, mut keyring) =
                generate(tenant, now_ms, desk.pepper, desk.entropy)?;
            let wrap_key = customer_token_entry::wrap_key(tenant, &customer_token)?;
            let issuer = Issuer { id: customer_token.id(), wrap_key: &wrap_key };
            let (recovery_token, _) = keyring.issue(issuer, &NewCustomerToken::recovery(), desk)?;
            keyrings.write(keyring, sequence).map_err(|_| VaultError::StorageUnavailable)?;
            Ok((customer_token, recovery_token))
        };
        self.key_worker().run(make).await?
    }
}

/// `HMAC-SHA256(pepper, TLV("enrolment", tenant, code))`.
pub(super) fn code_verifier(
    tenant: TenantId,
    code: &EnrolmentCode,
    pepper: &Pepper,
) -> Result<[u8; 32], CryptoError> {
    let message = Tlv::new()
        .with(1, b"tresor/v1/enrolment")
        .with(2, &tenant.to_bytes())
        .with(3, code.expose_secret())
        .encode()?;
    Ok(kdf::hmac_sha256(pepper.expose_secret(), &[&message]))
}

/// All keys of a new tenant, and the customer token that opens every class.
pub(crate) fn generate(
    tenant: TenantId,
    now_ms: u64,
    pepper: &Pepper,
    entropy: &dyn Entropy,
) -> Result<(CustomerToken, TenantKeyring), CryptoError> {
    let customer_token = generate_customer_token(CustomerTokenKind::ReadWrite, entropy)?;
    let mut keyring = TenantKeyring::new(tenant);
    let cipher_key = CipherKey::generate(entropy)?;
    keyring.cipher_keys.push(CipherKeyVersion::first(cipher_key, now_ms));
    keyring.add_metadata_key(1, entropy)?;
    let bounds = TokenBounds {
        id: customer_token.id(),
        kind: customer_token.kind(),
        operations: OperationSet::FULL,
        expires_ms: 0,
        bound_certificate: None,
    };
    let wrap_key = customer_token_entry::wrap_key(tenant, &customer_token)?;
    let mut slots = Vec::new();
    for class in DataClass::ALL {
        let class_key = ClassKey::generate(entropy)?;
        let newest = keyring.newest_cipher_key()?;
        let keys = TwoKeys { wrap_key: &wrap_key, cipher_key: (newest.version, &newest.key) };
        let holder = SlotHolder { tenant, bounds: &bounds };
        slots.push(Slot::lock(holder, keys, class, &class_key, entropy)?);
        let birth = KeyBirth { class, version: 1, created_ms: now_ms };
        keyring.add_class_keys(birth, &class_key, entropy)?;
    }
    let auth_key = customer_token_entry::auth_key(tenant, &customer_token)?;
    let verifier = customer_token_entry::verifier(&auth_key, pepper);
    let entry = CustomerTokenEntry {
        bounds,
        verifier,
        created_ms: now_ms,
        revoked_ms: 0,
        name: CustomerTokenName::default(),
        replaces: None,
        overlap_ends_ms: 0,
        slots,
        revoked_classes: Vec::new(),
    };
    keyring.customer_tokens.push(entry);
    Ok((customer_token, keyring))
}
