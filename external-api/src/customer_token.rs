//! The header that carries the customer token.
//!
//! It promises that the header is gone before any other part sees the request, and that all that
//! is wrong with it looks alike. It relies on `CustomerToken::parse` to accept the one form only.

use std::sync::Arc;

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName};
use tresor_proto::{CustomerToken, RefusalReason};

use crate::secret_header::{self, Taken};

/// Its name.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("tresor-customer-token");

/// What a request showed: a customer token, or something that is none.
#[derive(Clone)]
pub(crate) struct Shown(Option<Arc<CustomerToken>>);

impl Shown {
    /// The customer token.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn customer_token(self) -> Result<Arc<CustomerToken>, RefusalReason> {
        self.0.ok_or(RefusalReason::CustomerTokenMalformed)
    }
}

/// Takes the header out of the request.
pub(crate) async fn take(mut request: Request, next: Next) -> Response {
    if let Some(shown) = remove(request.headers_mut()) {
        request.extensions_mut().insert(shown);
    }
    next.run(request).await
}

/// Removes the header, every time it occurs. Two of them show none.
fn remove(headers: &mut HeaderMap) -> Option<Shown> {
    match secret_header::take(headers, HEADER) {
        Taken::Nothing => None,
        Taken::Once(value) => {
            let customer_token = value.to_str().ok().and_then(CustomerToken::parse);
            Some(Shown(customer_token.map(Arc::new)))
        }
        Taken::Often => Some(Shown(None)),
    }
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
        let customer_token = removed(&[&text()]).unwrap().customer_token().unwrap();
        assert_eq!(customer_token.expose_secret(), &[7; 32]);
    }

    #[test]
    fn anything_but_exactly_one_well_formed_is_none() {
        assert!(removed(&[]).is_none());
        let wrong: &[&[&str]] =
            &[&[""], &[&text()[1..]], &[&text(), &text()], &[&format!(" {}x", text())]];
        for values in wrong {
            let refused = removed(values).unwrap().customer_token();
            assert_eq!(refused.err(), Some(RefusalReason::CustomerTokenMalformed));
        }
    }
}
