//! Removes a tenant's database from the disk.
//!
//! It promises that nothing of it is left when it returns, and that it can be done again where it
//! was cut off. It relies on nobody asking for the database any more; whoever still holds it is
//! told that it is closed.

use std::path::{Path, PathBuf};

use tresor_proto::TenantId;

use super::{StoreError, Stores};
use crate::store::{Store as _, durable};

impl Stores {
    /// Closes and removes the database of a tenant, if there is one, damaged or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the disk refuses; part of it may be gone then.
    pub async fn remove(&self, tenant_id: TenantId) -> Result<(), StoreError> {
        let tenant = self.use_tenant(tenant_id)?;
        let mut place = tenant.place.lock().await;
        if let Some(store) = place.take() {
            // A sync that fails has nothing left to lose.
            let _ = store.close().await;
        }
        self.tenants().open.remove(&tenant_id);
        let directory = self.root.join(tenant_id.to_string());
        let removed = tokio::task::spawn_blocking(move || remove(&directory)).await;
        removed.map_err(|_| StoreError::Closed)??;
        self.tenants().by_id.remove(&tenant_id);
        Ok(())
    }
}

/// Removes a database and the draft of one; both are gone for good when it returns.
fn remove(directory: &Path) -> Result<(), StoreError> {
    for path in [directory.to_owned(), draft(directory)] {
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Unavailable);
            }
            _ => {}
        }
    }
    match directory.parent().map(Path::try_exists) {
        Some(Ok(true)) => durable::sync_parent(directory),
        // No tenant has ever enrolled.
        _ => Ok(()),
    }
}

fn draft(directory: &Path) -> PathBuf {
    directory.with_extension("new")
}
