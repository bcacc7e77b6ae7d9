//! Calls about surrogates, and a look at what they leave in the database.

use std::sync::Arc;

use tresor_proto::{
    Content, IdempotencyKey, InfoType, Reveal, SurrogateForm, SurrogateKind, SurrogateOptions,
};
use tresor_vault::{
    DeleteSurrogates, DescribeSurrogates, Detokenize, IssuedSurrogate, ItemKey, NewSurrogate,
    RevealedValue, Shown, SurrogateDescription, SurrogateQuery, Tokenize, VaultError,
    store::{Keyspace, StoreEngine, StoreRow},
};

use crate::house::House;

pub(crate) const ENGINES: [StoreEngine; 2] = [StoreEngine::Sled, StoreEngine::Redb];

pub(crate) fn options(
    info_type: InfoType,
    kind: SurrogateKind,
    reveal: Reveal,
) -> SurrogateOptions {
    SurrogateOptions::new(
        info_type,
        SurrogateForm { kind, reveal, ..SurrogateForm::default() },
        None,
        None,
    )
    .unwrap()
}

/// A random surrogate with an end.
pub(crate) fn ending(
    info_type: InfoType,
    expires_ms: Option<u64>,
    uses_max: Option<u32>,
) -> SurrogateOptions {
    SurrogateOptions::new(info_type, SurrogateForm::default(), expires_ms, uses_max).unwrap()
}

pub(crate) fn value(text: &str, options: SurrogateOptions) -> NewSurrogate {
    NewSurrogate { content: Content::text(text).unwrap(), options, item_key: None }
}

pub(crate) fn keyed(value: NewSurrogate, key: &str, ordinal: u64) -> NewSurrogate {
    let idempotency_key = Arc::new(IdempotencyKey::parse(key).unwrap());
    NewSurrogate { item_key: Some(ItemKey { idempotency_key, ordinal }), ..value }
}

pub(crate) fn query(text: &str) -> SurrogateQuery {
    SurrogateQuery { text: text.to_owned(), form: None }
}

pub(crate) fn text_of(value: RevealedValue) -> String {
    match value.shown {
        Shown::Plain(content) | Shown::Masked(content) => content.as_text().unwrap().to_owned(),
        Shown::Clear(_) | Shown::Redacted | Shown::Withheld => panic!("nothing is shown"),
    }
}

impl House {
    pub(crate) async fn issue(
        &self,
        values: Vec<NewSurrogate>,
    ) -> Vec<Result<IssuedSurrogate, VaultError>> {
        let permit = self.permit::<Tokenize>().await;
        self.vault().tokenize(&permit, values.into_iter().map(Ok).collect()).await.unwrap()
    }

    /// The surrogates of values that are taken.
    pub(crate) async fn tokenize(&self, values: Vec<NewSurrogate>) -> Vec<String> {
        self.issue(values).await.into_iter().map(|issued| issued.unwrap().text).collect()
    }

    pub(crate) async fn detokenize(
        &self,
        reveal: Reveal,
        texts: &[String],
    ) -> Vec<Result<RevealedValue, VaultError>> {
        self.trade(reveal, texts.iter().map(|text| query(text)).collect()).await
    }

    pub(crate) async fn trade(
        &self,
        reveal: Reveal,
        queries: Vec<SurrogateQuery>,
    ) -> Vec<Result<RevealedValue, VaultError>> {
        let permit = self.permit::<Detokenize>().await;
        let queries = queries.into_iter().map(Ok).collect();
        self.vault().detokenize(&permit, reveal, queries).await.unwrap()
    }

    pub(crate) async fn describe(&self, text: &str) -> Result<SurrogateDescription, VaultError> {
        self.describe_named(query(text)).await
    }

    pub(crate) async fn describe_named(
        &self,
        query: SurrogateQuery,
    ) -> Result<SurrogateDescription, VaultError> {
        let permit = self.permit::<DescribeSurrogates>().await;
        let described = self.vault().describe_surrogates(&permit, vec![Ok(query)]).await;
        described.unwrap().remove(0)
    }

    pub(crate) async fn delete_surrogate(&self, text: &str) -> Result<(), VaultError> {
        self.delete_all_surrogates(&[text.to_owned()]).await.remove(0)
    }

    pub(crate) async fn delete_all_surrogates(
        &self,
        texts: &[String],
    ) -> Vec<Result<(), VaultError>> {
        self.delete_named(texts.iter().map(|text| query(text)).collect()).await
    }

    pub(crate) async fn delete_named(
        &self,
        queries: Vec<SurrogateQuery>,
    ) -> Vec<Result<(), VaultError>> {
        let permit = self.permit::<DeleteSurrogates>().await;
        let queries = queries.into_iter().map(Ok).collect();
        self.vault().delete_surrogates(&permit, queries).await.unwrap()
    }

    /// The rows of surrogates and the entries of their ends, as the thief of the database sees them.
    pub(crate) async fn surrogate_rows(&mut self) -> Vec<StoreRow> {
        let mut rows = self.rows_of(Keyspace::Surrogates).await;
        rows.extend(self.rows_of(Keyspace::Expiry).await);
        rows
    }
}
