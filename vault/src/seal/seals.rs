//! The seals of a configuration, and the root key through any of them.
//!
//! They promise that any one unlocks, in the order of the configuration, and that each one that does
//! not says why. They rely on the caller for a thread that may block.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tresor_proto::storage::{SealEntry, seal_entry::Provider};

use super::{
    Seal, SealError, SealFailure, SealFailures, SealFile, SealId,
    file::{MadeKey, open_entry},
};
use crate::{
    entropy::Entropy,
    key::{Key as _, RootKey},
};

/// All seals that a configuration names; at least one.
#[derive(Clone)]
pub struct Seals(Arc<[NamedSeal]>);

/// A seal and its name.
pub(crate) struct NamedSeal {
    pub(crate) id: SealId,
    pub(crate) seal: Arc<dyn Seal>,
    /// Whether its secret opened nothing when it was last tried: what asks less cannot know.
    is_refused: AtomicBool,
}

/// What came of trying the seals: the answer to the first root key that was taken, or to the last
/// that was not; none when no seal opened.
pub(crate) struct Unlocking<T, E> {
    pub(crate) outcome: Option<Result<T, E>>,
    pub(crate) failures: SealFailures,
}

impl Seals {
    /// The seals, to be tried in this order.
    #[must_use]
    pub fn new(seals: Vec<(SealId, Arc<dyn Seal>)>) -> Self {
        let named = |(id, seal)| NamedSeal { id, seal, is_refused: AtomicBool::new(false) };
        Self(seals.into_iter().map(named).collect())
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[NamedSeal] {
        &self.0
    }

    /// Makes a root key and the seal file that holds it under every seal.
    pub(crate) fn create(
        &self,
        entropy: &dyn Entropy,
    ) -> Result<(RootKey, SealFile), SealFailures> {
        let make = |named: &NamedSeal| MadeKey::by(named.seal.as_ref(), &named.id, entropy);
        let made = self.each(make)?;
        let root = RootKey::generate(entropy);
        let root = root.map_err(|_| self.all_failed(SealError::Internal))?;
        let mut file = SealFile::default();
        for (named, made) in self.0.iter().zip(made) {
            file.add(made.wrap(&named.id, &root, entropy).map_err(|error| named.failure(error))?);
        }
        Ok((root, file))
    }

    /// Gives `accept` the root keys of a seal file, one after the other, until it takes one. A seal
    /// has two entries for a moment while the root key is replaced; only one opens the keyrings.
    pub(crate) fn unlock<T, E>(
        &self,
        file: &SealFile,
        mut accept: impl FnMut(RootKey) -> Result<T, E>,
    ) -> Unlocking<T, E> {
        let (mut outcome, mut failures) = (None, SealFailures::default());
        for named in self.0.iter() {
            for root in named.roots(file) {
                match root.map(&mut accept) {
                    Ok(Ok(taken)) => return Unlocking { outcome: Some(Ok(taken)), failures },
                    Ok(refused) => outcome = Some(refused),
                    Err(error) => failures.0.push(named.failed(error)),
                }
            }
        }
        Unlocking { outcome, failures }
    }

    /// The root key of a seal file, whoever takes it.
    #[cfg(any(test, feature = "test-support"))]
    pub(crate) fn root(&self, file: &[u8]) -> Option<RootKey> {
        let file = SealFile::decode(file).ok()?;
        self.unlock(&file, Ok::<_, core::convert::Infallible>).outcome?.ok()
    }

    /// One failure, of all of them.
    pub(crate) fn all_failed(&self, error: SealError) -> SealFailures {
        SealFailures(self.0.iter().map(|named| named.failed(error)).collect())
    }

    /// What all seals do, or why some cannot.
    fn each<T>(
        &self,
        work: impl Fn(&NamedSeal) -> Result<T, SealError>,
    ) -> Result<Vec<T>, SealFailures> {
        let (mut done, mut failures) = (Vec::new(), SealFailures::default());
        for named in self.0.iter() {
            match work(named) {
                Ok(made) => done.push(made),
                Err(error) => failures.0.push(named.failed(error)),
            }
        }
        if failures.0.is_empty() { Ok(done) } else { Err(failures) }
    }
}

impl NamedSeal {
    /// The root keys it holds; one error when it holds none.
    fn roots<'a>(
        &'a self,
        file: &'a SealFile,
    ) -> impl Iterator<Item = Result<RootKey, SealError>> + 'a {
        let entries = file.entries(&self.id);
        let opened = entries.map(|entry| self.open(entry));
        let is_in_use = file.entries(&self.id).next().is_some();
        opened.chain((!is_in_use).then_some(Err(SealError::NotInUse)))
    }

    /// The root key of one of its entries.
    pub(crate) fn open(&self, entry: &SealEntry) -> Result<RootKey, SealError> {
        let opened = open_entry(self.seal.as_ref(), &self.id, entry);
        match &opened {
            Ok(_) => self.is_refused.store(false, Ordering::Relaxed),
            Err(SealError::Refused) => self.is_refused.store(true, Ordering::Relaxed),
            // Whether its secret is right is not known.
            Err(_) => {}
        }
        opened
    }

    /// Whether it would give its key, as far as it can tell without giving it.
    pub(crate) fn check(&self, kept: &Provider) -> Result<(), SealError> {
        self.seal.check(&self.id, kept)?;
        match self.is_refused.load(Ordering::Relaxed) {
            true => Err(SealError::Refused),
            false => Ok(()),
        }
    }

    fn failed(&self, error: SealError) -> SealFailure {
        SealFailure { seal: self.id.clone(), error }
    }

    /// Its failure, alone.
    pub(crate) fn failure(&self, error: SealError) -> SealFailures {
        SealFailures(vec![self.failed(error)])
    }
}

impl core::fmt::Debug for Seals {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|named| &named.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Secret, storage::seal_entry::Provider};

    use super::*;
    use crate::{entropy::SystemEntropy, seal::Passphrase};

    /// A seal whose device is away.
    struct Away;

    impl Seal for Away {
        fn provider(&self) -> &'static str {
            "away"
        }

        fn make(&self, _: &SealId, _: &dyn Entropy) -> Result<(Secret<32>, Provider), SealError> {
            Err(SealError::Unreachable)
        }

        fn key(&self, _: &SealId, _: &Provider) -> Result<Secret<32>, SealError> {
            Err(SealError::Unreachable)
        }
    }

    fn id(text: &str) -> SealId {
        SealId::parse(text).unwrap()
    }

    fn passphrase(text: &str) -> Arc<dyn Seal> {
        let passphrase = zeroize::Zeroizing::new(text.as_bytes().to_vec());
        Arc::new(Passphrase::new(passphrase).unwrap().into_seal())
    }

    fn pair(first: &str, second: &str) -> Seals {
        Seals::new(vec![(id("one"), passphrase(first)), (id("two"), passphrase(second))])
    }

    fn opened(seals: &Seals, file: &SealFile) -> Unlocking<[u8; 32], ()> {
        seals.unlock(file, |root| Ok(*root.expose_secret()))
    }

    #[test]
    fn any_one_seal_unlocks_and_the_others_say_why_not() {
        let entropy = SystemEntropy::default();
        let (root, file) =
            pair("the first passphrase", "another passphrase").create(&entropy).unwrap();
        let file = SealFile::decode(&file.encode()).unwrap();
        assert!(file.holds(&id("one")) && file.holds(&id("two")));
        let unlocking = opened(&pair("a wrong passphrase", "another passphrase"), &file);
        assert_eq!(unlocking.outcome, Some(Ok(*root.expose_secret())));
        assert_eq!(
            unlocking.failures.0,
            [SealFailure { seal: id("one"), error: SealError::Refused }]
        );
        let none = opened(&pair("a wrong passphrase", "a wrong passphrase"), &file);
        assert!(none.outcome.is_none());
        assert_eq!(none.failures.0.len(), 2);
        assert!(!none.failures.are_transient());
    }

    #[test]
    fn an_entry_under_another_name_does_not_open() {
        let entropy = SystemEntropy::default();
        let (_, file) =
            pair("the same passphrase", "the same passphrase").create(&entropy).unwrap();
        let mut renamed = SealFile::default();
        for (entry, other) in file.entries(&id("one")).zip(["two"]) {
            let mut entry = entry.clone();
            entry.id = other.to_owned();
            renamed.add(entry);
        }
        let unlocking = opened(&pair("the same passphrase", "the same passphrase"), &renamed);
        assert!(unlocking.outcome.is_none());
        let errors: Vec<_> = unlocking.failures.0.iter().map(|failure| failure.error).collect();
        assert_eq!(errors, [SealError::NotInUse, SealError::Refused]);
    }

    #[test]
    fn a_seal_that_is_away_may_open_later() {
        let seals = Seals::new(vec![(id("away"), Arc::new(Away))]);
        let failures = seals.create(&SystemEntropy::default()).err().unwrap();
        assert!(failures.are_transient());
        assert_eq!(failures.to_string(), "away: it does not answer");
    }
}
