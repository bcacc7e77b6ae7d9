//! Where values are exchanged: the external API, asked again for what may pass by itself.
//!
//! It promises that a batch that is asked for again is the same, under the same key, so that nothing
//! is made twice.

use reqwest::Method;
use serde_json::{Map, Value, json};
use tresor_proto::CustomerToken;

use super::{Answer, answer::Results};
use crate::{
    error::CliError,
    https::{Https, fetch},
    output::Output,
    retrying::{Patience, pauses},
    transfer::IDEMPOTENCY_KEY,
};

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Values in, surrogates out.
    Tokenize,
    /// Surrogates in, values or masks out.
    Detokenize,
    /// Surrogates in, those in their places out.
    Renew,
}

/// Who asks, for what.
pub(crate) struct Desk<'a> {
    pub(crate) https: &'a Https,
    pub(crate) customer_token: &'a CustomerToken,
    pub(crate) direction: Direction,
    /// What is asked of all values.
    pub(crate) options: Map<String, Value>,
    /// How often to try again.
    pub(crate) retries: usize,
    pub(crate) output: &'a Output,
    /// Whether the server has answered yet.
    pub(crate) patience: Patience,
}

impl Direction {
    /// As the external API calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tokenize => "tokenize",
            Self::Detokenize => "detokenize",
            Self::Renew => "surrogates:renew",
        }
    }

    /// As the command is called.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Tokenize => "tokenize",
            Self::Detokenize => "detokenize",
            Self::Renew => "renew",
        }
    }

    /// What an item's value is called.
    pub(crate) fn asked(self) -> &'static str {
        match self {
            Self::Tokenize => "value",
            Self::Detokenize | Self::Renew => "surrogate",
        }
    }

    /// What a result's value is called.
    fn answered(self) -> &'static str {
        match self {
            Self::Tokenize | Self::Renew => "surrogate",
            Self::Detokenize => "value",
        }
    }
}

impl Desk<'_> {
    /// What is answered to each of the items, in order.
    pub(super) async fn trade(
        &mut self,
        items: &[&Value],
        key: &str,
    ) -> Result<Vec<Answer>, CliError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let mut left = pauses(self.retries);
        loop {
            let error = match self.ask(items, key).await {
                Ok(answers) => {
                    self.patience.answered();
                    return Ok(answers);
                }
                Err(error) => error,
            };
            let Some(pause) = self.patience.pause(&error, &mut left) else { return Err(error) };
            self.output.note(format!("{error}; trying again in {:.1} s", pause.as_secs_f32()));
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask(&self, items: &[&Value], key: &str) -> Result<Vec<Answer>, CliError> {
        let segments = ["v1", self.direction.as_str()];
        let mut request = self.https.request_with(Method::POST, &segments, self.customer_token)?;
        if self.direction == Direction::Tokenize {
            request = request.header(IDEMPOTENCY_KEY, format!("\"{key}\""));
        }
        let mut body = self.options.clone();
        body.insert("items".to_owned(), json!(items));
        let told: Results = fetch(request.json(&body)).await?;
        let read = |result| Answer::read(result, self.direction.answered());
        told.results.iter().map(read).collect()
    }
}
