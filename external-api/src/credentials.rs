//! The header that carries a user's name and password: HTTP Basic (RFC 7617).
//!
//! It promises that the header is gone before any other part sees the request, and that all that is
//! wrong with it looks alike. It relies on `headers` to decode it, and on the types of a name and a
//! password to accept what these may be.

use std::sync::Arc;

use axum::{extract::Request, middleware::Next, response::Response};
use headers::{Authorization, Header as _, authorization::Basic};
use http::{HeaderMap, HeaderValue, header};
use tresor_proto::{Password, RefusalReason, UserName};

use crate::secret_header::{self, Taken};

/// How a client is asked for them.
pub(crate) const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"tresor\", charset=\"UTF-8\"");

/// A user, and the password that was shown for it.
pub(crate) struct Credentials {
    pub(crate) user: UserName,
    pub(crate) password: Password,
}

/// What a request showed: a user with a password, or something that is none.
#[derive(Clone)]
pub(crate) struct Shown(Option<Arc<Credentials>>);

impl Shown {
    /// The user with its password.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn credentials(self) -> Result<Arc<Credentials>, RefusalReason> {
        self.0.ok_or(RefusalReason::PasswordMalformed)
    }
}

/// Takes the header out of the request.
pub(crate) async fn take(mut request: Request, next: Next) -> Response {
    if let Some(shown) = remove(request.headers_mut()) {
        request.extensions_mut().insert(shown);
    }
    next.run(request).await
}

/// Removes the header, every time it occurs. Two of them show nobody.
fn remove(headers: &mut HeaderMap) -> Option<Shown> {
    match secret_header::take(headers, header::AUTHORIZATION) {
        Taken::Nothing => None,
        Taken::Once(value) => Some(Shown(read(&value).map(Arc::new))),
        Taken::Often => Some(Shown(None)),
    }
}

fn read(value: &HeaderValue) -> Option<Credentials> {
    let basic = Authorization::<Basic>::decode(&mut [value].into_iter()).ok()?;
    Some(Credentials {
        user: UserName::parse(basic.username())?,
        password: Password::parse(basic.password()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "Basic cGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ==";

    fn removed(values: &[&[u8]]) -> Option<Option<Arc<Credentials>>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let shown = remove(&mut headers);
        assert!(headers.is_empty());
        shown.map(|Shown(credentials)| credentials)
    }

    #[test]
    fn a_user_and_a_password_are_taken_out_of_the_headers() {
        // The scheme is written as one likes (RFC 7235 §2.1), and a password may hold colons.
        for scheme in ["Basic", "basic", "BASIC"] {
            let value = RIGHT.replace("Basic", scheme);
            let shown = removed(&[value.as_bytes()]).unwrap().unwrap();
            assert_eq!(shown.user.as_str(), "planner");
            assert_eq!(shown.password.expose_secret(), "korrekt-pferd-:99");
        }
    }

    #[test]
    fn a_password_beyond_ascii_is_utf_8() {
        let shown = removed(&[b"Basic cGxhbm5lcjpTY2hsw7xzc2Vsd29ydA=="]).unwrap().unwrap();
        assert_eq!(shown.password.expose_secret(), "Schl\u{fc}sselwort");
    }

    #[test]
    fn what_is_no_user_with_a_password_shows_nobody() {
        assert!(removed(&[]).is_none());
        let wrong: &[&[&[u8]]] = &[
            &[b""],
            &[b"Basic"],
            &[b"Basic "],
            &[b"Basic !!!"],
            &[b"Bearer cGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ=="],
            &[b"Basiccc cGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ=="],
            // Without its padding, with a tab, and with what comes behind it.
            &[b"Basic cGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ"],
            &[b"Basic\tcGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ=="],
            &[b"Basic cGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ==, Basic eDp5"],
            &[b"Basic \xff\xfe"],
            // No colon; no name; no password; a name in capitals.
            &[b"Basic cGxhbm5lcg=="],
            &[b"Basic OmtvcnJla3QtcGZlcmQtOTk="],
            &[b"Basic cGxhbm5lcjo="],
            &[b"Basic UGxhbm5lcjprb3JyZWt0LXBmZXJkLTo5OQ=="],
            // Latin-1 instead of UTF-8.
            &[b"Basic cGxhbm5lcjpTY2hs/HNzZWx3b3J0"],
            &[RIGHT.as_bytes(), RIGHT.as_bytes()],
        ];
        for values in wrong {
            assert!(removed(values).unwrap().is_none(), "{values:?}");
        }
        let long = format!("Basic {}", "QUFB".repeat(4_000));
        assert!(removed(&[long.as_bytes()]).unwrap().is_none());
    }
}
