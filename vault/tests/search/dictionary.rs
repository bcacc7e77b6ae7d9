//! What a dictionary of names is worth to a thief who has everything the server has.

use std::path::Path;

use tresor_proto::{
    Content, CustomerToken, FieldName, InfoType, SurrogateForm, SurrogateKind, SurrogateOptions,
};
use tresor_vault::{
    DictionaryLoot, DictionaryTarget, NewSurrogate, Permit, Theft, Tokenize,
    store::{Keyspace, StoreEngine, StoreRow},
};

use crate::{
    finder::{Finder, fields, people},
    house::passphrase,
};

/// Names in the dictionary.
pub(crate) const NAMES: usize = 100_000;
/// Records, and surrogates, of names that are in it.
pub(crate) const KNOWN: usize = 40;
const SYLLABLES: [&str; 10] = ["an", "ber", "car", "dor", "el", "fri", "ge", "han", "in", "jo"];

/// The name of a number: each a different one.
pub(crate) fn name(number: usize) -> String {
    let digits = format!("{number:05}");
    let syllable = |digit: u8| SYLLABLES[usize::from(digit - b'0')];
    digits.bytes().map(syllable).collect()
}

fn surrogate_of(number: usize) -> NewSurrogate {
    let form = SurrogateForm { kind: SurrogateKind::Deterministic, ..SurrogateForm::default() };
    let options = SurrogateOptions::new(InfoType::PersonName, form, None, None).unwrap();
    NewSurrogate { content: Content::text(&name(number)).unwrap(), options, item_key: None }
}

pub(crate) struct Stolen {
    pub(crate) finder: Finder,
    index_rows: Vec<StoreRow>,
    surrogate_rows: Vec<StoreRow>,
}

pub(crate) async fn steal() -> Stolen {
    let finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    for number in (0..NAMES).step_by(NAMES / KNOWN) {
        finder.put(&format!("r{number}"), &[("name", &name(number))]).await.unwrap();
    }
    let surrogates = (0..NAMES).step_by(NAMES / KNOWN).map(surrogate_of).map(Ok).collect();
    let permit: Permit<Tokenize> = finder.house.permit().await;
    for issued in finder.house.vault().tokenize(&permit, surrogates).await.unwrap() {
        issued.unwrap();
    }
    Stolen::of(finder).await
}

impl Stolen {
    /// The rows that there are now.
    pub(crate) async fn of(mut finder: Finder) -> Self {
        let index_rows = finder.entries().await;
        let surrogate_rows = finder.house.rows_of(Keyspace::Surrogates).await;
        Self { finder, index_rows, surrogate_rows }
    }

    pub(crate) fn attack(
        &self,
        customer_token: Option<&CustomerToken>,
        guesses: &[String],
    ) -> DictionaryLoot {
        self.attack_with(&self.finder.house.path(""), customer_token, guesses)
    }

    /// With the keys that a directory has.
    pub(crate) fn attack_with(
        &self,
        data_dir: &Path,
        customer_token: Option<&CustomerToken>,
        guesses: &[String],
    ) -> DictionaryLoot {
        let (house, passphrase) = (&self.finder.house, passphrase());
        let theft = Theft { data_dir, passphrase: &passphrase, customer_token };
        let (collection, field) = (people(), FieldName::parse("name").unwrap());
        let target = DictionaryTarget {
            tenant: house.tenant,
            collection: &collection,
            field: &field,
            info_type: InfoType::PersonName,
            index_rows: &self.index_rows,
            surrogate_rows: &self.surrogate_rows,
        };
        theft.dictionary(target, guesses).unwrap()
    }
}

#[tokio::test]
async fn a_dictionary_and_all_keys_of_the_server_find_no_name() {
    let stolen = steal().await;
    let dictionary: Vec<_> = (0..NAMES).map(name).collect();
    let loot = stolen.attack(None, &dictionary);
    assert!(loot.keys >= 6 && loot.attempts == 2 * loot.keys * NAMES, "{loot:?}");
    assert_eq!((loot.entries_matched, loot.look_ups_matched), (0, 0));
}

#[tokio::test]
async fn the_same_dictionary_with_a_customer_token_finds_every_name() {
    let stolen = steal().await;
    // The names that are there, and as many that are not.
    let some: Vec<_> = (0..NAMES).step_by(NAMES / KNOWN / 2).map(name).collect();
    let loot = stolen.attack(Some(&stolen.finder.house.customer_token), &some);
    assert_eq!((loot.entries_matched, loot.look_ups_matched), (KNOWN, KNOWN));
}
