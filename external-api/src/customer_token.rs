//! The header that carries the customer token.
//!
//! It promises that the header is gone before any other part sees the request, and that all that
//! is wrong with it looks alike. It relies on `CustomerToken::parse` to accept the one form only.

use std::sync::Arc;

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use tresor_proto::CustomerToken;

/// Its name.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("tresor-customer-token");

/// The customer token a request showed, when it is one.
#[derive(Clone)]
pub(crate) struct Shown(pub(crate) Arc<CustomerToken>);

/// Takes the header out of the request.
pub(crate) async fn take(mut request: Request, next: Next) -> Response {
    if let Some(shown) = remove(request.headers_mut()) {
        request.extensions_mut().insert(shown);
    }
    next.run(request).await
}

/// Removes the header, every time it occurs. Two of them are none.
fn remove(headers: &mut HeaderMap) -> Option<Shown> {
    let values: Vec<HeaderValue> = match headers.entry(HEADER) {
        http::header::Entry::Occupied(entry) => entry.remove_entry_mult().1.collect(),
        http::header::Entry::Vacant(_) => return None,
    };
    let [mut value] = <[HeaderValue; 1]>::try_from(values).ok()?;
    value.set_sensitive(true);
    let customer_token = CustomerToken::parse(value.to_str().ok()?)?;
    Some(Shown(Arc::new(customer_token)))
}

#[cfg(test)]
mod tests {
    use tresor_proto::{CustomerTokenId, CustomerTokenKind, Secret};

    use super::*;

    fn text() -> String {
        let secret = Secret::try_fill::<()>(|bytes| {
            bytes.fill(7);
            Ok(())
        });
        let id = CustomerTokenId::from_bytes([1; 12]);
        let kind = CustomerTokenKind::ReadWrite;
        let customer_token = CustomerToken::new(kind, id, secret.unwrap());
        customer_token.expose_text().to_string()
    }

    fn removed(values: &[&str]) -> Option<Shown> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        let shown = remove(&mut headers);
        assert!(headers.is_empty());
        shown
    }

    #[test]
    fn a_customer_token_is_taken_out_of_the_headers() {
        let shown = removed(&[&text()]).unwrap();
        assert_eq!(shown.0.expose_secret(), &[7; 32]);
    }

    #[test]
    fn anything_but_exactly_one_well_formed_is_none() {
        assert!(removed(&[]).is_none());
        assert!(removed(&[""]).is_none());
        assert!(removed(&[&text()[1..]]).is_none());
        assert!(removed(&[&text(), &text()]).is_none());
        assert!(removed(&[&format!(" {}x", text())]).is_none());
    }
}
