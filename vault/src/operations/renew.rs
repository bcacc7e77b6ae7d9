//! Keeps up with keyrings that change under way, and replaces data keys that are due.
//!
//! A marked class gets its next epoch here, by the first request that writes and whose customer
//! token opens the class; the check that it is marked still is part of the change of the keyring,
//! so that one of many makes it and the others use it.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::DataClass;

use crate::{
    access::TokenHolder, crypto_error::CryptoError, error::VaultError, key::ClassKey, vault::Vault,
};

impl Vault {
    /// The same holder under the newest keyring.
    pub(crate) async fn renewed(
        &self,
        holder: &Arc<TokenHolder>,
    ) -> Result<Arc<TokenHolder>, VaultError> {
        let newest = self.keyring(holder.keyring().keyring.tenant).await?;
        if newest.sequence == holder.keyring().sequence {
            return Ok(Arc::clone(holder));
        }
        Ok(Arc::new(holder.renewed(newest, self.clock().now_ms())?))
    }

    /// The holder to write with: under the newest keyring, in which the classes that were due have
    /// their new data keys. A keyring that cannot be written now stops nobody: what is due stays
    /// due.
    pub(crate) async fn writing_holder(
        &self,
        holder: &Arc<TokenHolder>,
        classes: &BTreeSet<DataClass>,
    ) -> Result<Arc<TokenHolder>, VaultError> {
        let holder = self.renewed(holder).await?;
        let keyring = &holder.keyring().keyring;
        let is_due = |class: &DataClass| keyring.rotation_mark(*class).is_some();
        let due: Vec<_> = classes.iter().copied().filter(is_due).collect();
        if due.is_empty() {
            return Ok(holder);
        }
        if let Err(error) = self.renew_data_keys(&holder, due).await {
            let (tenant, code) = (keyring.tenant, error.code().as_str());
            tracing::warn!(%tenant, code, "data keys are due and cannot be replaced now");
            return Ok(holder);
        }
        self.renewed(&holder).await
    }

    /// Makes the next epochs of the classes that are due and that the customer token opens.
    async fn renew_data_keys(
        &self,
        holder: &Arc<TokenHolder>,
        due: Vec<DataClass>,
    ) -> Result<(), VaultError> {
        let (holder, keyrings) = (Arc::clone(holder), self.keyrings_arc());
        let (entropy, now_ms) = (self.entropy_arc(), self.clock().now_ms());
        let renew = move || {
            let opened = open(&holder, &due).map_err(|CryptoError| VaultError::Integrity)?;
            let renewed = keyrings.edit(holder.keyring().keyring.tenant, |keyring| {
                let mut renewed = Vec::new();
                for (class, class_key) in &opened {
                    let is_new =
                        keyring.renew_data_key(*class, class_key, now_ms, entropy.as_ref());
                    renewed.extend(
                        is_new.map_err(|CryptoError| VaultError::Integrity)?.then_some(*class),
                    );
                }
                // Others did it already: there is nothing to write.
                if renewed.is_empty() { Err(VaultError::Conflict) } else { Ok(renewed) }
            });
            match renewed {
                Ok(_) | Err(VaultError::Conflict) => Ok(()),
                Err(error) => Err(error),
            }
        };
        self.key_worker().run(renew).await?
    }
}

/// The class keys out of their slots; those the customer token does not cover are left out.
fn open(
    holder: &TokenHolder,
    classes: &[DataClass],
) -> Result<Vec<(DataClass, ClassKey)>, CryptoError> {
    let holder = holder.holder().ok_or(CryptoError)?;
    let open = |class: &DataClass| Ok(holder.class_key(*class)?.map(|key| (*class, key)));
    let opened = classes.iter().map(open).collect::<Result<Vec<_>, CryptoError>>()?;
    Ok(opened.into_iter().flatten().collect())
}
