//! Class keys that customers have lent to long work, in memory, with an end.
//!
//! A loan holds no customer token and nothing derived from one but the class keys. It ends with its
//! time, with the customer token, with the process, and whenever all keys are to be forgotten.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tresor_proto::{CustomerTokenId, DataClass, TenantId};

use crate::{key::ClassKey, keyring::TenantKeyring};

/// The class keys that are lent now.
#[derive(Debug, Default)]
pub(crate) struct Loans(Mutex<HashMap<(TenantId, DataClass), Arc<Loan>>>);

/// A class key that is lent.
#[derive(Debug)]
pub(crate) struct Loan {
    pub(crate) class_key: ClassKey,
    pub(crate) customer_token: CustomerTokenId,
    pub(crate) ends_ms: u64,
}

impl Loans {
    /// Takes a class key; one that was lent before is given back.
    pub(crate) fn take(&self, tenant: TenantId, class: DataClass, loan: Loan) {
        self.lock().insert((tenant, class), Arc::new(loan));
    }

    /// The loan of a class, while it lasts and its customer token works; else it is given back.
    pub(crate) fn of(
        &self,
        keyring: &TenantKeyring,
        class: DataClass,
        now_ms: u64,
    ) -> Option<Arc<Loan>> {
        let mut loans = self.lock();
        let loan = loans.get(&(keyring.tenant, class)).map(Arc::clone)?;
        let mut entries = keyring.customer_tokens.iter();
        let works =
            entries.any(|entry| entry.bounds.id == loan.customer_token && entry.works_at(now_ms));
        if works && now_ms < loan.ends_ms {
            return Some(loan);
        }
        loans.remove(&(keyring.tenant, class));
        None
    }

    /// Gives back everything of a tenant.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.lock().retain(|(lender, _), _| *lender != tenant);
    }

    /// Gives back what has come to its end.
    pub(crate) fn sweep(&self, now_ms: u64) {
        self.lock().retain(|_, loan| now_ms < loan.ends_ms);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, DataClass), Arc<Loan>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
