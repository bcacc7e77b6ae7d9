//! Power cuts while surrogates are given, traded and deleted.

use std::{path::PathBuf, sync::Arc};

use tresor_proto::{
    Content, CustomerToken, IdempotencyKey, InfoType, Reveal, SurrogateForm, SurrogateKind,
    SurrogateOptions, TenantId, TenantRef,
};

use super::{client, enrol, open, register, survives};
use crate::{
    DeleteSurrogates, DescribeSurrogates, Detokenize, IssuedSurrogate, ItemKey, NewSurrogate,
    Permit, RevealedValue, Shown, SurrogateQuery, Tokenize, Vault, VaultError,
    access::TokenVerb,
    power_cut::{recorded_program, say},
    store::{Keyspace, ScanRange, StoreRow},
};

const WRITER: &str = "vault::power_cuts::surrogates::the_giver_of_surrogates";
const TURNS: u64 = 6;

/// An open vault and its one customer.
pub(super) struct Ground {
    pub(super) vault: Vault,
    pub(super) tenant: TenantId,
    pub(super) customer_token: CustomerToken,
}

/// The value of a turn.
fn value(turn: u64) -> String {
    format!("12345678{turn}")
}

fn query(text: &str) -> SurrogateQuery {
    SurrogateQuery { text: text.to_owned(), form: None }
}

impl Ground {
    pub(super) async fn permit<V: TokenVerb>(&self) -> Permit<V> {
        let (caller, reference) = (client(self.tenant), TenantRef::Id(self.tenant));
        self.vault.permit(&caller, &reference, &self.customer_token).await.unwrap()
    }

    /// One surrogate of each kind with a row for the value of a turn, and one that may be traded three
    /// times.
    async fn tokenize(&self, turn: u64) -> Vec<IssuedSurrogate> {
        let key = Arc::new(IdempotencyKey::parse("first").unwrap());
        let kinds = [
            (SurrogateKind::Random, None),
            (SurrogateKind::Deterministic, None),
            (SurrogateKind::Random, Some(3)),
        ];
        let mut ordinals = kinds.len() as u64 * turn..;
        let new = kinds.map(|(kind, uses_max)| {
            let ordinal = ordinals.next().unwrap();
            let form = SurrogateForm { kind, ..SurrogateForm::default() };
            let options = SurrogateOptions::new(InfoType::BankAccount, form, None, uses_max);
            Ok(NewSurrogate {
                content: Content::text(&value(turn)).unwrap(),
                options: options.unwrap(),
                item_key: Some(ItemKey { idempotency_key: Arc::clone(&key), ordinal }),
            })
        });
        let permit = self.permit::<Tokenize>().await;
        let issued = self.vault.tokenize(&permit, new.into()).await.unwrap();
        issued.into_iter().map(Result::unwrap).collect()
    }

    pub(super) async fn shown(&self, text: &str) -> Result<RevealedValue, VaultError> {
        let permit = self.permit::<Detokenize>().await;
        let shown = self.vault.detokenize(&permit, Reveal::Plain, vec![Ok(query(text))]).await;
        shown.unwrap().remove(0)
    }

    async fn uses(&self, text: &str) -> u64 {
        let permit = self.permit::<DescribeSurrogates>().await;
        let described = self.vault.describe_surrogates(&permit, vec![Ok(query(text))]).await;
        described.unwrap().remove(0).unwrap().uses
    }

    async fn delete(&self, texts: &[String]) {
        let permit = self.permit::<DeleteSurrogates>().await;
        let queries = texts.iter().map(|text| Ok(query(text))).collect();
        let deleted = self.vault.delete_surrogates(&permit, queries).await.unwrap();
        assert!(deleted.iter().all(Result::is_ok));
    }

    /// Each look-up leads to a row that names it, and each row that names one is found by it.
    async fn assert_no_orphan(&self) {
        let store = self.vault.store(self.tenant).await.unwrap();
        let all = |kind: u8| ScanRange {
            keyspace: Keyspace::Surrogates,
            prefix: vec![kind],
            after: None,
        };
        let rows = store.scan(all(1), usize::MAX).await.unwrap();
        let look_ups = store.scan(all(2), usize::MAX).await.unwrap();
        let holds =
            |row: &StoreRow, part: &[u8]| row.value.windows(part.len()).any(|it| it == part);
        for look_up in &look_ups {
            let named = rows.iter().find(|row| holds(row, &look_up.key));
            assert!(holds(look_up, &named.unwrap().key[1..]));
        }
        let named = rows.iter().filter(|row| look_ups.iter().any(|it| holds(row, &it.key)));
        assert_eq!(named.count(), look_ups.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_giver_of_surrogates() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    say(&format!("enrolled {tenant} {}", customer_token.expose_text().as_str()));
    let ground = Ground { vault, tenant, customer_token };
    let mut before: Vec<String> = Vec::new();
    for turn in 0..TURNS {
        let issued = ground.tokenize(turn).await;
        let texts: Vec<_> = issued.into_iter().map(|issued| issued.text).collect();
        say(&format!("issued {}", texts.join(" ")));
        ground.shown(&texts[2]).await.unwrap();
        say(&format!("used {turn}"));
        if turn % 2 == 1 {
            ground.delete(&before[..2]).await;
            say(&format!("deleted {}", turn - 1));
        }
        before = texts;
    }
    ground.assert_no_orphan().await;
    ground.vault.close().await.unwrap();
}

/// Whatever was cut off: what was said is so, and what was under way is done or not, whole.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some(enrolled) = said.first() else { return };
    let words: Vec<_> = enrolled.split(' ').collect();
    let tenant = TenantId::parse(words[1]).unwrap();
    let customer_token = CustomerToken::parse(words[2]).unwrap();
    let ground = Ground { vault: open(&place, engine).await, tenant, customer_token };
    ground.assert_no_orphan().await;
    let is_said = |what: &str, turn: u64| said.contains(&format!("{what} {turn}"));
    let issued: Vec<_> = said.iter().filter_map(|line| line.strip_prefix("issued ")).collect();
    for (turn, line) in (0..).zip(&issued) {
        let texts: Vec<_> = line.split(' ').collect();
        let uses = ground.uses(texts[2]).await;
        assert!(uses == 1 || uses == 0 && !is_said("used", turn), "{uses} uses in turn {turn}");
        // The first of two turns are deleted in the second.
        let may_be_deleted = turn % 2 == 0 && issued.len() as u64 > turn + 1;
        for text in &texts[..2] {
            let shown = ground.shown(text).await.map(|shown| shown.shown);
            let is_whole = matches!(&shown, Ok(Shown::Plain(content))
                if content.as_text() == Some(&value(turn)));
            let is_deleted = shown.as_ref().is_err_and(|error| *error == VaultError::NotFound);
            assert!(
                is_whole && !is_said("deleted", turn) || is_deleted && may_be_deleted,
                "{turn}"
            );
        }
        if !may_be_deleted {
            let again = ground.tokenize(turn).await;
            let again: Vec<_> = again.iter().map(|issued| issued.text.as_str()).collect();
            assert_eq!(again, texts, "the answers of turn {turn} were taken back");
        }
    }
    // What was under way can be asked for again.
    for turn in issued.len() as u64..TURNS {
        ground.tokenize(turn).await;
    }
    ground.assert_no_orphan().await;
    ground.vault.close().await.unwrap();
}

#[test]
fn surrogates_on_sled_survive_power_cuts() {
    survives(WRITER, "Sled", check);
}

#[test]
fn surrogates_on_redb_survive_power_cuts() {
    survives(WRITER, "Redb", check);
}
