//! What is traded: values for surrogates of each kind, and surrogates for values or masks.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tresor_proto::{
    passes_luhn,
    vault::{
        RequestContext, Reveal, SurrogateFormat, SurrogateItem, SurrogateKind, SurrogateOptions,
        TokenizeItem, Value, value,
    },
};

/// The type of values whose surrogates have rows.
const ROW_TYPE: &str = "IBAN_CODE";
/// The type of values whose surrogates look like them.
const PRESERVED_TYPE: &str = "CREDIT_CARD_NUMBER";

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trade {
    /// A random surrogate, durable.
    Random,
    /// A deterministic one, of a value that has none yet.
    New,
    /// A deterministic one, of a value that has it.
    Known,
    /// A format-preserving one.
    Preserving,
    /// The mask behind a random one.
    RandomMasked,
    /// The value behind a random one.
    RandomPlain,
    /// The mask behind a format-preserving one.
    PreservedMasked,
    /// The value behind a format-preserving one.
    PreservedPlain,
}

/// What is sent.
pub(crate) enum Goods {
    Values(Vec<TokenizeItem>),
    Surrogates(Vec<SurrogateItem>),
}

/// What all calls draw from.
#[derive(Clone)]
pub(crate) struct Deck {
    pub(crate) context: RequestContext,
    /// The surrogates that are traded back: random, then format-preserving.
    pub(crate) surrogates: [Arc<Vec<String>>; 2],
    /// How many there are of each, and of values that have a deterministic one.
    loaded: u64,
    next: Arc<AtomicU64>,
}

impl Trade {
    pub(crate) const ALL: [Self; 8] = [
        Self::Random,
        Self::New,
        Self::Known,
        Self::Preserving,
        Self::RandomMasked,
        Self::RandomPlain,
        Self::PreservedMasked,
        Self::PreservedPlain,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Random => "tokenize random",
            Self::New => "tokenize deterministic, new",
            Self::Known => "tokenize deterministic, known",
            Self::Preserving => "tokenize format-preserving",
            Self::RandomMasked => "detokenize random, masked",
            Self::RandomPlain => "detokenize random, plain",
            Self::PreservedMasked => "detokenize format-preserving, masked",
            Self::PreservedPlain => "detokenize format-preserving, plain",
        }
    }

    /// How much is shown; `None` where surrogates are made.
    pub(crate) fn reveal(self) -> Option<Reveal> {
        match self {
            Self::Random | Self::New | Self::Known | Self::Preserving => None,
            Self::RandomMasked | Self::PreservedMasked => Some(Reveal::Masked),
            Self::RandomPlain | Self::PreservedPlain => Some(Reveal::Plain),
        }
    }

    /// Whether the surrogates look like their values.
    pub(crate) fn is_preserving(self) -> bool {
        matches!(self, Self::Preserving | Self::PreservedMasked | Self::PreservedPlain)
    }

    /// Whether every call is about what no call was about before.
    pub(crate) fn is_new(self) -> bool {
        matches!(self, Self::Random | Self::New | Self::Preserving)
    }

    pub(crate) fn info_type(self) -> &'static str {
        if self.is_preserving() { PRESERVED_TYPE } else { ROW_TYPE }
    }

    pub(crate) fn format(self) -> SurrogateFormat {
        if self.is_preserving() { SurrogateFormat::Card } else { SurrogateFormat::Unspecified }
    }

    pub(crate) fn kind(self) -> SurrogateKind {
        match self {
            Self::New | Self::Known => SurrogateKind::Deterministic,
            Self::Preserving | Self::PreservedMasked | Self::PreservedPlain => {
                SurrogateKind::FormatPreserving
            }
            Self::Random | Self::RandomMasked | Self::RandomPlain => SurrogateKind::Random,
        }
    }

    pub(crate) fn options(self) -> SurrogateOptions {
        SurrogateOptions {
            info_type: self.info_type().to_owned(),
            kind: self.kind() as i32,
            format: self.format() as i32,
            ..SurrogateOptions::default()
        }
    }

    /// A value of the trade's type; invented.
    pub(crate) fn value(self, number: u64) -> String {
        if self.is_preserving() {
            card(number)
        } else {
            format!("DE{:02}{number:018}", number % 97)
        }
    }
}

impl Deck {
    pub(crate) fn new(context: RequestContext, loaded: u64) -> Self {
        let (surrogates, next) = (Default::default(), Arc::new(AtomicU64::new(loaded)));
        Self { context, surrogates, loaded, next }
    }

    /// What a call sends.
    pub(crate) fn goods(&self, trade: Trade, batch: usize, turn: usize) -> Goods {
        let first = if trade.is_new() {
            self.next.fetch_add(batch as u64, Ordering::Relaxed)
        } else {
            (turn * batch) as u64
        };
        let numbers = first..first + batch as u64;
        if trade.reveal().is_none() {
            let number = |number| if trade.is_new() { number } else { number % self.loaded };
            return Goods::Values(numbers.map(|it| item(&trade.value(number(it)))).collect());
        }
        let surrogates = &self.surrogates[usize::from(trade.is_preserving())];
        let of = |number: u64| SurrogateItem {
            surrogate: surrogates[(number % self.loaded) as usize].clone(),
            ..SurrogateItem::default()
        };
        Goods::Surrogates(numbers.map(of).collect())
    }

    /// The first values, in batches, to be tokenized before anything is measured.
    pub(crate) fn loads(&self, trade: Trade) -> impl Iterator<Item = Goods> {
        let loaded = self.loaded;
        (0..loaded).step_by(1_000).map(move |first| {
            let numbers = first..loaded.min(first + 1_000);
            Goods::Values(numbers.map(|number| item(&trade.value(number))).collect())
        })
    }
}

fn item(text: &str) -> TokenizeItem {
    let value = Some(Value { content: Some(value::Content::Text(text.to_owned())) });
    TokenizeItem { value, ..TokenizeItem::default() }
}

/// A card number of 16 digits that passes Luhn.
fn card(number: u64) -> String {
    let ends = (0..10).map(|end| format!("4{number:014}{end}"));
    ends.into_iter().find(|card| passes_luhn(card.as_bytes())).expect("one of ten passes")
}
