use ring::digest::{Context, SHA256};

use crate::{
    DataClass, Failure, InfoType, SurrogateCode, TenantId,
    crockford::{from_base32, to_base32},
};

const PREFIX: &str = "srg";
const ID_DIGITS: usize = 26;
const CHECK_DIGITS: usize = 4;
/// `srg_` + the longest code + `_` + id + `_` + checksum.
const TEXT_BYTES_MAX: usize = 4 + 12 + 1 + ID_DIGITS + 1 + CHECK_DIGITS;
/// Goes before what the checksum is of.
const CHECK_CONTEXT: &[u8] = b"tresor/v1/surrogate";

/// What stands for a value outside the vault, of kind random or deterministic: it tells the info
/// type, of a custom one the class, and nothing else of the value.
///
/// Text form: `srg_<info type code>_<26 Crockford base32>_<4 checksum>`, lower case, only the
/// canonical form accepted. The checksum is bound to the tenant, so that mistyped and other
/// tenants' surrogates are refused without a look at the database; it is no secret, and all but
/// one in 2^20 of them are found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Surrogate {
    tenant: TenantId,
    code: SurrogateCode,
    id: SurrogateId,
}

/// The id of a surrogate: 16 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SurrogateId([u8; 16]);

impl Surrogate {
    /// Puts a surrogate together.
    #[must_use]
    pub fn new(tenant: TenantId, info_type: InfoType, id: SurrogateId) -> Self {
        Self { tenant, code: info_type.code(), id }
    }

    /// Parses the canonical text form of a tenant's surrogate.
    ///
    /// # Errors
    /// `invalid_request`, the same for a mistyped one and another tenant's.
    pub fn parse(tenant: TenantId, text: &str) -> Result<Self, Failure> {
        Self::read(tenant, text).ok_or_else(|| {
            Failure::invalid("surrogate", "no surrogate of this tenant: mistyped, or another's")
        })
    }

    fn read(tenant: TenantId, text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (code, rest) = text.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
        let (digits, check) = rest.split_once('_')?;
        if digits.len() != ID_DIGITS || check.len() != CHECK_DIGITS {
            return None;
        }
        let id = SurrogateId(from_base32(digits)?.to_be_bytes());
        let surrogate = Self { tenant, code: SurrogateCode::from_text(code)?, id };
        (from_base32(check)? == surrogate.checksum()).then_some(surrogate)
    }

    /// The class of its value.
    #[must_use]
    pub fn class(&self) -> DataClass {
        self.code.class()
    }

    /// Whether it may stand for a value of an info type; of a custom one it tells the class alone.
    #[must_use]
    pub fn is_of(&self, info_type: InfoType) -> bool {
        self.code == info_type.code()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> SurrogateId {
        self.id
    }

    /// The first 20 bits of a digest of where it belongs and what it is, in the encoding of our
    /// derivations: tag, length, value.
    fn checksum(&self) -> u128 {
        let mut context = Context::new(&SHA256);
        context.update(CHECK_CONTEXT);
        let (tenant, code) = (self.tenant.to_bytes(), self.code.as_str().as_bytes());
        for (tag, value) in (1u8..).zip([&tenant, code, &self.id.0]) {
            // The longest has 16 bytes.
            let [.., length] = value.len().to_be_bytes();
            context.update(&[tag, 0, length]);
            context.update(value);
        }
        let digest = context.finish();
        let start = digest.as_ref().iter().take(3);
        start.fold(0, |number, byte| number << 8 | u128::from(*byte)) >> 4
    }
}

impl core::fmt::Display for Surrogate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let id = to_base32(u128::from_be_bytes(self.id.0), ID_DIGITS);
        let check = to_base32(self.checksum(), CHECK_DIGITS);
        write!(f, "{PREFIX}_{}_{}_{}", self.code.as_str(), *id, *check)
    }
}

impl SurrogateId {
    /// An id from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
