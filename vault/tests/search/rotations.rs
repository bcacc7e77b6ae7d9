//! Indexes through the rotation of every key but their own.

use tresor_proto::{
    Action, DataClass, FieldPolicy, InfoType, Reveal, SurrogateForm, SurrogateKind, TenantRef,
};
use tresor_vault::{
    Detokenize, KeyOperationState, Permit, Shown, SurrogateQuery,
    store::{Keyspace, StoreEngine},
};

use crate::finder::{Finder, declared, fields};

async fn assert_found(finder: &Finder) {
    let page = finder.page(&[("name", "anna 7")], None, 10).await.unwrap();
    assert!(page.is_index_complete);
    let found: Vec<_> = page.items.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(found, ["r7"]);
}

async fn rotate_on(engine: StoreEngine) {
    let mut finder = Finder::build(engine, fields(128)).await;
    for number in 0..10 {
        let name = format!("Anna {number}");
        finder.put(&format!("r{number}"), &[("name", &name), ("city", "Köln")]).await.unwrap();
    }
    let before = finder.entries().await;

    let operation = finder.house.mark(&[]).await;
    assert_found(&finder).await;
    finder.house.lend(&[]).await;
    while finder.house.vault().work_once().await.unwrap().is_some() {
        assert_found(&finder).await;
    }
    assert!(finder.house.operation(operation.id).await.resealed > 0);
    assert_found(&finder).await;

    let permit = finder.house.operator_permit();
    let mut work = finder.house.vault().begin_key_work(permit, "of a test").await.unwrap();
    let tenants = [finder.house.tenant];
    finder.house.vault().rotate_cipher_keys(&mut work, &tenants).await.unwrap();
    assert_found(&finder).await;
    finder.house.vault().rotate_root_key(&mut work).await.unwrap();
    drop(work);
    assert_found(&finder).await;
    finder.house.reopen().await;
    assert_found(&finder).await;
    assert_eq!(finder.entries().await, before, "no entry has changed");
}

#[tokio::test]
async fn records_are_found_through_all_rotations_on_sled() {
    rotate_on(StoreEngine::Sled).await;
}

#[tokio::test]
async fn records_are_found_through_all_rotations_on_redb() {
    rotate_on(StoreEngine::Redb).await;
}

/// Two fields that are found by their values and have surrogates.
fn exchanged() -> Vec<FieldPolicy> {
    let kinds = [
        ("name", InfoType::LastName, SurrogateKind::Deterministic),
        ("iban", InfoType::IbanCode, SurrogateKind::Random),
    ];
    let field = |(name, info_type, kind)| {
        let surrogate = Some(SurrogateForm { kind, ..SurrogateForm::default() });
        let declared = declared(name, info_type, 128);
        FieldPolicy { action: Action::Tokenize, surrogate, ..declared }
    };
    kinds.map(field).into()
}

impl Finder {
    /// The one record that is found, and what its surrogates are traded for.
    async fn traded(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let page = self.page(&[("name", name)], None, 10).await.unwrap();
        let (_, record) = page.items.into_iter().next().unwrap();
        let fields = record.unwrap().fields.into_iter();
        let texts: Vec<_> = fields.map(|field| field.surrogate.unwrap()).collect();
        let query = |text: &String| Ok(SurrogateQuery { text: text.clone(), form: None });
        let permit: Permit<Detokenize> = self.house.permit().await;
        let queries = texts.iter().map(query).collect();
        let shown = self.house.vault().detokenize(&permit, Reveal::Plain, queries).await.unwrap();
        let plain = shown.into_iter().map(|value| {
            let Shown::Plain(content) = value.unwrap().shown else { panic!("not plain") };
            content.as_text().unwrap().to_owned()
        });
        (texts, plain.collect())
    }

    /// The versions of the data keys that everything sealed hangs on.
    async fn epochs(&self) -> Vec<(DataClass, u32)> {
        let (permit, tenant) = (self.house.operator_permit(), TenantRef::Id(self.house.tenant));
        let mut census = self.house.vault().begin_census(&permit, &tenant).await.unwrap();
        while !census.is_done() {
            self.house.vault().count_further(&mut census).await.unwrap();
        }
        census.census().groups.keys().copied().collect()
    }
}

#[tokio::test]
async fn sealing_anew_keeps_surrogates_of_records_and_what_they_are_found_by() {
    for engine in [StoreEngine::Sled, StoreEngine::Redb] {
        let mut finder = Finder::build(engine, exchanged()).await;
        for number in 0..8 {
            let (name, iban) = (format!("Anna {number}"), format!("DE{number}"));
            let values = [("name", name.as_str()), ("iban", iban.as_str())];
            finder.put(&format!("r{number}"), &values).await.unwrap();
        }
        let before = finder.traded("anna 7").await;
        assert_eq!(before.1, ["Anna 7", "DE7"]);
        let entries = finder.entries().await;
        let records = finder.house.rows_of(Keyspace::Records).await;

        let operation = finder.house.mark(&[]).await;
        finder.house.lend(&[]).await;
        finder.house.work_off().await;
        let done = finder.house.operation(operation.id).await;
        assert_eq!(done.state, KeyOperationState::Done);
        assert_eq!(finder.epochs().await, [(DataClass::Identity, 2), (DataClass::Financial, 2)]);
        assert_ne!(finder.house.rows_of(Keyspace::Records).await, records);

        assert_eq!(finder.traded("anna 7").await, before);
        finder.house.reopen().await;
        assert_eq!(finder.traded("anna 7").await, before);
        assert_eq!(finder.entries().await, entries);
        // They are still the ones that go with their record, and stay with its values.
        finder.put("r7", &[("name", "Anna 7"), ("iban", "DE7")]).await.unwrap();
        assert_eq!(finder.traded("anna 7").await, before);
        finder.put("r7", &[("name", "Anna 7"), ("iban", "DE9")]).await.unwrap();
        let after = finder.traded("anna 7").await;
        assert_eq!((&after.0[0], after.1[1].as_str()), (&before.0[0], "DE9"));
        assert_ne!(after.0[1], before.0[1], "another value has another one");
    }
}
