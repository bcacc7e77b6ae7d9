//! The customer's own keys: issues, rotates, revokes and lists customer tokens.
//!
//! Each change is one replacement of the tenant's keyring, made over the newest one; who asks is
//! checked in it again. A request that began before goes on with the keyring it began with; the
//! next one, and the next batch of a stream, does not.

use std::sync::Arc;

use tresor_proto::{CustomerToken, CustomerTokenId, RefusalReason, TenantRef};

use crate::{
    access::{IssueTokens, ListTokens, ManageTokens, Permit, TokenHolder},
    error::VaultError,
    keyring::{CustomerTokenView, Issuer, NewCustomerToken, TenantKeyring, TokenDesk},
    vault::Vault,
};

/// A customer token that was made.
#[derive(Debug)]
pub struct IssuedCustomerToken {
    /// It, shown this once.
    pub customer_token: CustomerToken,
    /// What is known of it.
    pub view: CustomerTokenView,
}

/// A customer token that was made in place of another.
#[derive(Debug)]
pub struct RotatedCustomerToken {
    /// The new one.
    pub issued: IssuedCustomerToken,
    /// The old one.
    pub replaced: CustomerTokenView,
}

impl Vault {
    /// Makes a customer token within the bounds of the one it is asked with.
    ///
    /// # Errors
    /// `forbidden` for operations beyond it, `wrong_key` for classes beyond it, `invalid_request`
    /// for what does not suit the kind or a wrong expiry, `too_large` beyond 64.
    pub async fn issue_customer_token(
        &self,
        permit: &Permit<IssueTokens>,
        order: NewCustomerToken,
    ) -> Result<IssuedCustomerToken, VaultError> {
        let issue = move |keyring: &mut TenantKeyring, issuer: Issuer<'_>, desk: TokenDesk<'_>| {
            let (customer_token, view) = keyring.issue(issuer, &order, desk)?;
            Ok(IssuedCustomerToken { customer_token, view })
        };
        let issued = self.edit_tokens(permit, issue).await?;
        let (id, by) = (issued.view.id, issuer_id(permit.holder())?);
        tracing::info!(tenant = %permit.tenant(), customer_token_id = %id, by = %by,
            "customer token issued");
        Ok(issued)
    }

    /// Makes a customer token like another in its place; the old one works for `overlap_ms` more.
    ///
    /// # Errors
    /// `not_found`, `gone` for one that has ended, otherwise as [`Vault::issue_customer_token`].
    pub async fn rotate_customer_token(
        &self,
        permit: &Permit<ManageTokens>,
        id: CustomerTokenId,
        overlap_ms: u64,
    ) -> Result<RotatedCustomerToken, VaultError> {
        let rotate = move |keyring: &mut TenantKeyring, issuer: Issuer<'_>, desk: TokenDesk<'_>| {
            let (customer_token, view) = keyring.rotate(issuer, id, overlap_ms, desk)?;
            let issued = IssuedCustomerToken { customer_token, view };
            Ok(RotatedCustomerToken { issued, replaced: keyring.view(id, desk.now_ms)? })
        };
        let rotated = self.edit_tokens(permit, rotate).await?;
        let (new, by) = (rotated.issued.view.id, issuer_id(permit.holder())?);
        tracing::info!(tenant = %permit.tenant(), customer_token_id = %new, replaces = %id, by = %by,
            "customer token rotated");
        Ok(rotated)
    }

    /// Ends a customer token. `confirmation` is the tenant's name, which is asked for when no
    /// other can read one of its classes any more.
    ///
    /// # Errors
    /// `not_found`, `conflict` for what is not confirmed.
    pub async fn revoke_customer_token(
        &self,
        permit: &Permit<ManageTokens>,
        id: CustomerTokenId,
        confirmation: &str,
    ) -> Result<CustomerTokenView, VaultError> {
        let tenant = self.registry().tenant(&TenantRef::Id(permit.tenant())).await?;
        let tenant = tenant.ok_or(RefusalReason::TenantUnknown)?;
        let is_confirmed = tenant.name.as_str() == confirmation;
        let revoke = move |keyring: &mut TenantKeyring, issuer: Issuer<'_>, desk: TokenDesk<'_>| {
            keyring.revoke(issuer.id, id, is_confirmed, desk.now_ms)
        };
        let revoked = self.edit_tokens(permit, revoke).await?;
        self.unlocked_cache().forget(permit.tenant(), id);
        tracing::info!(tenant = %permit.tenant(), customer_token_id = %id,
            by = %issuer_id(permit.holder())?, "customer token revoked");
        Ok(revoked)
    }

    /// All customer tokens of the tenant, oldest first.
    #[must_use]
    pub fn customer_tokens(&self, permit: &Permit<ListTokens>) -> Vec<CustomerTokenView> {
        permit.holder().keyring().keyring.views(self.clock().now_ms())
    }

    /// Changes the customer tokens of the permit's tenant, on a key thread.
    async fn edit_tokens<V, T: Send + 'static>(
        &self,
        permit: &Permit<V>,
        edit: impl FnOnce(&mut TenantKeyring, Issuer<'_>, TokenDesk<'_>) -> Result<T, VaultError>
        + Send
        + 'static,
    ) -> Result<T, VaultError> {
        let (entropy, keyrings) = (self.entropy_arc(), self.keyrings_arc());
        let (tenant, holder) = (permit.tenant(), Arc::clone(permit.holder()));
        let now_ms = self.clock().now_ms();
        let change = move || {
            let asking = holder.holder().ok_or(VaultError::Internal)?;
            let issuer = Issuer { id: asking.entry.bounds.id, wrap_key: asking.wrap_key };
            let desk = TokenDesk { pepper: keyrings.pepper(), entropy: entropy.as_ref(), now_ms };
            keyrings.edit(tenant, |keyring| edit(keyring, issuer, desk))
        };
        self.key_worker().run(change).await?
    }
}

fn issuer_id(holder: &TokenHolder) -> Result<CustomerTokenId, VaultError> {
    holder.holder().map(|holder| holder.entry.bounds.id).ok_or(VaultError::Internal)
}
