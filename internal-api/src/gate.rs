//! From a call to a permit: who calls is settled here, what they may do is settled by the vault.

use std::sync::Arc;

use tresor_proto::Failure;
use tresor_vault::{
    AdmissionPermit, Caller, EnrolPermit, LoginPermit, OperatorPermit, Permit, PolicyPermit,
    TokenVerb, Vault,
};

use crate::{
    caller::Origin, context::Context, evidence::EvidenceCheck, lockable::LockableVault,
    turnstile::Turnstile,
};

/// What every service of this process needs: the vault, and the check of evidence.
#[derive(Clone)]
pub(crate) struct Gate {
    vault: Arc<LockableVault>,
    evidence: Arc<EvidenceCheck>,
    turnstile: Arc<Turnstile>,
}

impl Gate {
    /// A gate before `vault`, with a turnstile.
    pub(crate) fn new(
        vault: Arc<LockableVault>,
        evidence: EvidenceCheck,
        turnstile: Turnstile,
    ) -> Self {
        Self { vault, evidence: Arc::new(evidence), turnstile: Arc::new(turnstile) }
    }

    /// The vault behind the gate; its operations want permits. Whoever holds it holds keys: a call
    /// takes it before its permit, and gives it back at its end.
    pub(crate) fn vault(&self) -> Result<Arc<Vault>, Failure> {
        self.vault.vault()
    }

    /// What locks and unlocks the vault.
    pub(crate) fn lockable(&self) -> &Arc<LockableVault> {
        &self.vault
    }

    /// How often tenants call, and how often they may.
    pub(crate) fn turnstile(&self) -> &Arc<Turnstile> {
        &self.turnstile
    }

    /// A permit for one verb on the records of one tenant. A call that asks for several, one for
    /// each of its parts, is counted once, and goes on when the user's session ends after the first.
    pub(crate) async fn permit<V: TokenVerb>(
        &self,
        origin: &Origin,
        context: &Context,
    ) -> Result<Permit<V>, Failure> {
        let caller = self.caller(origin, context)?;
        let customer_token = context.customer_token()?;
        let vault = self.vault()?;
        if let Some(under_way) = context.under_way.get() {
            let next = vault.permit_next(under_way, &caller, &context.tenant, customer_token);
            return Ok(next.await?);
        }
        self.turnstile.approach(&caller)?;
        let permit = vault.permit(&caller, &context.tenant, customer_token).await?;
        self.turnstile.enter(&caller, &permit, origin)?;
        context.under_way.get_or_init(|| permit.under_way());
        Ok(permit)
    }

    /// A permit to enrol a tenant.
    pub(crate) async fn permit_enrol(
        &self,
        origin: &Origin,
        context: &Context,
    ) -> Result<EnrolPermit, Failure> {
        let caller = self.caller(origin, context)?;
        self.turnstile.approach(&caller)?;
        Ok(self.vault()?.permit_enrol(&caller, &context.tenant).await?)
    }

    /// A permit to see a tenant's policies.
    pub(crate) async fn permit_policy(
        &self,
        origin: &Origin,
        context: &Context,
    ) -> Result<PolicyPermit, Failure> {
        let caller = self.caller(origin, context)?;
        Ok(self.vault()?.permit_policy(&caller, &context.tenant).await?)
    }

    /// What a tenant's clients are measured by.
    pub(crate) async fn permit_admission(
        &self,
        origin: &Origin,
        context: &Context,
    ) -> Result<AdmissionPermit, Failure> {
        let caller = self.caller(origin, context)?;
        Ok(self.vault()?.permit_admission(&caller, &context.tenant).await?)
    }

    /// A permit to try a password.
    pub(crate) async fn permit_login(
        &self,
        origin: &Origin,
        context: &Context,
    ) -> Result<LoginPermit, Failure> {
        let caller = self.caller(origin, context)?;
        self.turnstile.approach(&caller)?;
        Ok(self.vault()?.permit_login(&caller, &context.tenant).await?)
    }

    /// The operator's permit.
    pub(crate) fn permit_operator(&self, origin: &Origin) -> Result<OperatorPermit, Failure> {
        Ok(OperatorPermit::of(&origin.operator()?)?)
    }

    /// Looks for revoked certificates of clients, for ever.
    pub(crate) async fn keep_fresh(&self) {
        self.evidence.keep_fresh().await;
    }

    fn caller(&self, origin: &Origin, context: &Context) -> Result<Caller, Failure> {
        origin.caller(context, &self.evidence)
    }
}
