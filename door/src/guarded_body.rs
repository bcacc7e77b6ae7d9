//! A response body that carries something until its end: a seat, a line of the log.
//!
//! It promises that what it carries is dropped when the body has been sent, or when the client has
//! gone. It relies on hyper to drop bodies then.

use core::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

/// What travels with a body, and is dropped with it: at its end, or when the caller has gone.
pub trait Guard: Send + Unpin + 'static {
    /// Sees the trailers, where gRPC keeps its status.
    fn see_trailers(&mut self, _trailers: &HeaderMap) {}
}

/// A seat among the requests that run at once.
impl Guard for tokio::sync::OwnedSemaphorePermit {}

/// Lets `guard` travel with the body of `response`.
#[must_use]
pub fn guard(response: Response, guard: impl Guard) -> Response {
    response.map(|body| Body::new(GuardedBody { body, guard }))
}

struct GuardedBody<G> {
    body: Body,
    guard: G,
}

impl<G: Guard> http_body::Body for GuardedBody<G> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
        {
            self.guard.see_trailers(trailers);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
