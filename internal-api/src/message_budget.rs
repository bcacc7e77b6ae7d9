//! The bytes of messages that are taken in at once, of all calls of a listener.
//!
//! tonic takes a message's memory as soon as five bytes say how long it is; it promises that these
//! go on to tonic only when as many bytes were taken from a budget, of which no service has more
//! than half, that whoever finds none waits for them, and that nobody holds any by idling or by
//! taking no answer. It relies on tonic to read no further than the message it wants, and on h2 to
//! bound what is sent ahead meanwhile.

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::Request,
};
use futures::{StreamExt as _, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tonic::Status;
use tresor_proto::{
    ErrorCode, Failure, ServiceName,
    limits::{IDLE_TIMEOUT_MS, MESSAGE_BYTES_MAX},
};

/// Bytes of all messages: 32 of the longest.
pub(crate) const BUDGET_BYTES: usize = 32 * MESSAGE_BYTES_MAX;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// The methods whose callers send more than one message; a test holds it against the descriptors.
const OF_MANY_MESSAGES: [&str; 5] = [
    "/tresor.vault.v1.RecordService/Ingest",
    "/tresor.vault.v1.SurrogateService/TokenizeStream",
    "/tresor.vault.v1.SurrogateService/DetokenizeStream",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// All bytes, and each service's half. Services are those of the configuration, so they are few.
pub(crate) struct MessageBudget {
    all: Arc<Semaphore>,
    half: usize,
    of_services: Mutex<HashMap<ServiceName, Arc<Semaphore>>>,
}

/// What a call has taken for its message; given back when the service has done with it, which may
/// be long before the caller takes the answer. A message is decoded into as much memory again.
#[derive(Clone)]
pub(crate) struct Purse {
    all: Arc<Semaphore>,
    theirs: Arc<Semaphore>,
    taken: Arc<Mutex<Option<[OwnedSemaphorePermit; 2]>>>,
    /// Whether another message may follow the first.
    has_many: bool,
}

/// A body on its way to tonic, cut at the ends of messages.
struct Measured {
    frames: BodyDataStream,
    /// Of the last frame, what has not gone on yet.
    rest: Bytes,
    place: Place,
    purse: Purse,
    messages: usize,
}

/// Where in the body the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Within a prefix, behind so many bytes of it.
    Prefix([u8; PREFIX_BYTES], usize),
    /// Within a message that so many bytes are left of.
    Message(usize),
}

/// Between two messages.
const BETWEEN: Place = Place::Prefix([0; PREFIX_BYTES], 0);

impl MessageBudget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(bytes_max));
        Arc::new(Self { all, half: bytes_max / 2, of_services: Mutex::default() })
    }

    /// Has the body of a service's call pass through the budget.
    pub(crate) fn measure(&self, service: &ServiceName, request: Request) -> (Request, Purse) {
        let purse = self.purse(service, OF_MANY_MESSAGES.contains(&request.uri().path()));
        let ours = purse.clone();
        (request.map(|body| Measured::new(body, ours).into_body()), purse)
    }

    /// An empty purse of a service's call, of one message or of many.
    pub(crate) fn purse(&self, service: &ServiceName, has_many: bool) -> Purse {
        // Nothing panics while it is held.
        let mut of_services = self.of_services.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = of_services.entry(service.clone());
        let theirs = theirs.or_insert_with(|| Arc::new(Semaphore::new(self.half)));
        let (all, theirs) = (Arc::clone(&self.all), Arc::clone(theirs));
        Purse { all, theirs, taken: Arc::default(), has_many }
    }

    /// What nobody has taken.
    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.all.available_permits()
    }
}

impl Purse {
    /// The service has answered: a call of one message needs it no more, others are still read.
    pub(crate) fn answered(&self) {
        if !self.has_many {
            self.give_back();
        }
    }

    /// The message taken last is done with.
    pub(crate) fn give_back(&self) {
        self.keep(None);
    }

    /// Waits for the bytes of a message: first in the service's own queue, so that those who want
    /// more than their half are no burden on others.
    pub(crate) async fn take(&self, bytes: usize) -> Result<(), Failure> {
        let bytes = u32::try_from(bytes).map_err(|_| ErrorCode::Internal)?;
        let both = async {
            let theirs = Arc::clone(&self.theirs).acquire_many_owned(bytes).await?;
            Ok([theirs, Arc::clone(&self.all).acquire_many_owned(bytes).await?])
        };
        let both = timeout(Duration::from_millis(IDLE_TIMEOUT_MS), both).await;
        let both: Result<_, tokio::sync::AcquireError> = both.map_err(|_| ErrorCode::Overloaded)?;
        self.keep(Some(both.map_err(|_| ErrorCode::Internal)?));
        Ok(())
    }

    fn keep(&self, taken: Option<[OwnedSemaphorePermit; 2]>) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    }
}

impl Measured {
    fn new(body: Body, purse: Purse) -> Self {
        let (frames, rest) = (body.into_data_stream(), Bytes::new());
        Self { frames, rest, place: BETWEEN, purse, messages: 0 }
    }

    /// Without trailers, which requests of gRPC do not have.
    fn into_body(self) -> Body {
        Body::from_stream(stream::try_unfold(self, async |mut measured| {
            Ok::<_, BoxError>(measured.next().await?.map(|piece| (piece, measured)))
        }))
    }

    /// The next piece, which ends where a message ends; none at the end of the body.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        if self.place == BETWEEN && self.purse.has_many {
            // Who asks for more has done with the message before.
            self.purse.give_back();
        }
        while self.rest.is_empty() {
            match self.frames.next().await {
                Some(frame) => self.rest = frame?,
                None => return Ok(None),
            }
        }
        match self.place {
            Place::Prefix(prefix, seen) => self.prefix(prefix, seen).await.map(Some),
            Place::Message(left) => Ok(Some(self.message(left))),
        }
    }

    /// A piece of a prefix; its end goes on when the bytes it announces were taken.
    async fn prefix(&mut self, mut prefix: [u8; 5], seen: usize) -> Result<Bytes, BoxError> {
        let piece = self.rest.split_to(self.rest.len().min(PREFIX_BYTES - seen));
        let end = seen + piece.len();
        prefix.iter_mut().skip(seen).zip(&piece).for_each(|(to, byte)| *to = *byte);
        if end < PREFIX_BYTES {
            self.place = Place::Prefix(prefix, end);
            return Ok(piece);
        }
        let [_, length @ ..] = prefix;
        self.begin(u32::from_be_bytes(length) as usize).await.map_err(Status::from)?;
        Ok(piece)
    }

    async fn begin(&mut self, bytes: usize) -> Result<(), Failure> {
        self.messages += 1;
        if self.messages > 1 && !self.purse.has_many {
            return Err(Failure::invalid("message", "the method takes one"));
        }
        // One that is empty takes no memory, and one that is too long is refused by tonic.
        if (1..=MESSAGE_BYTES_MAX).contains(&bytes) {
            self.purse.take(bytes).await?;
        }
        self.place = if bytes == 0 { BETWEEN } else { Place::Message(bytes) };
        Ok(())
    }

    fn message(&mut self, left: usize) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(left));
        self.place = match left - piece.len() {
            0 => BETWEEN,
            left => Place::Message(left),
        };
        piece
    }
}

#[cfg(test)]
mod tests;
