//! A vault in memory with one tenant: where the bare sealing, opening, issuing and disclosing get
//! their keys from.

use std::path::Path;

use tresor_proto::{
    AddressList, ClientName, CollectionName, CustomerToken, PasswordRule, Reveal, ServiceName,
    TenantId, TenantName, TenantRef,
};
use tresor_vault::{
    Caller, Detokenize, DiscloseLoop, IssueLoop, NewTenant, OpenLoop, Passphrase, Permit, Read,
    Role, SealLoop, Settings, TokenVerb, Tokenize, Vault, View, Write, store::StoreEngine,
};

/// The vault, and whom it knows.
pub(crate) struct BareKeys {
    vault: Vault,
    caller: Caller,
    tenant: TenantRef,
    customer_token: CustomerToken,
}

impl BareKeys {
    /// Opens the vault and enrols a tenant.
    pub(crate) async fn open(directory: &Path) -> Self {
        let mut settings = Settings::new(directory.to_owned());
        settings.engine = StoreEngine::Memory;
        let passphrase = b"a passphrase of benchmarks".to_vec();
        let passphrase = Passphrase::new(passphrase.into()).expect("a passphrase");
        let vault = Vault::open(settings, &passphrase).await.expect("a vault");
        let service = |role| Caller::Service { name: ServiceName::parse("bench").unwrap(), role };
        let operator = vault.permit_operator(&service(Role::Operator)).expect("a permit");
        let name = TenantName::parse("bench").expect("a name");
        let allowed_addresses = AddressList::parse(&["127.0.0.0/8"]).expect("addresses");
        let password_rule = PasswordRule::NotRequired;
        let new = NewTenant { name, allowed_addresses, password_rule };
        let created = vault.create_tenant(&operator, new).await.expect("a tenant");
        let id = created.tenant.id;
        let tenant = TenantRef::Id(id);
        let permit = vault.permit_enrol(&client(id), &tenant).await.expect("a permit");
        let enrolled = vault.enrol(permit, &created.code).await.expect("keys");
        let (caller, customer_token) = (service(Role::Service(vec![id])), enrolled.customer_token);
        Self { vault, caller, tenant, customer_token }
    }

    /// The bare work of put and get.
    pub(crate) async fn record_loops(&self) -> (SealLoop, OpenLoop) {
        let collection = CollectionName::parse("customers").expect("a name");
        let view =
            View { collection: collection.clone(), reveal: Reveal::Plain, fields: Vec::new() };
        let seal = self.vault.seal_loop(&self.permit::<Write>().await, collection);
        let open = self.vault.open_loop(&self.permit::<Read>().await, &view);
        (seal, open.expect("a loop"))
    }

    /// The bare work of tokenize.
    pub(crate) async fn issue_loop(&self) -> IssueLoop {
        self.vault.issue_loop(&self.permit::<Tokenize>().await)
    }

    /// The bare work of detokenize.
    pub(crate) async fn disclose_loop(&self, reveal: Reveal) -> DiscloseLoop {
        self.vault.disclose_loop(&self.permit::<Detokenize>().await, reveal)
    }

    async fn permit<V: TokenVerb>(&self) -> Permit<V> {
        let permit = self.vault.permit::<V>(&self.caller, &self.tenant, &self.customer_token);
        permit.await.expect("a permit")
    }
}

fn client(tenant: TenantId) -> Caller {
    Caller::Client {
        tenant,
        client: ClientName::parse("bench").expect("a name"),
        certificate_digest: [0; 32],
        source_address: [127, 0, 0, 1].into(),
        session: None,
    }
}
