use crate::vault;

/// Whether a tenant's clients show a user's password besides their certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordRule {
    /// They do.
    #[default]
    Required,
    /// They need not; whoever shows one is held to it.
    NotRequired,
}

impl PasswordRule {
    /// Reads what a caller asks for, where "not given" is the stricter one.
    #[must_use]
    pub fn from_wire(rule: vault::PasswordRule) -> Self {
        match rule {
            vault::PasswordRule::Unspecified | vault::PasswordRule::Required => Self::Required,
            vault::PasswordRule::NotRequired => Self::NotRequired,
        }
    }

    /// Reads what is stored, where "not given" is older than passwords.
    #[must_use]
    pub fn from_storage(rule: vault::PasswordRule) -> Self {
        match rule {
            vault::PasswordRule::Unspecified | vault::PasswordRule::NotRequired => {
                Self::NotRequired
            }
            vault::PasswordRule::Required => Self::Required,
        }
    }
}

impl From<PasswordRule> for vault::PasswordRule {
    fn from(rule: PasswordRule) -> Self {
        match rule {
            PasswordRule::Required => Self::Required,
            PasswordRule::NotRequired => Self::NotRequired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_for_is_required_and_nothing_stored_is_not() {
        let nothing = vault::PasswordRule::Unspecified;
        assert_eq!(PasswordRule::from_wire(nothing), PasswordRule::Required);
        assert_eq!(PasswordRule::from_storage(nothing), PasswordRule::NotRequired);
        for rule in [PasswordRule::Required, PasswordRule::NotRequired] {
            assert_eq!(PasswordRule::from_wire(rule.into()), rule);
            assert_eq!(PasswordRule::from_storage(rule.into()), rule);
        }
    }
}
