//! A house with a collection whose fields can be searched.

use tresor_proto::{
    Action, CollectionName, Content, FieldName, FieldPolicy, InfoType, Policy, RecordId, Reveal,
    SearchIndex, TenantRef, UndeclaredPolicy,
};
use tresor_vault::{
    Collection, Delete, Destination, FoundPage, NewField, NewRecord, Permit, Search, SearchPaging,
    SearchTerm, StoredRecord, Treatment, VaultError, View, Write,
    store::{Change, StoreEngine, StoreRow},
};

use crate::house::{House, id};

/// What is searched for: a field and its value.
pub(crate) type Wanted<'a> = (&'a str, &'a str);

/// A house whose collection `people` has searchable fields.
pub(crate) struct Finder {
    pub(crate) house: House,
    pub(crate) policy_version: u64,
}

pub(crate) fn people() -> CollectionName {
    CollectionName::parse("people").unwrap()
}

/// A sealed field with an index of so many bits; none when 0.
pub(crate) fn declared(name: &str, info_type: InfoType, bits: u16) -> FieldPolicy {
    let name = FieldName::parse(name).unwrap();
    FieldPolicy {
        info_type: Some(info_type),
        search: (bits > 0).then(|| SearchIndex::new(bits, false).unwrap()),
        ..FieldPolicy::new(name, Action::Seal)
    }
}

pub(crate) fn fields(bits: u16) -> Vec<FieldPolicy> {
    vec![
        declared("name", InfoType::PersonName, bits),
        declared("mail", InfoType::EmailAddress, bits),
        declared("city", InfoType::City, bits),
    ]
}

fn sealed(name: &str, value: &str) -> NewField {
    let (info_type, name) = (None, FieldName::parse(name).unwrap());
    let content = Content::text(value).unwrap();
    let class = tresor_proto::DataClass::Other;
    NewField { name, content, treatment: Treatment::Seal { info_type, class } }
}

impl Finder {
    pub(crate) async fn build(engine: StoreEngine, fields: Vec<FieldPolicy>) -> Self {
        let house = House::build(engine).await;
        let mut finder = Self { house, policy_version: 0 };
        finder.declare(fields).await;
        finder
    }

    /// Gives the collection its next policy.
    pub(crate) async fn declare(&mut self, fields: Vec<FieldPolicy>) -> Collection {
        let put = self.redeclare(fields).await;
        self.policy_version = put.policy_version;
        put
    }

    /// Gives the collection its next policy, of which writers do not know yet.
    pub(crate) async fn redeclare(&self, fields: Vec<FieldPolicy>) -> Collection {
        let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
        let (permit, tenant) = (self.house.operator_permit(), TenantRef::Id(self.house.tenant));
        let vault = self.house.vault();
        vault.put_collection(&permit, &tenant, people(), policy).await.unwrap()
    }

    pub(crate) async fn put(
        &self,
        record: &str,
        values: &[Wanted<'_>],
    ) -> Result<StoredRecord, VaultError> {
        self.put_under(self.policy_version, record, values).await
    }

    pub(crate) async fn put_under(
        &self,
        policy_version: u64,
        record: &str,
        values: &[Wanted<'_>],
    ) -> Result<StoredRecord, VaultError> {
        let fields = values.iter().map(|(name, value)| sealed(name, value)).collect();
        let permit: Permit<Write> = self.house.permit().await;
        let policy_version = Some(policy_version);
        let destination = Destination { collection: people(), policy_version, has_masks: false };
        let records = vec![NewRecord::new(Some(id(record)), fields)];
        self.house.vault().put(&permit, &destination, records).await?.remove(0)
    }

    pub(crate) async fn delete(&self, record: &str) -> Result<(), VaultError> {
        let permit: Permit<Delete> = self.house.permit().await;
        self.house.vault().delete(&permit, &people(), &[id(record)]).await.unwrap().remove(0)
    }

    pub(crate) fn terms(wanted: &[Wanted<'_>]) -> Vec<SearchTerm> {
        let term = |(field, value): &Wanted<'_>| SearchTerm {
            field: FieldName::parse(field).unwrap(),
            content: Content::text(value).unwrap(),
        };
        wanted.iter().map(term).collect()
    }

    pub(crate) async fn page(
        &self,
        wanted: &[Wanted<'_>],
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<FoundPage, VaultError> {
        let permit: Permit<Search> = self.house.permit().await;
        let view = View { collection: people(), reveal: Reveal::Masked, fields: Vec::new() };
        let terms = Self::terms(wanted);
        self.house.vault().search(&permit, &view, &terms, (after, limit)).await
    }

    pub(crate) async fn paging(&self, collection: &str, wanted: &[Wanted<'_>]) -> SearchPaging {
        let permit: Permit<Search> = self.house.permit().await;
        let collection = CollectionName::parse(collection).unwrap();
        let (vault, terms) = (self.house.vault(), Self::terms(wanted));
        vault.search_paging(&permit, &collection, &terms).await.unwrap()
    }

    /// The ids of all records that are found, page by page.
    pub(crate) async fn found(&self, wanted: &[Wanted<'_>], limit: usize) -> Vec<String> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(wanted, after.as_ref(), limit).await.unwrap();
            assert!(page.items.len() <= limit);
            for (id, record) in page.items {
                record.unwrap();
                found.push(id.as_str().to_owned());
            }
            match page.next {
                None => return found,
                next => after = next,
            }
        }
    }

    /// The rows of all indexes, as the thief of the database sees them.
    pub(crate) async fn entries(&mut self) -> Vec<StoreRow> {
        self.house.rows_of(tresor_vault::store::Keyspace::Index).await
    }

    /// Changes the database as a writer of it would.
    pub(crate) async fn tamper(&mut self, change: Change) {
        self.house.apply(change).await;
    }
}
