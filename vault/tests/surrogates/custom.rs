//! Info types that a tenant's policies define: sealed, masked, traded, and one meaning for each name.

use tresor_proto::{
    Action, Checksum, CollectionName, CustomInfoType, DataClass, ErrorCode, FieldName, FieldPolicy,
    InfoType, InfoTypeDefinition, InfoTypes, Mask, Pattern, Policy, Reveal, SearchIndex,
    SurrogateForm, SurrogateKind, TenantRef, UndeclaredPolicy,
};
use tresor_vault::{NewRecord, Shown, VaultError, store::StoreEngine};

use crate::{
    calls::{ENGINES, options, text_of, value},
    house::{House, id, sealed},
};

const NUMBER: &str = "CUSTOMER_NUMBER";

fn named(class: DataClass) -> InfoType {
    InfoType::named(NUMBER, class).unwrap()
}

fn definition(pattern: &str, class: DataClass) -> InfoTypeDefinition {
    let info_type = CustomInfoType::new(NUMBER, class).unwrap();
    InfoTypeDefinition {
        words: vec!["kunde".to_owned()],
        pattern: Some(Pattern::new(pattern).unwrap()),
        mask: Mask::new(1, 1).ok(),
        ..InfoTypeDefinition::new(info_type)
    }
}

/// A policy that defines an info type, with a field of it for each kind of surrogates, and none.
fn policy(definition: InfoTypeDefinition) -> Policy {
    let info_type = Some(definition.info_type());
    let field = |name: &str, action| FieldPolicy {
        info_type,
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), action)
    };
    let given = |name: &str, kind| FieldPolicy {
        surrogate: Some(SurrogateForm { kind, ..SurrogateForm::default() }),
        ..field(name, Action::Tokenize)
    };
    let fields = vec![
        FieldPolicy { search: Some(SearchIndex::default()), ..field("kunde", Action::Seal) },
        given("random", SurrogateKind::Random),
        given("alike", SurrogateKind::Deterministic),
    ];
    let info_types = InfoTypes::new(vec![definition]).unwrap();
    Policy::defining(info_types, fields, UndeclaredPolicy::default(), Action::Seal).unwrap()
}

fn usual() -> InfoTypeDefinition {
    definition("K-[0-9]{6}", DataClass::Identity)
}

/// A record as a caller sends it who takes the type for one of another class.
fn record(name: &str, fields: &[(&str, &str)]) -> NewRecord {
    let field = |(name, value): &(&str, &str)| sealed(name, named(DataClass::Other), value);
    NewRecord::new(Some(id(name)), fields.iter().map(field).collect()).unwrap()
}

impl House {
    async fn put_policy(&self, collection: &str, policy: Policy) -> Result<u64, VaultError> {
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(self.tenant));
        let name = CollectionName::parse(collection).unwrap();
        let put = self.vault().put_collection(&permit, &tenant, name, policy).await?;
        Ok(put.policy_version)
    }
}

#[tokio::test]
async fn a_value_of_a_custom_info_type_is_sealed_shown_and_traded_like_any_other() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        house.declare(policy(usual())).await;
        let fields = [("kunde", "K-123456"), ("random", "K-123456"), ("alike", "K-123456")];
        let stored = house.upload(vec![record("a", &fields), record("b", &fields)]).await;
        let [a, b] = [0, 1].map(|at| stored[at].clone().unwrap().surrogates);
        assert!(a.iter().all(|given| given.surrogate.starts_with("srg_x1_")), "{a:?}");
        assert_ne!(a[0].surrogate, b[0].surrogate);
        assert_eq!(a[1].surrogate, b[1].surrogate);
        house.reopen().await;
        let masked = house.get("a", Reveal::Masked).await.unwrap();
        for field in &masked.fields {
            let Shown::Masked(mask) = &field.shown else { panic!("{field:?}") };
            assert_eq!(mask.as_text(), Some("K•••6"), "the mask of the definition");
        }
        let texts = [&a, &b].map(|given| given[0].surrogate.clone());
        for shown in house.detokenize(Reveal::Plain, &texts).await {
            let shown = shown.unwrap();
            assert_eq!(shown.info_type, named(DataClass::Identity));
            assert_eq!((shown.class, text_of(shown)), (DataClass::Identity, "K-123456".to_owned()));
        }
        let shown = house.detokenize(Reveal::Masked, &texts).await.remove(0).unwrap();
        assert_eq!(text_of(shown), "K•••6");
        // A value that is given alone has the surrogate and the mask of one that came with a record.
        let wanted = options(named(DataClass::Other), SurrogateKind::Deterministic, Reveal::Plain);
        let alike = house.tokenize(vec![value("K-123456", wanted)]).await.remove(0);
        assert_eq!(alike, a[1].surrogate);
    }
}

#[tokio::test]
async fn a_type_that_the_policy_does_not_define_is_unknown_whoever_sends_it() {
    let mut house = House::build(StoreEngine::Redb).await;
    let refused = |outcome: VaultError| {
        let VaultError::Refused(failure) = outcome else { panic!("{outcome:?}") };
        (failure.code(), failure.violations()[0].description.clone())
    };
    let unknown = (ErrorCode::InvalidRequest, "unknown info type".to_owned());
    let wanted = || options(named(DataClass::Other), SurrogateKind::Random, Reveal::Plain);
    let outcome = house.upload(vec![record("a", &[("kunde", "K-123456")])]).await.remove(0);
    assert_eq!(refused(outcome.unwrap_err()), unknown);
    let issued = house.issue(vec![value("K-123456", wanted())]).await.remove(0);
    assert_eq!(refused(issued.unwrap_err()), unknown);
    house.put_policy("members", policy(usual())).await.unwrap();
    let outcome = house.upload(vec![record("a", &[("kunde", "K-123456")])]).await.remove(0);
    assert_eq!(refused(outcome.unwrap_err()), unknown, "another collection's");
    assert!(house.issue(vec![value("K-123456", wanted())]).await[0].is_ok(), "the tenant's");
    let other = house.enrol_another("turm").await;
    house.move_to(other).await;
    let issued = house.issue(vec![value("K-123456", wanted())]).await.remove(0);
    assert_eq!(refused(issued.unwrap_err()), unknown, "another tenant's");
}

#[tokio::test]
async fn records_and_surrogates_outlive_the_definition_of_their_type() {
    let mut house = House::build(StoreEngine::Sled).await;
    house.declare(policy(usual())).await;
    let stored = house.upload(vec![record("a", &[("random", "K-123456")])]).await.remove(0);
    let text = stored.unwrap().surrogates.remove(0).surrogate;
    house.declare(Policy::default()).await;
    house.reopen().await;
    let shown = house.get("a", Reveal::Masked).await.unwrap().fields.remove(0);
    let Shown::Masked(mask) = &shown.shown else { panic!("{shown:?}") };
    assert_eq!(mask.as_text(), Some("•••"), "of the class, since the definition is gone");
    let shown = house.detokenize(Reveal::Plain, &[text]).await.remove(0).unwrap();
    assert_eq!(shown.info_type.as_str(), NUMBER);
    assert_eq!(text_of(shown), "K-123456");
}

#[tokio::test]
async fn a_name_has_one_meaning_within_a_tenant() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.put_policy("customers", policy(usual())).await.unwrap();
    let checksum = Some(Checksum::Luhn);
    let others = [
        definition("L-[0-9]{6}", DataClass::Identity),
        definition("K-[0-9]{6}", DataClass::Other),
        InfoTypeDefinition { checksum, ..usual() },
    ];
    for other in &others {
        let refused = house.put_policy("members", policy(other.clone())).await.unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        let violation = &failure.violations()[0];
        assert_eq!(failure.code(), ErrorCode::Conflict);
        assert_eq!(violation.field, "info_types.CUSTOMER_NUMBER");
        assert!(violation.description.contains("the collection customers"), "{failure}");
    }
    let words = InfoTypeDefinition { words: Vec::new(), mask: None, ..usual() };
    house.put_policy("members", policy(words)).await.unwrap();
    // Who has the name may mend it, one after the other; the class stays.
    house.put_policy("customers", policy(others[0].clone())).await.unwrap();
    let class = house.put_policy("customers", policy(others[1].clone())).await;
    assert_eq!(class.unwrap_err().code(), ErrorCode::Conflict);
    let third = house.put_policy("third", policy(others[0].clone())).await;
    assert_eq!(third.unwrap_err().code(), ErrorCode::Conflict, "the two do not agree yet");
    house.put_policy("members", policy(others[0].clone())).await.unwrap();
    house.put_policy("third", policy(others[0].clone())).await.unwrap();
    // Another tenant means what it likes.
    let other = house.enrol_another("turm").await;
    house.move_to(other).await;
    house.put_policy("customers", policy(others[1].clone())).await.unwrap();
}

#[tokio::test]
async fn a_pattern_that_is_none_or_too_large_is_refused_at_the_vaults_own_door() {
    let house = House::build(StoreEngine::Redb).await;
    for pattern in ["(", "a*", "K.", "((a{1000}){1000}){1000}", "(a|b)*a(a|b){30}"] {
        let put = house.put_policy("customers", policy(definition(pattern, DataClass::Other)));
        let VaultError::Refused(failure) = put.await.unwrap_err() else { panic!("{pattern}") };
        assert_eq!(failure.violations()[0].field, "info_types.CUSTOMER_NUMBER.pattern");
    }
}
