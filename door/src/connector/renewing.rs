//! A channel that is left for a new one while it is in use.
//!
//! It promises that a connection takes no more calls when it has been in use for a while, and ends
//! with its last one: what its buffers hold, values and customer tokens among it, ends with it. It
//! relies on gRPC to finish the calls of a channel that nobody holds any more.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::{Service, ServiceExt as _};

use super::Route;
use crate::{DoorError, TlsFiles};

/// How long a channel takes calls: as long as an idle connection lasts.
const TAKES_CALLS: Duration = Duration::from_millis(tresor_proto::limits::IDLE_TIMEOUT_MS);

/// A channel like [`super::connect`]'s, whose connection changes. Cheap to clone.
#[derive(Clone)]
pub struct RenewingChannel(Arc<Shared>);

struct Shared {
    route: Route,
    takes_calls: Duration,
    current: Mutex<Option<Channel>>,
}

impl RenewingChannel {
    /// A channel to `https://host:port` that connects at its first use.
    ///
    /// # Errors
    /// When the endpoint is not of that form or one of the files is not as it has to be.
    pub fn new(endpoint: &str, tls: &TlsFiles) -> Result<Self, DoorError> {
        Ok(Self::lasting(Route::new(endpoint, tls)?, TAKES_CALLS))
    }

    pub(super) fn lasting(route: Route, takes_calls: Duration) -> Self {
        Self(Arc::new(Shared { route, takes_calls, current: Mutex::default() }))
    }

    /// The channel that takes calls now.
    fn current(&self) -> Channel {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            tokio::spawn(Self::leave_later(Arc::clone(&self.0)));
            self.0.route.channel()
        };
        current.get_or_insert_with(open).clone()
    }

    async fn leave_later(shared: Arc<Shared>) {
        tokio::time::sleep(shared.takes_calls).await;
        shared.current.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Service<Request<Body>> for RenewingChannel {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.current().oneshot(request))
    }
}

impl core::fmt::Debug for RenewingChannel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RenewingChannel")
    }
}
