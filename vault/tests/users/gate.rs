//! A house with a tenant that requires passwords, and its users.

use std::sync::Arc;

use tresor_proto::{
    Failure, Password, PasswordRule, Session, TenantId, TenantRef, TenantRole, TenantRoles,
    UserName,
};
use tresor_vault::{
    AdmissionPermit, Caller, EnrolPermit, LoggedIn, LoginPermit, Permit, Read, TokenVerb,
    VaultError, store::StoreEngine,
};

use crate::house::House;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ADDRESS: &str = "127.0.0.1";
pub(crate) const CERTIFICATE: [u8; 32] = [7; 32];

/// The house, its tenant's admin logged in.
pub(crate) struct Gate {
    pub(crate) house: House,
    pub(crate) session: Arc<Session>,
}

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

impl Gate {
    /// A tenant whose admin `erika` has chosen a password and made the keys.
    pub(crate) async fn build() -> Self {
        Self::build_on(StoreEngine::Memory).await
    }

    pub(crate) async fn build_on(engine: StoreEngine) -> Self {
        let mut house = House::build(engine).await;
        let (tenant, code) = house.create_tenant_with("burg", PasswordRule::Required).await;
        house.tenant = tenant;
        let session = add_user(&house, "erika", &[TenantRole::Admin]).await;
        let caller = caller(tenant, Some(&session));
        let permit = house.vault().permit_enrol(&caller, &TenantRef::Id(tenant)).await.unwrap();
        let enrolled = house.vault().enrol(permit, &code).await.unwrap();
        house.move_to(enrolled).await;
        Self { house, session }
    }

    pub(crate) fn tenant(&self) -> TenantRef {
        TenantRef::Id(self.house.tenant)
    }

    pub(crate) async fn add(&self, user: &str, roles: &[TenantRole]) -> Arc<Session> {
        add_user(&self.house, user, roles).await
    }

    pub(crate) async fn permit<V: TokenVerb>(
        &self,
        session: Option<&Arc<Session>>,
    ) -> Result<Permit<V>, VaultError> {
        self.permit_as(&caller(self.house.tenant, session)).await
    }

    pub(crate) async fn permit_as<V: TokenVerb>(
        &self,
        caller: &Caller,
    ) -> Result<Permit<V>, VaultError> {
        self.house.vault().permit(caller, &self.tenant(), &self.house.customer_token).await
    }

    pub(crate) async fn read(&self, session: &Arc<Session>) -> Result<(), VaultError> {
        self.permit::<Read>(Some(session)).await.map(drop)
    }

    pub(crate) async fn login(
        &self,
        user: &str,
        password: &str,
        address: &str,
    ) -> Result<LoggedIn, VaultError> {
        login(&self.house, user, password, address).await
    }

    pub(crate) async fn admission(&self, caller: &Caller) -> Result<AdmissionPermit, VaultError> {
        self.house.vault().permit_admission(caller, &self.tenant()).await
    }

    pub(crate) async fn enrolment(&self, caller: &Caller) -> Result<EnrolPermit, VaultError> {
        self.house.vault().permit_enrol(caller, &self.tenant()).await
    }
}

pub(crate) fn caller(tenant: TenantId, shown: Option<&Arc<Session>>) -> Caller {
    let mut caller = House::client(tenant, ADDRESS);
    if let Caller::Client { session, .. } = &mut caller {
        *session = shown.cloned();
    }
    caller
}

pub(crate) async fn login_permit(house: &House, address: &str) -> LoginPermit {
    let caller = House::client(house.tenant, address);
    house.vault().permit_login(&caller, &TenantRef::Id(house.tenant)).await.unwrap()
}

pub(crate) async fn login(
    house: &House,
    user: &str,
    text: &str,
    address: &str,
) -> Result<LoggedIn, VaultError> {
    let permit = login_permit(house, address).await;
    house.vault().login(&permit, &name(user), password(text)).await
}

/// A user of the house's tenant who has chosen a password and logged in.
pub(crate) async fn add_user(house: &House, user: &str, roles: &[TenantRole]) -> Arc<Session> {
    let (operator, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let roles = TenantRoles::of(roles);
    let added = house.vault().add_user(&operator, &tenant, &name(user), roles).await.unwrap();
    let one_time = password(added.one_time_password.expose_secret());
    let permit = login_permit(house, ADDRESS).await;
    let new = password(PASSWORD);
    let changed = house.vault().change_password(&permit, &name(user), one_time, new).await;
    Arc::new(changed.unwrap().0)
}

/// What a caller is told.
pub(crate) fn told<T: core::fmt::Debug>(refused: Result<T, VaultError>) -> Failure {
    Failure::from(refused.unwrap_err())
}
