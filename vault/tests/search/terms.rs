//! What can be searched for, and what is answered.

use tresor_proto::{ErrorCode, InfoType, Mask, Reveal};
use tresor_vault::{Permit, Search, Shown, VaultError, View, store::StoreEngine};

use crate::finder::{Finder, Wanted, declared, fields, people};

async fn filled() -> Finder {
    let finder = Finder::build(StoreEngine::Memory, fields(128)).await;
    let anna: &[Wanted<'_>] = &[("name", "Müller, Anna"), ("city", "Köln"), ("mail", "a@b.de")];
    let bert: &[Wanted<'_>] = &[("name", "Bert Maier"), ("city", "KÖLN "), ("mail", "b@b.de")];
    for (record, values) in [("r1", anna), ("r2", bert), ("r3", anna)] {
        finder.put(record, values).await.unwrap();
    }
    finder
}

#[tokio::test]
async fn records_are_found_by_one_value_and_by_several() {
    let finder = filled().await;
    let cases: &[(&[Wanted<'_>], &[&str])] = &[
        (&[("name", "müller anna")], &["r1", "r3"]),
        (&[("city", "köln")], &["r1", "r2", "r3"]),
        (&[("city", "Köln"), ("name", "MÜLLER, ANNA")], &["r1", "r3"]),
        (&[("city", "Köln"), ("mail", "b@b.de"), ("name", "bert maier")], &["r2"]),
        (&[("mail", "b@b.de"), ("name", "Müller, Anna")], &[]),
        (&[("name", "Anna Müller")], &[]),
        (&[("city", "köl")], &[]),
        (&[("city", "a@b.de")], &[]),
    ];
    for (wanted, expected) in cases {
        assert_eq!(finder.found(wanted, 10).await, *expected, "{wanted:?}");
    }
}

#[tokio::test]
async fn what_is_found_is_shown_masked_or_as_asked() {
    let finder = filled().await;
    let permit: Permit<Search> = finder.house.permit().await;
    let terms = Finder::terms(&[("mail", "b@b.de")]);
    for (reveal, is_plain) in [(Reveal::Masked, false), (Reveal::Plain, true)] {
        let view = View { collection: people(), reveal, fields: Vec::new() };
        let page = finder.house.vault().search(&permit, &view, &terms, (None, 10)).await.unwrap();
        assert!(page.is_index_complete && page.next.is_none());
        let record = page.items[0].1.as_ref().unwrap();
        assert_eq!(record.fields.len(), 3);
        for field in &record.fields {
            assert_eq!(matches!(field.shown, Shown::Plain(_)), is_plain);
            assert_eq!(matches!(field.shown, Shown::Masked(_)), !is_plain);
        }
    }
}

#[tokio::test]
async fn what_is_found_is_shown_under_the_newest_policys_masks() {
    let mut finder = filled().await;
    let mut fields = fields(128);
    for field in &mut fields {
        field.mask = Some(Mask::new(0, 0).unwrap());
    }
    finder.declare(fields).await;
    let page = finder.page(&[("mail", "b@b.de")], None, 10).await.unwrap();
    for field in &page.items[0].1.as_ref().unwrap().fields {
        let Shown::Masked(content) = &field.shown else { panic!("not masked") };
        assert_eq!(content.as_text(), Some("•••"), "{}", field.name);
    }
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused_and_names_the_field() {
    let mut finder = filled().await;
    finder.declare([fields(128), vec![declared("note", InfoType::FreeText, 0)]].concat()).await;
    let many = vec![("city", "Köln"); 9];
    let refused: &[(&[Wanted<'_>], &str)] = &[
        (&[], "1 to 8"),
        (&many, "1 to 8"),
        (&[("note", "x")], "note"),
        (&[("nobody", "x")], "nobody"),
        (&[("city", "Köln"), ("name", " \u{a0}")], "name"),
    ];
    for (wanted, named) in refused {
        let Err(VaultError::Refused(failure)) = finder.page(wanted, None, 10).await else {
            panic!("{wanted:?}")
        };
        assert_eq!(failure.code(), ErrorCode::InvalidRequest);
        assert!(format!("{failure:?}").contains(named), "{failure:?}");
    }
}

#[tokio::test]
async fn a_record_has_the_entries_of_what_it_holds_now_and_leaves_none() {
    let mut finder = filled().await;
    finder.put("r1", &[("name", "Carla")]).await.unwrap();
    assert_eq!(finder.found(&[("name", "Müller, Anna")], 10).await, ["r3"]);
    assert_eq!(finder.found(&[("name", "carla")], 10).await, ["r1"]);
    finder.delete("r3").await.unwrap();
    assert_eq!(finder.found(&[("city", "Köln")], 10).await, ["r2"]);
    let engine = StoreEngine::Redb;
    finder = Finder::build(engine, fields(128)).await;
    finder.put("r1", &[("name", "Anna"), ("city", "Köln")]).await.unwrap();
    assert_eq!(finder.entries().await.len(), 2);
    finder.put("r1", &[("name", "Anna"), ("mail", " ")]).await.unwrap();
    assert_eq!(finder.entries().await.len(), 1, "what holds nothing has no entry");
    finder.delete("r1").await.unwrap();
    assert_eq!(finder.entries().await, []);
}

#[tokio::test]
async fn an_index_declared_later_is_incomplete_until_it_is_built() {
    let mut finder = Finder::build(StoreEngine::Memory, Vec::new()).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    finder.declare(fields(128)).await;
    finder.put("r2", &[("name", "Anna")]).await.unwrap();
    let page = finder.page(&[("name", "Anna")], None, 10).await.unwrap();
    assert!(!page.is_index_complete);
    assert_eq!(page.items.len(), 1);
}
