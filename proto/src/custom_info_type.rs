use crate::{DataClass, Failure, InfoType};

/// Bytes of the longest name.
const NAME_BYTES_MAX: usize = 31;

/// An info type that a tenant's policy defines: a name of its own, and the class of its values.
///
/// It is a name and no definition, so that what is stored of a value never hangs on what a policy says
/// later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomInfoType {
    class: DataClass,
    /// Filled up with zeros.
    name: [u8; NAME_BYTES_MAX],
}

impl CustomInfoType {
    /// A custom info type of a class.
    ///
    /// # Errors
    /// `invalid_request` for a name out of its alphabet or length, and for one of the taxonomy.
    pub fn new(text: &str, class: DataClass) -> Result<Self, Failure> {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name =
            text.as_bytes().first().is_some_and(u8::is_ascii_uppercase) && text.bytes().all(fits);
        let mut name = [0; NAME_BYTES_MAX];
        let Some(start) = name.get_mut(..text.len()).filter(|_| is_name) else {
            let description = "the name of a custom info type is [A-Z][A-Z0-9_]{0,30}";
            return Err(Failure::invalid("info_types", description));
        };
        if InfoType::from_text(text).is_some() {
            let description = "an info type of that name is there already, for all tenants";
            return Err(Failure::invalid("info_types", description));
        }
        start.copy_from_slice(text.as_bytes());
        Ok(Self { class, name })
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES_MAX);
        let name = self.name.get(..length).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }

    /// The class of its values.
    #[must_use]
    pub fn class(self) -> DataClass {
        self.class
    }
}

impl core::fmt::Debug for CustomInfoType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.as_str(), self.class.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabet_and_to_what_the_taxonomy_leaves() {
        let new = |name: &str| CustomInfoType::new(name, DataClass::Other);
        let longest = "A".repeat(31);
        for name in ["K", "CUSTOMER_NUMBER", "A1_", &longest] {
            assert_eq!(new(name).unwrap().as_str(), name);
        }
        let refused = ["", "a", "1A", "_A", "A-B", "A B", "A\0", "KÜNDE", "\u{202e}A", "А", "Ａ"];
        for name in refused.into_iter().chain(["IBAN_CODE", "URL", &"A".repeat(32)]) {
            assert!(new(name).is_err(), "{name:?}");
        }
    }
}
