//! The room of an answer, measured before any use is counted.
//!
//! It promises never to count less than a result takes as a message, and that what fits is always
//! the beginning. It relies on the bounds of references and names.

use tresor_proto::{ErrorCode, Failure};

use crate::{error::VaultError, record::Shown};

/// Bytes of a result beside its value: a reference, an info type, numbers; or of a refusal.
const RESULT_BYTES: usize = 512;

/// How much of an answer is left; nothing once something did not fit.
#[derive(Debug)]
pub struct AnswerRoom(usize);

impl AnswerRoom {
    /// The room of an answer.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self(bytes_max)
    }

    /// Whether something did not fit.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Takes room for what is shown.
    ///
    /// # Errors
    /// `too_large` when there is not enough.
    pub(super) fn take(&mut self, shown: &Shown) -> Result<(), VaultError> {
        let value_bytes = match shown {
            Shown::Clear(value) | Shown::Plain(value) | Shown::Masked(value) => {
                value.as_bytes().len()
            }
            Shown::Redacted | Shown::Withheld => 0,
        };
        self.0 = self.0.saturating_sub(value_bytes + RESULT_BYTES);
        if self.0 > 0 {
            return Ok(());
        }
        let text = "the answer would be over its size; ask for fewer at once";
        Err(Failure::new(ErrorCode::TooLarge, text).into())
    }

    /// Takes room for a refusal, which has some of its own when this is spent.
    pub(super) fn take_refusal(&mut self) {
        self.0 = self.0.saturating_sub(RESULT_BYTES);
    }
}
