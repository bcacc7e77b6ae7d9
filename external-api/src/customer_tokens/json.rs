//! Customer tokens as JSON: what is asked for, and what is shown of one.
//!
//! It promises words for every number of the wire, and refuses unknown words by their field.

use core::fmt::Write as _;

use prost_types::{Duration, Timestamp};
use serde::{Deserialize, Serialize};
use tresor_proto::{
    CustomerTokenKind, DataClass, Failure, TokenOperation,
    vault::{self, RequestContext},
};
use utoipa::ToSchema;
use zeroize::ZeroizeOnDrop;

use super::Asked;
use crate::{
    openapi::bounds,
    vault::{Vault, malformed},
};

/// A customer token to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCustomerToken)]
pub(crate) struct Order {
    #[schema(schema_with = bounds::token_kind)]
    kind: String,
    /// What you call it; metadata, not sealed.
    #[schema(schema_with = bounds::token_name)]
    name: Option<String>,
    /// The classes it opens; all that the asking one opens when not given.
    #[schema(schema_with = bounds::classes)]
    classes: Option<Vec<String>>,
    /// What it may do; what is usual for its kind when not given.
    #[schema(schema_with = bounds::operations)]
    operations: Option<Vec<String>>,
    /// When it stops working; when the asking one does when not given.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// SHA-256 of the client certificate it is bound to, in hex.
    #[schema(schema_with = bounds::digest)]
    bound_certificate: Option<String>,
}

/// How to rotate one.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// Seconds the old one goes on; a week when not given, 90 days at most, 0 for not at all.
    #[schema(schema_with = bounds::overlap)]
    overlap_seconds: Option<u32>,
}

/// How to revoke one.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// The tenant's name, when no other customer token reads a class as long: a `conflict` asks.
    #[schema(max_length = 64)]
    confirmation: Option<String>,
}

/// A customer token that was made.
#[derive(Serialize, ZeroizeOnDrop, ToSchema)]
#[schema(as = IssuedCustomerToken)]
pub(crate) struct Issued {
    /// The only copy.
    pub(super) customer_token: String,
    #[zeroize(skip)]
    pub(super) issued: About,
}

/// A customer token that was made in place of another.
#[derive(Serialize, ZeroizeOnDrop, ToSchema)]
#[schema(as = RotatedCustomerToken)]
pub(crate) struct Rotated {
    /// The only copy.
    pub(super) customer_token: String,
    #[zeroize(skip)]
    pub(super) issued: About,
    #[zeroize(skip)]
    pub(super) replaced: About,
}

/// The tenant's customer tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerTokens)]
pub(crate) struct List {
    pub(super) customer_tokens: Vec<About>,
}

/// What is known of a customer token.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerToken)]
pub(crate) struct About {
    #[schema(schema_with = bounds::token_id)]
    id: String,
    #[schema(schema_with = bounds::token_kind)]
    kind: &'static str,
    name: String,
    #[schema(schema_with = bounds::classes)]
    classes: Vec<&'static str>,
    #[schema(schema_with = bounds::operations)]
    operations: Vec<&'static str>,
    #[schema(schema_with = bounds::token_state)]
    state: &'static str,
    #[schema(format = DateTime)]
    created: Option<String>,
    #[schema(format = DateTime)]
    expires: Option<String>,
    bound_certificate: Option<String>,
    #[schema(format = DateTime)]
    revoked: Option<String>,
    /// When it stops working since another was issued in its place.
    #[schema(format = DateTime)]
    overlap_ends: Option<String>,
    /// The id of the one it was issued in place of.
    replaces: Option<String>,
    /// When it was issued in place of another.
    #[schema(format = DateTime)]
    rotated: Option<String>,
}

impl Order {
    /// As the vault is asked.
    pub(super) fn into_wire(self) -> Result<vault::IssueRequest, Failure> {
        let kind = CustomerTokenKind::from_text(&self.kind).ok_or_else(|| unknown("kind"))?;
        let operation =
            |name: String| TokenOperation::from_text(&name).map(vault::TokenOperation::from);
        let expires = self.expires.map(|text| text.parse::<Timestamp>()).transpose();
        let digest = self.bound_certificate.map(|text| from_hex(&text).ok_or_else(no_digest));
        Ok(vault::IssueRequest {
            context: None,
            kind: vault::CustomerTokenKind::from(kind) as i32,
            name: self.name.unwrap_or_default(),
            classes: classes(self.classes)?,
            operations: words("operations", self.operations, |name| {
                operation(name).map(|operation| operation as i32)
            })?,
            expires: expires.map_err(|_| Failure::invalid("expires", "not a time (RFC 3339)"))?,
            bound_certificate: digest.transpose()?.unwrap_or_default(),
        })
    }
}

impl Asked for Rotation {
    type Request = vault::RotateRequest;
    type Answer = Rotated;

    fn to_wire(&self, context: RequestContext, id: String) -> Result<Self::Request, Failure> {
        let overlap = self.overlap_seconds;
        let overlap = overlap.map(|seconds| Duration { seconds: seconds.into(), nanos: 0 });
        Ok(vault::RotateRequest { context: Some(context), id, overlap })
    }

    async fn ask(vault: &Vault, request: Self::Request) -> Result<Rotated, Failure> {
        let answer = vault.rotate_customer_token(request).await?;
        Ok(Rotated {
            customer_token: answer.customer_token,
            issued: about(answer.issued.ok_or_else(malformed)?)?,
            replaced: about(answer.replaced.ok_or_else(malformed)?)?,
        })
    }
}

impl Asked for Revocation {
    type Request = vault::RevokeRequest;
    type Answer = About;

    fn to_wire(&self, context: RequestContext, id: String) -> Result<Self::Request, Failure> {
        let confirmation = self.confirmation.clone().unwrap_or_default();
        Ok(vault::RevokeRequest { context: Some(context), id, confirmation })
    }

    async fn ask(vault: &Vault, request: Self::Request) -> Result<About, Failure> {
        about(vault.revoke_customer_token(request).await?.revoked.ok_or_else(malformed)?)
    }
}

/// What the vault tells of a customer token.
pub(super) fn about(token: vault::CustomerToken) -> Result<About, Failure> {
    let kind = CustomerTokenKind::from_wire(token.kind()).ok_or_else(malformed)?;
    let operation = |number: &i32| TokenOperation::from_wire(*number).map(TokenOperation::as_str);
    let moment = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let given = |text: String| (!text.is_empty()).then_some(text);
    Ok(About {
        kind: kind.as_str(),
        state: state(token.state()),
        classes: class_names(&token.classes),
        operations: token.operations.iter().filter_map(operation).collect(),
        id: token.id,
        name: token.name,
        created: moment(token.created),
        expires: moment(token.expires),
        bound_certificate: given(to_hex(&token.bound_certificate)),
        revoked: moment(token.revoked),
        overlap_ends: moment(token.overlap_ends),
        replaces: given(token.replaces),
        rotated: moment(token.rotated),
    })
}

/// The words for whether one works, also for the document.
pub(crate) const STATES: [&str; 5] = ["unspecified", "active", "replaced", "expired", "revoked"];

fn state(state: vault::CustomerTokenState) -> &'static str {
    usize::try_from(state as i32).ok().and_then(|at| STATES.get(at)).copied().unwrap_or_default()
}

/// The numbers of classes.
pub(super) fn classes(names: Option<Vec<String>>) -> Result<Vec<i32>, Failure> {
    let class = |name: String| DataClass::from_text(&name).map(vault::DataClass::from);
    words("classes", names, |name| class(name).map(|class| class as i32))
}

/// The words for classes.
pub(super) fn class_names(numbers: &[i32]) -> Vec<&'static str> {
    let class = |number: &i32| DataClass::from_wire(*number).ok().flatten().map(DataClass::as_str);
    numbers.iter().filter_map(class).collect()
}

/// Words into numbers; an empty list is refused, since the vault takes it for none given.
fn words(
    field: &str,
    names: Option<Vec<String>>,
    number: impl Fn(String) -> Option<i32>,
) -> Result<Vec<i32>, Failure> {
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    if names.is_empty() {
        return Err(Failure::invalid(field, "at least one, or not given"));
    }
    names.into_iter().map(|name| number(name).ok_or_else(|| unknown(field))).collect()
}

fn unknown(field: &str) -> Failure {
    Failure::invalid(field, "an unknown word")
}

fn no_digest() -> Failure {
    Failure::invalid("bound_certificate", "64 hexadecimal digits: the SHA-256 of a certificate")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 32 bytes; `sha256sum` and `openssl` write them in either case, the latter with colons.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let byte =
        |pair: &[u32]| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok();
    let bytes = digits.chunks_exact(2).map(byte);
    (digits.len() == 64).then(|| bytes.collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(json: &str) -> Result<vault::IssueRequest, Failure> {
        serde_json::from_str::<Order>(json).unwrap().into_wire()
    }

    #[test]
    fn what_is_asked_for_is_what_the_vault_is_asked_for() {
        let digest = "AB:".repeat(31) + "ab";
        let asked = wire(&format!(
            r#"{{"kind":"grant","classes":["health"],"operations":["read_masked"],
                "expires":"2030-01-01T00:00:00Z","bound_certificate":"{digest}"}}"#
        ));
        let asked = asked.unwrap();
        assert_eq!(
            (asked.kind, &asked.classes[..], &asked.operations[..]),
            (3, &[6][..], &[2][..])
        );
        assert_eq!(asked.expires.map(|time| time.seconds), Some(1_893_456_000));
        assert_eq!(asked.bound_certificate, [0xAB; 32]);
        assert_eq!(to_hex(&asked.bound_certificate), "ab".repeat(32));
    }

    #[test]
    fn an_unknown_word_is_refused_by_its_field() {
        for (json, field) in [
            (r#"{"kind":"r"}"#, "kind"),
            (r#"{"kind":"grant","classes":["names"]}"#, "classes"),
            (r#"{"kind":"grant","classes":[]}"#, "classes"),
            (r#"{"kind":"grant","operations":["all"]}"#, "operations"),
            (r#"{"kind":"grant","expires":"tomorrow"}"#, "expires"),
            (r#"{"kind":"grant","bound_certificate":"abc"}"#, "bound_certificate"),
        ] {
            assert_eq!(wire(json).unwrap_err().violations()[0].field, field, "{json}");
        }
    }

    #[test]
    fn every_state_has_its_word() {
        for (at, word) in STATES.iter().enumerate() {
            let wire = vault::CustomerTokenState::try_from(i32::try_from(at).unwrap()).unwrap();
            let name = format!("CUSTOMER_TOKEN_STATE_{}", word.to_uppercase());
            assert_eq!((state(wire), wire.as_str_name()), (*word, name.as_str()));
        }
    }
}
