//! Page tokens of a search: where a page begins, and of which search it is.
//!
//! It promises that a token leads nowhere in another search, be it of another collection, of other
//! terms or with another customer token, and tells nothing of the values. It relies on the request
//! key, which hangs on the customer token, so that nobody else can test a guess.
//!
//! `record id ‖ ":" ‖ base64url(HMAC-SHA-256(HMAC-SHA-256(RK, query), record id) [..16])`

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;
use tresor_proto::{CollectionName, Failure, RecordId};
use zeroize::Zeroizing;

use super::SearchTerm;
use crate::{
    access::{Permit, Search},
    crypto_error::CryptoError,
    error::VaultError,
    idempotency::SEARCH,
    kdf,
    key::Key as _,
    tlv::Tlv,
    vault::Vault,
};

/// Bytes of a token that are checked.
const MARK_BYTES: usize = 16;
/// Stands between id and mark; no id has it.
const SEPARATOR: char = ':';

/// Makes and reads the page tokens of one search.
pub struct SearchPaging(Zeroizing<[u8; 32]>);

impl Vault {
    /// The page tokens of a search; in which order its terms are does not matter.
    ///
    /// # Errors
    /// `overloaded`, `internal`.
    pub async fn search_paging(
        &self,
        permit: &Permit<Search>,
        collection: &CollectionName,
        terms: &[SearchTerm],
    ) -> Result<SearchPaging, VaultError> {
        let (holder, query) = (permit.holder().clone(), query(collection, terms)?);
        let mark = move || {
            let key = holder.request_key()?;
            Ok(SearchPaging(Zeroizing::new(kdf::hmac_sha256(key.expose_secret(), &[&query]))))
        };
        let paging: Result<_, CryptoError> = self.key_worker().run(mark).await?;
        Ok(paging?)
    }
}

impl SearchPaging {
    /// The token of the page after a record.
    #[must_use]
    pub fn token(&self, after: &RecordId) -> String {
        let mark = URL_SAFE_NO_PAD.encode(self.mark(after));
        format!("{}{SEPARATOR}{mark}", after.as_str())
    }

    /// Where the page of a token begins: after this record.
    ///
    /// # Errors
    /// `invalid_request` for one that was not given for this search.
    pub fn after(&self, token: &str) -> Result<RecordId, Failure> {
        self.read(token).ok_or_else(|| {
            Failure::invalid("page_token", "not from an answer to this search before")
        })
    }

    fn read(&self, token: &str) -> Option<RecordId> {
        let (id, mark) = token.split_once(SEPARATOR)?;
        let id = RecordId::parse(id).ok()?;
        let expected = URL_SAFE_NO_PAD.encode(self.mark(&id));
        bool::from(expected.as_bytes().ct_eq(mark.as_bytes())).then_some(id)
    }

    fn mark(&self, id: &RecordId) -> [u8; MARK_BYTES] {
        let mac = kdf::hmac_sha256(&self.0, &[id.as_str().as_bytes()]);
        mac.first_chunk().copied().unwrap_or_default()
    }
}

impl core::fmt::Debug for SearchPaging {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SearchPaging")
    }
}

/// What a search is told apart by.
fn query(
    collection: &CollectionName,
    terms: &[SearchTerm],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let head = Tlv::new().with(1, &[SEARCH]).with(2, collection.as_str().as_bytes());
    let mut query = Zeroizing::new(head.encode()?);
    let mut terms: Vec<_> = terms.iter().collect();
    terms.sort_by_key(|term| (term.field.as_str(), term.content.as_bytes()));
    for SearchTerm { field, content } in terms {
        // A value may be longer than a TLV takes; its length before it does the same.
        let bytes = u32::try_from(content.as_bytes().len()).map_err(|_| CryptoError)?;
        let head = Tlv::new()
            .with(1, field.as_str().as_bytes())
            .with(2, &[content.content_type().code()])
            .with(3, &bytes.to_be_bytes());
        query.extend_from_slice(&head.encode()?);
        query.extend_from_slice(content.as_bytes());
    }
    Ok(query)
}
