use crate::vault;

/// What a tenant's user is for; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum TenantRole {
    /// May do whatever the customer token may.
    Admin = 1,
    /// May store and delete records.
    Writer = 2,
    /// May read records.
    Reader = 3,
    /// May see settings and lists, and no record.
    Auditor = 4,
}

/// The roles of a user; empty for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TenantRoles(u8);

impl TenantRole {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Writer, Self::Reader, Self::Auditor];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The role of the wire's enumeration; `None` for an unknown number.
    #[must_use]
    pub fn from_wire(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| i32::from(*role as u8) == number)
    }

    /// The number of the wire's enumeration.
    #[must_use]
    pub fn to_wire(self) -> i32 {
        vault::TenantRole::from(self) as i32
    }
}

impl From<TenantRole> for vault::TenantRole {
    fn from(role: TenantRole) -> Self {
        match role {
            TenantRole::Admin => Self::Admin,
            TenantRole::Writer => Self::Writer,
            TenantRole::Reader => Self::Reader,
            TenantRole::Auditor => Self::Auditor,
        }
    }
}

impl TenantRoles {
    /// Every role there is.
    pub const ANY: Self = Self::of(&TenantRole::ALL);

    /// A set of roles.
    #[must_use]
    pub const fn of(roles: &[TenantRole]) -> Self {
        let (mut bits, mut at) = (0, 0);
        // A constant may not iterate.
        while at < roles.len() {
            bits |= 1 << roles[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Reads the wire's numbers; `None` when one is unknown or there is none.
    #[must_use]
    pub fn from_wire(numbers: &[i32]) -> Option<Self> {
        let roles: Option<Vec<_>> =
            numbers.iter().map(|role| TenantRole::from_wire(*role)).collect();
        roles.filter(|roles| !roles.is_empty()).map(|roles| Self::of(&roles))
    }

    /// The numbers of the wire, ascending.
    #[must_use]
    pub fn to_wire(self) -> Vec<i32> {
        self.iter().map(TenantRole::to_wire).collect()
    }

    /// The roles, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = TenantRole> {
        TenantRole::ALL.into_iter().filter(move |role| self.has_any(Self::of(&[*role])))
    }

    /// Whether one of `others` is among them.
    #[must_use]
    pub const fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_the_wire_and_their_names() {
        for role in TenantRole::ALL {
            assert_eq!(TenantRole::from_wire(role.to_wire()), Some(role));
            assert_eq!(TenantRole::from_text(role.as_str()), Some(role));
            assert_eq!(TenantRoles::of(&[role]).to_wire(), [role as i32]);
        }
        assert_eq!(TenantRoles::from_wire(&[4, 1, 4]).unwrap().to_wire(), [1, 4]);
    }

    #[test]
    fn unknown_roles_and_none_are_refused() {
        for numbers in [&[][..], &[0], &[5], &[1, 9], &[-1]] {
            assert!(TenantRoles::from_wire(numbers).is_none(), "{numbers:?}");
        }
    }
}
