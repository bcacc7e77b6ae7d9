use crate::vault;

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Seal it: two keys open it.
    Seal,
    /// Seal it and give a surrogate back.
    Tokenize,
    /// Store it readable, protected against change only.
    Clear,
    /// Do not store it.
    Drop,
    /// Refuse the record.
    Reject,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 5] = [Self::Seal, Self::Tokenize, Self::Clear, Self::Drop, Self::Reject];

    /// Its name in policies and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Tokenize => "tokenize",
            Self::Clear => "clear",
            Self::Drop => "drop",
            Self::Reject => "reject",
        }
    }

    /// The action of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// Reads the wire's enumeration; `None` when not given.
    #[must_use]
    pub fn from_wire(action: vault::Action) -> Option<Self> {
        match action {
            vault::Action::Unspecified => None,
            vault::Action::Seal => Some(Self::Seal),
            vault::Action::Tokenize => Some(Self::Tokenize),
            vault::Action::Clear => Some(Self::Clear),
            vault::Action::Drop => Some(Self::Drop),
            vault::Action::Reject => Some(Self::Reject),
        }
    }
}

impl From<Action> for vault::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Seal => Self::Seal,
            Action::Tokenize => Self::Tokenize,
            Action::Clear => Self::Clear,
            Action::Drop => Self::Drop,
            Action::Reject => Self::Reject,
        }
    }
}

/// How much an answer shows; ordered, a larger one shows more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reveal {
    /// Type and class only.
    Redacted,
    /// The mask of the info type.
    #[default]
    Masked,
    /// The value.
    Plain,
}

impl Reveal {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Masked => "masked",
            Self::Plain => "plain",
        }
    }

    /// The reveal of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Redacted, Self::Masked, Self::Plain].into_iter().find(|r| r.as_str() == text)
    }

    /// Reads the wire's enumeration, where "not given" is masked.
    #[must_use]
    pub fn from_wire(reveal: vault::Reveal) -> Self {
        match reveal {
            vault::Reveal::Unspecified | vault::Reveal::Masked => Self::Masked,
            vault::Reveal::Redacted => Self::Redacted,
            vault::Reveal::Plain => Self::Plain,
        }
    }
}

impl From<Reveal> for vault::Reveal {
    fn from(reveal: Reveal) -> Self {
        match reveal {
            Reveal::Redacted => Self::Redacted,
            Reveal::Masked => Self::Masked,
            Reveal::Plain => Self::Plain,
        }
    }
}
