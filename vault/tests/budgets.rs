//! Budgets of a day, at the vault's own door: searches. Reveals are tested at the real processes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;

use core::time::Duration;

use house::{House, sealed};
use tresor_proto::{
    Action, CollectionName, Content, FieldName, FieldPolicy, InfoType, Policy, RefusalReason,
    Reveal, SearchIndex, TenantLimits, TenantRef, UndeclaredPolicy, vault,
};
use tresor_vault::{
    BudgetKind, BudgetUse, Search, SearchTerm, TenantChange, VaultError, View, store::StoreEngine,
};

const PER_DAY: u64 = 5;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn people() -> CollectionName {
    CollectionName::parse("people").unwrap()
}

impl House {
    async fn searching(searches_per_day: u64) -> Self {
        let house = Self::build(StoreEngine::Redb).await;
        let wire = vault::TenantLimits { searches_per_day, ..vault::TenantLimits::default() };
        let limits = Some(TenantLimits::from_wire(Some(&wire)).unwrap());
        let change = TenantChange { limits, ..TenantChange::default() };
        let tenant = TenantRef::Id(house.tenant);
        let permit = house.operator_permit();
        house.vault().update_tenant(&permit, &tenant, change, false).await.unwrap();
        house.make_searchable().await;
        house
    }

    async fn make_searchable(&self) {
        let field = FieldPolicy {
            search: SearchIndex::new(128, true).ok(),
            ..FieldPolicy::new(FieldName::parse("name").unwrap(), Action::Seal)
        };
        let policy = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal).unwrap();
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(self.tenant));
        let put = self.vault().put_collection(&permit, &tenant, people(), policy);
        put.await.unwrap();
    }

    async fn search(&self) -> Result<(), VaultError> {
        let permit = self.permit::<Search>().await;
        let view = View { collection: people(), reveal: Reveal::Masked, fields: Vec::new() };
        let field = FieldName::parse("name").unwrap();
        let term = SearchTerm { field, content: Content::text("Anna").unwrap() };
        self.vault().search(&permit, &view, &[term], (None, 10)).await.map(drop)
    }

    async fn searches(&self, times: u64) {
        for time in 0..times {
            assert_eq!(self.search().await, Ok(()), "search {time}");
        }
    }

    /// When there is another search, as the refusal says.
    async fn refused(&self) -> Duration {
        let Err(VaultError::Refused(failure)) = self.search().await else { panic!("granted") };
        assert_eq!(failure.reason(), Some(RefusalReason::SearchBudget));
        failure.retry_after().unwrap()
    }

    fn told(&self) -> BudgetUse {
        let uses = self.vault().budget_uses();
        let of_searches = uses.iter().find(|told| told.kind == BudgetKind::Searches);
        *of_searches.unwrap()
    }
}

#[tokio::test]
async fn searches_beyond_a_days_budget_are_refused_until_one_has_come_back() {
    let house = House::searching(PER_DAY).await;
    house.searches(PER_DAY).await;
    let wait = u64::try_from(house.refused().await.as_millis()).unwrap();
    assert_eq!(wait, DAY_MS / PER_DAY);
    house.clock.advance(wait - 1);
    house.refused().await;
    house.clock.advance(1);
    house.searches(1).await;
    house.refused().await;
    assert_eq!((house.told().used, house.told().per_day, house.told().refused), (5, 5, 3));
    house.clock.advance(9 * DAY_MS);
    house.searches(PER_DAY).await;
    house.refused().await;
}

#[tokio::test]
async fn an_operator_is_told_of_searches_at_four_fifths_once_a_filling() {
    let house = House::searching(PER_DAY).await;
    let mut alarms = Vec::new();
    for _ in 0..PER_DAY {
        house.searches(1).await;
        alarms.push(house.told().alarms);
    }
    assert_eq!(alarms, [0, 0, 0, 1, 1]);
    house.clock.advance(2 * DAY_MS);
    house.searches(PER_DAY).await;
    assert_eq!(house.told().alarms, 2);
}

#[tokio::test]
async fn searches_are_neither_reveals_nor_another_tenants() {
    let mut house = House::searching(1).await;
    let fields = vec![sealed("name", InfoType::FirstName, "Anna")];
    house.put(Some("k1"), fields).await.unwrap();
    house.searches(1).await;
    house.refused().await;
    assert!(house.get("k1", Reveal::Plain).await.is_ok());
    let other = house.enrol_another("turm").await;
    house.move_to(other).await;
    house.make_searchable().await;
    house.searches(2).await;
}
