//! A customer: tenant, client certificate, user, customer token; made by both sides as in real life.

use std::{path::PathBuf, sync::Arc};

use tresor_door::TlsFiles;
use tresor_proto::{
    CollectionName, CustomerToken, EnrolmentCode, Password, Policy, TenantId, TenantRole, UserName,
    vault::{self, AddUserRequest, CreateTenantRequest, PutCollectionRequest},
};
use zeroize::Zeroize as _;

use super::{LocalSystem, Premises, premises, system::url};
use crate::{
    command::enrol::enrol,
    connection::Endpoint,
    control_plane::{ControlPlane, context_for},
    error::CliError,
    https::Https,
    private_file::write_private,
    user::User,
};

/// What every customer calls its user.
pub(crate) const USER: &str = "planner";

/// What a customer has.
pub(crate) struct Customer {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The client's certificate.
    pub(crate) tls: TlsFiles,
    /// The user, with a password of its own.
    pub(crate) user: Arc<User>,
    /// The customer token.
    pub(crate) customer_token: CustomerToken,
    /// Where certificate, password and customer token lie.
    pub(crate) directory: PathBuf,
}

impl Customer {
    /// Registers a tenant as the operator, then enrols as the customer.
    pub(crate) async fn register(
        system: &LocalSystem,
        premises: &Premises,
        name: &str,
    ) -> Result<Self, CliError> {
        let plane = ControlPlane::connect(&system.operator(premises)).await?;
        let allowed_addresses = vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()];
        let request = CreateTenantRequest {
            name: name.to_owned(),
            allowed_addresses,
            password_rule: vault::PasswordRule::Required as i32,
        };
        let created = plane.tenants().create_tenant(request).await?.into_inner();
        let tenant = created.tenant.as_ref().and_then(|tenant| TenantId::parse(&tenant.id));
        let code = EnrolmentCode::parse(&created.enrolment_code);
        let (Some(tenant), Some(code)) = (tenant, code) else {
            return Err(CliError::failed("the vault's answer cannot be read"));
        };
        premises.issue_client(name, tenant)?;
        let directory = premises.customer_dir(name);
        let tls = premises.client(name);
        let server = url(system.addresses().external);
        let https = Https::new(&Endpoint { server, tls: tls.clone() })?;
        let https = https.with_user(Some(add_user(&plane, tenant).await?));
        let https = https.with_new_password(premises::random_password()?).await?;
        let user = https.user().cloned().ok_or_else(|| CliError::failed("there is no user"))?;
        let password = user.password.expose_secret();
        write_private(&directory.join("password"), password.as_bytes())?;
        let enrolled = enrol(&https, &code).await?;
        let text = enrolled.customer_token.as_str();
        write_private(&directory.join("customer.token"), text.as_bytes())?;
        let recovery_token = enrolled.recovery_token.as_bytes();
        write_private(&directory.join("recovery.token"), recovery_token)?;
        let customer_token = parse_customer_token(text)?;
        Ok(Self { tenant, tls, user, customer_token, directory })
    }

    /// The way to the external API with this customer's certificate and user.
    pub(crate) fn https(&self, system: &LocalSystem) -> Result<Https, CliError> {
        Ok(self.https_without_user(system)?.with_user(Some(Arc::clone(&self.user))))
    }

    /// The way to the external API with this customer's certificate alone.
    pub(crate) fn https_without_user(&self, system: &LocalSystem) -> Result<Https, CliError> {
        let server = url(system.addresses().external);
        Https::new(&Endpoint { server, tls: self.tls.clone() })
    }

    /// Gives a collection of this customer its policy, as the operator.
    pub(crate) async fn put_collection(
        &self,
        system: &LocalSystem,
        premises: &Premises,
        collection: &CollectionName,
        policy: &Policy,
    ) -> Result<(), CliError> {
        let plane = ControlPlane::connect(&system.operator(premises)).await?;
        let request = PutCollectionRequest {
            context: Some(context_for(&self.tenant.to_string())),
            name: collection.as_str().to_owned(),
            policy: Some(vault::Policy::from(policy)),
        };
        plane.collections().put_collection(request).await?;
        Ok(())
    }
}

/// Adds the customer's user, as the operator; gives it with its one-time password.
async fn add_user(plane: &ControlPlane, tenant: TenantId) -> Result<Arc<User>, CliError> {
    let request = AddUserRequest {
        tenant: tenant.to_string(),
        name: USER.to_owned(),
        roles: vec![TenantRole::Admin.to_wire()],
    };
    let mut added = plane.tenants().add_user(request).await?.into_inner();
    let password = Password::parse(&added.one_time_password);
    added.one_time_password.zeroize();
    let name = UserName::parse(USER).ok_or_else(|| CliError::failed("that is no user's name"))?;
    Ok(Arc::new(User { name, password: password? }))
}

/// Reads a customer token that is known to be one.
pub(crate) fn parse_customer_token(text: &str) -> Result<CustomerToken, CliError> {
    CustomerToken::parse(text.trim()).ok_or_else(|| CliError::failed("that is no customer token"))
}
