//! What the vault keeps of a customer token: a verifier, bounds, and slots; never the secret.

use subtle::ConstantTimeEq as _;
use tresor_proto::{
    CustomerToken, CustomerTokenId, CustomerTokenKind, CustomerTokenName, DataClass, OperationSet,
    TenantId, storage,
};

use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{Key, Pepper, RequestKey, TokenAuthKey, TokenWrapKey},
    slot::Slot,
    tlv::Tlv,
};

/// A customer token in the keyring.
#[derive(Debug)]
pub(crate) struct CustomerTokenEntry {
    pub(crate) bounds: TokenBounds,
    pub(crate) verifier: [u8; 32],
    pub(crate) created_ms: u64,
    /// 0 for not. Unlike an end to come, it stays when the clock is set back.
    pub(crate) revoked_ms: u64,
    pub(crate) name: CustomerTokenName,
    pub(crate) replaces: Option<CustomerTokenId>,
    /// 0 for none.
    pub(crate) overlap_ends_ms: u64,
    pub(crate) slots: Vec<Slot>,
    /// The classes of slots that are no more.
    pub(crate) revoked_classes: Vec<DataClass>,
}

/// The bounds of a customer token, part of the AAD of each of its slots.
#[derive(Clone, Debug)]
pub(crate) struct TokenBounds {
    pub(crate) id: CustomerTokenId,
    pub(crate) kind: CustomerTokenKind,
    pub(crate) operations: OperationSet,
    pub(crate) expires_ms: u64,
    pub(crate) bound_certificate: Option<[u8; 32]>,
}

impl TokenBounds {
    /// The encoding that slots are bound to.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, CryptoError> {
        Tlv::new()
            .with(1, &[self.kind.letter()])
            .with(2, &self.operations.bits().to_be_bytes())
            .with(3, &self.expires_ms.to_be_bytes())
            .with(4, self.bound_certificate.as_ref().map_or(&[][..], |digest| &digest[..]))
            .encode()
    }
}

impl CustomerTokenEntry {
    /// The authentication key of the customer token, when it is this one; compared in constant
    /// time.
    pub(crate) fn verify(
        &self,
        tenant: TenantId,
        customer_token: &CustomerToken,
        pepper: &Pepper,
    ) -> Result<Option<TokenAuthKey>, CryptoError> {
        let auth_key = auth_key(tenant, customer_token)?;
        let is_verified = self.bounds.id == customer_token.id()
            && self.bounds.kind == customer_token.kind()
            && bool::from(verifier(&auth_key, pepper).ct_eq(&self.verifier));
        Ok(is_verified.then_some(auth_key))
    }

    /// Whether it works from a client with this certificate.
    pub(crate) fn works_from(&self, certificate_digest: Option<&[u8; 32]>) -> bool {
        let bound = self.bounds.bound_certificate.as_ref();
        bound.is_none_or(|bound| certificate_digest.is_some_and(|digest| digest == bound))
    }

    /// Whether it works at `now_ms`, from whichever client it is bound to.
    pub(crate) fn works_at(&self, now_ms: u64) -> bool {
        self.revoked_ms == 0 && self.ends_ms().is_none_or(|ends_ms| now_ms < ends_ms)
    }

    /// When it stops working by itself, if ever.
    pub(crate) fn ends_ms(&self) -> Option<u64> {
        let ends = [self.bounds.expires_ms, self.overlap_ends_ms].into_iter();
        ends.filter(|ends_ms| *ends_ms != 0).min()
    }

    /// Ends it for good. Its slots go with it, so that its secret opens nothing of the keyring, to
    /// whom the vault's own checks do not matter either.
    pub(crate) fn revoke(&mut self, now_ms: u64) {
        if self.revoked_ms == 0 {
            self.revoked_ms = now_ms;
        }
        self.revoked_classes.extend(self.slots.drain(..).map(|slot| slot.class));
    }

    /// The classes it opens, or opened.
    pub(crate) fn classes(&self) -> impl Iterator<Item = DataClass> {
        let opened = self.slots.iter().map(|slot| slot.class);
        opened.chain(self.revoked_classes.iter().copied())
    }

    /// Its slot for a class, if it covers the class.
    pub(crate) fn slot(&self, class: DataClass) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.class == class)
    }
}

/// The key that proves its holder has the customer token (TAK).
pub(crate) fn auth_key(
    tenant: TenantId,
    customer_token: &CustomerToken,
) -> Result<TokenAuthKey, CryptoError> {
    derive(tenant, customer_token, b"tresor/v1/token-auth")
}

/// `verifier = HMAC-SHA256(pepper, TAK)`.
pub(crate) fn verifier(auth_key: &TokenAuthKey, pepper: &Pepper) -> [u8; 32] {
    kdf::hmac_sha256(pepper.expose_secret(), &[auth_key.expose_secret()])
}

/// The key that marks the requests made with the customer token.
pub(crate) fn request_key(auth_key: &TokenAuthKey) -> Result<RequestKey, CryptoError> {
    let bytes = kdf::expand::<32>(auth_key.expose_secret(), &[b"tresor/v1/idempotency"])?;
    RequestKey::from_slice(&bytes[..])
}

/// The key of the inner lock.
pub(crate) fn wrap_key(
    tenant: TenantId,
    customer_token: &CustomerToken,
) -> Result<TokenWrapKey, CryptoError> {
    derive(tenant, customer_token, b"tresor/v1/token-wrap")
}

fn derive<K: Key>(
    tenant: TenantId,
    customer_token: &CustomerToken,
    info: &[u8],
) -> Result<K, CryptoError> {
    let salt =
        Tlv::new().with(1, &tenant.to_bytes()).with(2, customer_token.id().as_bytes()).encode()?;
    K::from_slice(
        &kdf::extract_and_expand::<32>(&salt, customer_token.expose_secret(), &[info])?[..],
    )
}

impl From<&CustomerTokenEntry> for storage::CustomerToken {
    fn from(entry: &CustomerTokenEntry) -> Self {
        let bounds = &entry.bounds;
        let classes = entry.revoked_classes.iter();
        Self {
            id: bounds.id.as_bytes().to_vec(),
            kind: u32::from(bounds.kind.letter()),
            verifier: entry.verifier.to_vec(),
            operations: bounds.operations.bits(),
            created_ms: entry.created_ms,
            expires_ms: bounds.expires_ms,
            bound_certificate: bounds.bound_certificate.map_or_else(Vec::new, Vec::from),
            revoked_ms: entry.revoked_ms,
            slots: entry.slots.iter().map(storage::Slot::from).collect(),
            name: entry.name.as_str().to_owned(),
            replaces: entry.replaces.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
            overlap_ends_ms: entry.overlap_ends_ms,
            revoked_classes: classes.map(|class| u32::from(class.code())).collect(),
        }
    }
}

impl TryFrom<storage::CustomerToken> for CustomerTokenEntry {
    type Error = CryptoError;

    fn try_from(message: storage::CustomerToken) -> Result<Self, CryptoError> {
        let kind = u8::try_from(message.kind).map_err(|_| CryptoError)?;
        let id = |bytes: &[u8]| bytes.try_into().map(CustomerTokenId::from_bytes);
        let replaces = match message.replaces.as_slice() {
            [] => None,
            bytes => Some(id(bytes).map_err(|_| CryptoError)?),
        };
        let bound_certificate = match message.bound_certificate.as_slice() {
            [] => None,
            digest => Some(digest.try_into().map_err(|_| CryptoError)?),
        };
        let classes = message.revoked_classes.iter().map(|code| DataClass::from_code(*code));
        Ok(Self {
            bounds: TokenBounds {
                id: id(&message.id).map_err(|_| CryptoError)?,
                kind: CustomerTokenKind::from_letter(kind).ok_or(CryptoError)?,
                operations: OperationSet::from_bits(message.operations).ok_or(CryptoError)?,
                expires_ms: message.expires_ms,
                bound_certificate,
            },
            verifier: message.verifier.as_slice().try_into().map_err(|_| CryptoError)?,
            created_ms: message.created_ms,
            revoked_ms: message.revoked_ms,
            name: CustomerTokenName::parse(&message.name).map_err(|_| CryptoError)?,
            replaces,
            overlap_ends_ms: message.overlap_ends_ms,
            slots: message.slots.into_iter().map(Slot::try_from).collect::<Result<_, _>>()?,
            revoked_classes: classes.collect::<Option<_>>().ok_or(CryptoError)?,
        })
    }
}
