//! Where values are exchanged: the external API, asked again for what may pass by itself.
//!
//! It promises that values that are asked for again are the same, and random surrogates under the same
//! key, so that nothing is made twice (those of the other kinds are the same anyway), and that no
//! surrogate is asked for again that was traded, so that none is used twice.

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
        let mut sheet = Sheet::new(items, self.direction);
        let mut left = pauses(self.retries);
        while !sheet.is_full() {
            let error = match self.ask(&sheet.rest(), key).await.and_then(|told| sheet.add(told)) {
                Ok(()) => {
                    self.patience.answered();
                    continue;
                }
                Err(error) => error,
            };
            let Some(pause) = self.patience.pause(&error, &mut left) else { return Err(error) };
            self.output.note(format!("{error}; trying again in {:.1} s", pause.as_secs_f32()));
            tokio::time::sleep(pause).await;
        }
        Ok(sheet.answers.into_iter().flatten().collect())
    }

    async fn ask(
        &self,
        items: &[&Value],
        key: &str,
    ) -> Result<Vec<Result<Answer, CliError>>, CliError> {
        let segments = ["v1", self.direction.as_str()];
        let mut request = self.https.request_with(Method::POST, &segments, self.customer_token)?;
        if self.options.get("kind").is_some_and(|kind| kind == "random") {
            request = request.header(IDEMPOTENCY_KEY, format!("\"{key}\""));
        }
        let mut body = self.options.clone();
        body.insert("items".to_owned(), json!(items));
        let told: Results = fetch(request.json(&body)).await?;
        let read = |result| Answer::read(result, self.direction.answered());
        Ok(told.results.iter().map(read).collect())
    }
}

/// Items, and what is answered to them.
struct Sheet<'a> {
    items: &'a [&'a Value],
    answers: Vec<Option<Answer>>,
    /// Whether all are asked for again when one is: a value is recognised by its place among all. Of
    /// surrogates only the rest is, or those that were traded would be used twice.
    asks_all: bool,
}

impl<'a> Sheet<'a> {
    fn new(items: &'a [&'a Value], direction: Direction) -> Self {
        let answers = items.iter().map(|_| None).collect();
        Self { items, answers, asks_all: direction == Direction::Tokenize }
    }

    fn is_full(&self) -> bool {
        self.answers.iter().all(Option::is_some)
    }

    /// What is to be asked for.
    fn rest(&self) -> Vec<&'a Value> {
        let items = self.items.iter().zip(&self.answers);
        let rest = items.filter(|(_, answer)| self.asks_all || answer.is_none());
        rest.map(|(item, _)| *item).collect()
    }

    /// Takes what is told of the rest, an answer each; an error is what keeps some from theirs.
    fn add(&mut self, told: Vec<Result<Answer, CliError>>) -> Result<(), CliError> {
        let rest = self.answers.iter_mut().filter(|answer| self.asks_all || answer.is_none());
        let rest: Vec<_> = rest.collect();
        if rest.len() != told.len() {
            return Err(CliError::failed("the server's answer leaves out a value"));
        }
        let mut added = Ok(());
        for (place, told) in rest.into_iter().zip(told) {
            match told {
                Ok(answer) => *place = Some(answer),
                Err(error) if error.may_pass() => added = Err(error),
                Err(error) => return Err(error),
            }
        }
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> Vec<Result<Answer, CliError>> {
        let read = |word: &&str| match *word {
            "passing" => Err(CliError::failed("overloaded").passing()),
            word => Answer::read(&json!({ "value": word }), "value"),
        };
        words.iter().map(read).collect()
    }

    fn texts(sheet: &Sheet<'_>) -> Vec<String> {
        let text = |answer: &Option<Answer>| match answer {
            Some(Answer::Traded { value: Some(content), .. }) => {
                content.as_text().unwrap().to_owned()
            }
            Some(Answer::Traded { value: None, .. } | Answer::Refused(_)) | None => String::new(),
        };
        sheet.answers.iter().map(text).collect()
    }

    #[test]
    fn what_was_traded_is_not_asked_for_again() {
        let items = ["a", "b", "c"].map(|item| json!(item));
        let items: Vec<_> = items.iter().collect();
        let mut sheet = Sheet::new(&items, Direction::Detokenize);
        assert!(sheet.add(told(&["A", "passing", "passing"])).unwrap_err().may_pass());
        assert_eq!(sheet.rest(), [&json!("b"), &json!("c")]);
        assert!(sheet.add(told(&["passing", "C"])).is_err());
        assert!(!sheet.is_full());
        assert_eq!(sheet.rest(), [&json!("b")]);
        assert!(sheet.add(told(&["B", "more"])).is_err());
        sheet.add(told(&["B"])).unwrap();
        assert_eq!(
            (sheet.is_full(), texts(&sheet)),
            (true, ["A", "B", "C"].map(str::to_owned).into())
        );
    }

    #[test]
    fn values_are_asked_for_again_in_their_places() {
        let items = ["a", "b"].map(|item| json!(item));
        let items: Vec<_> = items.iter().collect();
        let mut sheet = Sheet::new(&items, Direction::Tokenize);
        assert!(sheet.add(told(&["s1", "passing"])).is_err());
        assert_eq!(sheet.rest(), items);
        sheet.add(told(&["s1", "s2"])).unwrap();
        assert!(sheet.is_full());
    }
}
