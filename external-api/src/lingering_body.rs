//! A request body that is read to its end even when nobody wants the rest.
//!
//! It promises that a client which is refused while it still sends gets to read why: HTTP/1.1
//! would close the connection under it, HTTP/2 reset the stream. It gives up after ten seconds or
//! 64 MiB, and relies on the caller to drop the body when it wants no more.

use core::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body::{Body as _, Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

const LINGER: Duration = Duration::from_secs(10);
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Makes the body of `request` linger.
pub(crate) fn linger(request: Request) -> Request {
    request.map(|body| Body::new(LingeringBody(body)))
}

struct LingeringBody(Body);

impl http_body::Body for LingeringBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.0).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = Body::empty();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for LingeringBody {
    fn drop(&mut self) {
        let body = core::mem::take(&mut self.0);
        if body.is_end_stream() {
            return;
        }
        // Without a runtime the process is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(LINGER, discard(body)));
        }
    }
}

async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut discarded = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        discarded += chunk.len();
        if discarded > DISCARDED_BYTES_MAX {
            break;
        }
    }
}
