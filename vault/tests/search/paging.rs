//! Pages miss nothing that was there all the time and repeat nothing, while others write.

use std::collections::BTreeSet;

use tresor_vault::store::StoreEngine;

use crate::{
    finder::{Finder, Wanted, fields},
    house::id,
    random::Random,
};

const RECORDS: usize = 150;

fn city(number: usize) -> &'static str {
    if number.is_multiple_of(3) { "Köln" } else { "Bonn" }
}

async fn filled(engine: StoreEngine) -> Finder {
    let finder = Finder::build(engine, fields(128)).await;
    for number in 0..RECORDS {
        let name = format!("Anna {}", number % 2);
        let values: &[Wanted<'_>] = &[("name", &name), ("city", city(number))];
        finder.put(&format!("r{number:03}"), values).await.unwrap();
    }
    finder
}

fn expected(is_wanted: impl Fn(usize) -> bool) -> Vec<String> {
    let numbers = (0..RECORDS).filter(|number| is_wanted(*number));
    numbers.map(|number| format!("r{number:03}")).collect()
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_records() {
    let finder = filled(StoreEngine::Memory).await;
    let sixth = expected(|number| number % 6 == 3);
    let third = expected(|number| number % 3 == 0);
    for limit in [1, 7, 25, 50, 51, 1_000] {
        let both: &[Wanted<'_>] = &[("city", "Köln"), ("name", "Anna 1")];
        assert_eq!(finder.found(both, limit).await, sixth);
        assert_eq!(finder.found(&[("city", "Köln")], limit).await, third);
    }
}

#[tokio::test]
async fn a_page_token_leads_nowhere_in_another_search() {
    let finder = filled(StoreEngine::Memory).await;
    let both: &[Wanted<'_>] = &[("city", "Köln"), ("name", "Anna 1")];
    let paging = finder.paging("people", both).await;
    let token = paging.token(&id("r003"));
    assert!(!token.contains("Köln"));
    assert_eq!(paging.after(&token), Ok(id("r003")));
    let turned: &[Wanted<'_>] = &[both[1], both[0]];
    assert_eq!(finder.paging("people", turned).await.after(&token), Ok(id("r003")));
    let (others, elsewhere) = (Finder::build(StoreEngine::Memory, fields(128)).await, "pupils");
    let searches = [
        finder.paging(elsewhere, both).await,
        finder.paging("people", &both[..1]).await,
        finder.paging("people", &[("city", "Köln"), ("name", "Anna 0")]).await,
        finder.paging("people", &[("name", "Köln"), ("city", "Anna 1")]).await,
        others.paging("people", both).await,
    ];
    for (number, other) in searches.iter().enumerate() {
        assert!(other.after(&token).is_err(), "{number}");
    }
    let (_, mark) = token.split_once(':').unwrap();
    for forged in ["r003", "", ":", "r003:", &format!("r004:{mark}"), &format!("{token}A")] {
        let refused = paging.after(forged).unwrap_err();
        assert_eq!(refused.violations()[0].field, "page_token", "{forged}");
    }
}

#[tokio::test]
async fn records_that_stay_are_found_once_while_others_come_and_go() {
    let finder = filled(StoreEngine::Redb).await;
    let mut random = Random::of_this_run();
    let wanted: &[Wanted<'_>] = &[("city", "Köln")];
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = finder.page(wanted, after.as_ref(), 4).await.unwrap();
        found.extend(page.items.into_iter().map(|(id, _)| id.as_str().to_owned()));
        let other = format!("r{:03}x", random.below(RECORDS));
        finder.put(&other, &[("city", "Köln"), ("name", "Gast")]).await.unwrap();
        if random.below(2) == 0 {
            finder.delete(&other).await.unwrap();
        }
        match page.next {
            None => break,
            next => after = next,
        }
    }
    let once: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "nothing comes twice");
    assert!(found.is_sorted());
    let stayed: Vec<_> = once.into_iter().filter(|id| !id.ends_with('x')).collect();
    assert_eq!(stayed, expected(|number| number % 3 == 0));
}
