//! Sessions of users: a password is checked once, by the vault, and then for a while no more.
//!
//! It promises to remember no password, only a keyed digest of certificate, network, user and
//! password, and for each the session the vault gave, until a minute before it ends; a session is
//! never used for another certificate or from another network, and tells no guesser anything.
//! It relies on the vault to check each session anew at each call.

use std::{net::IpAddr, sync::Arc, time::Instant};

use quick_cache::sync::Cache;
use ring::{hmac, rand::SystemRandom};
use rustls_pki_types::UnixTime;
use tresor_door::DoorError;
use tresor_proto::{
    ErrorCode, Failure, Password, RefusalReason,
    vault::{ChangePasswordRequest, IntrospectRequest, LoginRequest},
};
use zeroize::Zeroizing;

use crate::{
    credentials::Credentials,
    guesses::{Guesser, Guesses},
    vault::{Vault, malformed},
    visitor::Visitor,
};

const SESSIONS_MAX: usize = 4_096;
/// Seconds before its end from which a session is not used any more, so that none ends on its way.
const MARGIN_SECONDS: u64 = 60;

/// A keyed digest of what was shown: no password can be found from it.
type Shown = [u8; 32];

/// The sessions in use.
pub(crate) struct Sessions {
    vault: Vault,
    /// Made at random for this process, and never told.
    key: hmac::Key,
    cache: Cache<Shown, Session>,
    guesses: Guesses,
}

/// What stands for a user's password for a while. A secret.
#[derive(Clone)]
pub(crate) struct Session {
    text: Arc<Zeroizing<String>>,
    expires: u64,
}

impl Sessions {
    /// None yet; the vault gives them.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn new(vault: Vault) -> Result<Self, DoorError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| DoorError::Randomness)?;
        Ok(Self { vault, key, cache: Cache::new(SESSIONS_MAX), guesses: Guesses::default() })
    }

    /// A session of a visitor's user. Requests that come at once with the same password wait for
    /// the one that has it checked.
    ///
    /// # Errors
    /// What the vault refuses with: `unauthenticated`, or that passwords wait to be checked. Whoever
    /// guessed has to wait, as the vault told, before it is looked whether there is a session.
    pub(crate) async fn open(
        &self,
        visitor: &Visitor,
        credentials: &Credentials,
    ) -> Result<Session, Failure> {
        let guesser = (visitor.tenant(), credentials.user.clone(), visitor.subscriber());
        self.guesses.pass(&guesser, Instant::now())?;
        let shown = self.digest(visitor, credentials.user.as_str(), &credentials.password);
        self.cache.remove_if(&shown, Session::is_over);
        self.cache.get_or_insert_async(&shown, self.log_in(visitor, credentials, &guesser)).await
    }

    /// Forgets the session of a visitor's user if the vault takes it no more: roles were changed,
    /// or the password. Tells whether another try with a new one makes sense.
    pub(crate) async fn forget_ended(
        &self,
        visitor: &Visitor,
        credentials: &Credentials,
        session: &Session,
    ) -> bool {
        let context = Some(visitor.context(Some(session)));
        match self.vault.introspect(IntrospectRequest { context }).await {
            Err(failure) if failure.code() == ErrorCode::Unauthenticated => {
                let shown = self.digest(visitor, credentials.user.as_str(), &credentials.password);
                self.cache.remove_if(&shown, |remembered| remembered.is(session));
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Changes the password of a visitor's user.
    ///
    /// # Errors
    /// What the vault refuses with.
    pub(crate) async fn change_password(
        &self,
        visitor: &Visitor,
        credentials: &Credentials,
        new_password: &Password,
    ) -> Result<(), Failure> {
        let changed = self.vault.change_password(ChangePasswordRequest {
            context: Some(visitor.context(None)),
            user: credentials.user.as_str().to_owned(),
            password: credentials.password.expose_secret().to_owned(),
            new_password: new_password.expose_secret().to_owned(),
        });
        let changed = changed.await?;
        let session = Session::new(changed.session, changed.expires)?;
        let user = credentials.user.as_str();
        self.cache.remove(&self.digest(visitor, user, &credentials.password));
        self.cache.insert(self.digest(visitor, user, new_password), session);
        Ok(())
    }

    async fn log_in(
        &self,
        visitor: &Visitor,
        credentials: &Credentials,
        guesser: &Guesser,
    ) -> Result<Session, Failure> {
        self.guesses.begin(guesser, Instant::now())?;
        let request = LoginRequest {
            context: Some(visitor.context(None)),
            user: credentials.user.as_str().to_owned(),
            password: credentials.password.expose_secret().to_owned(),
        };
        let answer = self.vault.log_in(request).await;
        self.guesses.end(guesser, &answer, Instant::now());
        let answer = answer?;
        if answer.password_change_due {
            return Err(RefusalReason::PasswordChangeDue.into());
        }
        Session::new(answer.session, answer.expires)
    }

    fn digest(&self, visitor: &Visitor, user: &str, password: &Password) -> Shown {
        let mut digest = hmac::Context::with_key(&self.key);
        let network = network_bytes(visitor.subscriber());
        let password = password.expose_secret().as_bytes();
        for part in [visitor.certificate_digest(), &network, user.as_bytes(), password] {
            // Each behind its length, so that no two passwords with their users are one text.
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut shown = [0; 32];
        shown.copy_from_slice(digest.sign().as_ref());
        shown
    }
}

fn network_bytes(subscriber: IpAddr) -> [u8; 16] {
    match subscriber {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

impl Session {
    fn new(text: String, expires: Option<prost_types::Timestamp>) -> Result<Self, Failure> {
        let text = Zeroizing::new(text);
        let expires = expires.and_then(|time| u64::try_from(time.seconds).ok());
        match expires {
            Some(expires) if !text.is_empty() => Ok(Self { text: Arc::new(text), expires }),
            Some(_) | None => Err(malformed()),
        }
    }

    /// As the vault takes it.
    pub(crate) fn expose_text(&self) -> &str {
        &self.text
    }

    fn is_over(&self) -> bool {
        UnixTime::now().as_secs() + MARGIN_SECONDS >= self.expires
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text)
    }
}
