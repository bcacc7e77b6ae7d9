//! Deterministic surrogates: the same for the same value, however and by how many they are asked for.

use std::{collections::HashSet, sync::Arc};

use tokio::task::JoinSet;
use tresor_proto::{Content, ContentType, InfoType, Reveal, SurrogateKind};
use tresor_vault::{
    NewSurrogate,
    store::{StoreEngine, StoreRow},
};

use crate::{
    calls::{ENGINES, keyed, options, text_of, value},
    house::House,
};

fn named(text: &str) -> NewSurrogate {
    value(text, options(InfoType::PersonName, SurrogateKind::Deterministic, Reveal::Plain))
}

fn of_type(content_type: ContentType, value: &str) -> NewSurrogate {
    let content = Content::new(content_type, value.as_bytes().to_vec()).unwrap();
    NewSurrogate { content, ..named(value) }
}

fn numbered(numbers: core::ops::Range<usize>) -> Vec<NewSurrogate> {
    numbers.map(|number| named(&format!("Anna {number}"))).collect()
}

/// Each look-up leads to a row, and each row is found by its look-up.
fn assert_no_orphan(rows: &[StoreRow]) {
    let of = |kind: u8| rows.iter().filter(move |row| row.key[0] == kind);
    assert_eq!(of(1).count(), of(2).count());
    let holds = |row: &StoreRow, part: &[u8]| row.value.windows(part.len()).any(|it| it == part);
    for look_up in of(2) {
        let found = of(1).find(|row| holds(row, &look_up.key)).unwrap();
        assert!(holds(look_up, &found.key[1..]), "the look-up finds another surrogate");
    }
}

#[tokio::test]
async fn the_same_value_has_the_same_surrogate_and_another_value_another() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let first = house.tokenize(numbered(0..300)).await;
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 300);
        house.reopen().await;
        assert_eq!(house.tokenize(numbered(0..300)).await, first);
        let shown = house.detokenize(Reveal::Plain, &first).await;
        let shown: Vec<_> = shown.into_iter().map(|it| text_of(it.unwrap())).collect();
        assert_eq!(shown, (0..300).map(|number| format!("Anna {number}")).collect::<Vec<_>>());
        assert_no_orphan(&house.surrogate_rows().await);
    }
}

#[tokio::test]
async fn it_is_another_one_for_another_type_reveal_content_type_case_and_tenant() {
    let mut house = House::build(StoreEngine::Redb).await;
    let of = |info_type, reveal| options(info_type, SurrogateKind::Deterministic, reveal);
    let values = || {
        let as_bytes = of_type(ContentType::Binary, "7");
        vec![
            named("7"),
            value("7", of(InfoType::LastName, Reveal::Plain)),
            value("7", of(InfoType::PersonName, Reveal::Masked)),
            as_bytes,
            named("7 "),
            named("a"),
            named("A"),
        ]
    };
    let mut seen: HashSet<String> = house.tokenize(values()).await.into_iter().collect();
    assert_eq!(seen.len(), 7);
    let other = house.enrol_another("turm").await;
    house.move_to(other).await;
    seen.extend(house.tokenize(values()).await);
    assert_eq!(seen.len(), 14);
}

#[tokio::test]
async fn a_number_in_one_file_and_the_text_in_another_have_one_surrogate() {
    let house = House::build(StoreEngine::Redb).await;
    let json = |literal| of_type(ContentType::Json, literal);
    let same = vec![json("5"), named("5"), json("\"5\""), json("\"\\u0035\"")];
    let texts = house.tokenize(same).await;
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    // How it is written counts, and a text of a JSON text is no JSON.
    let others = vec![json("5.0"), json("5e0"), named("\"5\""), named("05")];
    let others: HashSet<_> = house.tokenize(others).await.into_iter().collect();
    assert_eq!((others.len(), others.contains(&texts[0])), (4, false));
    let booleans =
        house.tokenize(vec![json("true"), named("true"), json("null"), named("null")]).await;
    assert_eq!((&booleans[0], &booleans[2]), (&booleans[1], &booleans[3]));
    assert_ne!(booleans[0], booleans[2]);
}

#[tokio::test]
async fn duplicates_in_one_batch_get_one_surrogate_keyed_or_not() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let values = || {
            let twice = || numbered(0..20).into_iter().chain(numbered(0..20));
            let keyed = twice().zip(1..).map(|(value, ordinal)| keyed(value, "k", ordinal));
            twice().chain(keyed).collect::<Vec<_>>()
        };
        let texts = house.tokenize(values()).await;
        assert!(texts.chunks(20).all(|texts_of_twenty| texts_of_twenty == &texts[..20]));
        assert_eq!(house.tokenize(values()).await, texts);
        let rows = house.surrogate_rows().await;
        assert_no_orphan(&rows);
        assert_eq!(rows.len(), 40);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_ask_at_once_get_one_surrogate() {
    for engine in ENGINES {
        let mut house = Arc::new(House::build(engine).await);
        for turn in 0..30 {
            let callers = (0..4).map(|caller| {
                let house = Arc::clone(&house);
                async move {
                    let mut values = numbered(turn * 10..turn * 10 + 10);
                    if caller % 2 == 1 {
                        values.reverse();
                    }
                    let mut texts = house.tokenize(values).await;
                    if caller % 2 == 1 {
                        texts.reverse();
                    }
                    texts
                }
            });
            let answers = callers.collect::<JoinSet<_>>().join_all().await;
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        }
        let rows = Arc::get_mut(&mut house).unwrap().surrogate_rows().await;
        assert_no_orphan(&rows);
        assert_eq!(rows.len(), 600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_deletion_and_tokenizing_race_no_row_is_left_without_its_other() {
    for engine in ENGINES {
        let mut house = Arc::new(House::build(engine).await);
        for _ in 0..30 {
            let texts = house.tokenize(numbered(0..10)).await;
            let (deleting, asking) = (Arc::clone(&house), Arc::clone(&house));
            let deleted = texts.clone();
            let (deleted, asked) = tokio::join!(
                tokio::spawn(async move { deleting.delete_all_surrogates(&deleted).await }),
                tokio::spawn(async move { asking.tokenize(numbered(0..10)).await }),
            );
            assert!(deleted.unwrap().iter().all(Result::is_ok));
            let asked = asked.unwrap();
            // Either the one that was deleted then, or a new one, which is there.
            let shown = house.detokenize(Reveal::Plain, &asked).await;
            for ((asked, before), shown) in asked.iter().zip(&texts).zip(shown) {
                assert!(asked == before || shown.is_ok(), "{shown:?}");
            }
        }
        let house = Arc::get_mut(&mut house).unwrap();
        assert_no_orphan(&house.surrogate_rows().await);
    }
}

#[tokio::test]
async fn a_deleted_one_comes_back_as_another() {
    let house = House::build(StoreEngine::Sled).await;
    let text = house.tokenize(vec![named("Anna")]).await.remove(0);
    house.delete_surrogate(&text).await.unwrap();
    assert_ne!(house.tokenize(vec![named("Anna")]).await[0], text);
}
