//! The vault as the edge calls it.
//!
//! It promises that every error is a [`Failure`] of the one table. It relies on a channel that
//! connects at its first use, again when it broke, and anew after a while.

use core::{error::Error as _, time::Duration};

use futures::Stream;
use tonic::{Code, Request, Status, Streaming, TimeoutExpired};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tresor_door::RenewingChannel;
use tresor_proto::{
    ErrorCode, Failure,
    limits::{MESSAGE_BYTES_MAX, REQUEST_DEADLINE_MS},
    vault::{
        ChangePasswordRequest, ChangePasswordResponse, Collection, CustomerTokenServiceListRequest,
        CustomerTokenServiceListResponse, DeleteRequest, DeleteResult, DetokenizeRequest,
        DetokenizeResponse, EnrolRequest, EnrolResponse, GetCollectionRequest, GetRequest,
        GetResult, IngestRequest, IngestResponse, IntrospectRequest, IntrospectResponse,
        IssueRequest, IssueResponse, LendRequest, LendResponse, ListRequest, ListResponse,
        LoginRequest, LoginResponse, RenewRequest, RenewResponse, RevokeRequest, RevokeResponse,
        RotateRequest, RotateResponse, SearchRequest, SearchResponse, TokenizeRequest,
        TokenizeResponse, access_service_client::AccessServiceClient,
        collection_service_client::CollectionServiceClient,
        customer_token_service_client::CustomerTokenServiceClient,
        record_service_client::RecordServiceClient,
        surrogate_service_client::SurrogateServiceClient,
    },
};

/// A probe that is not answered by then counts as failed.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
/// What a page of records may be larger than the limit of a message by: its own framing.
const ANSWER_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 64 * 1024;

/// The vault, by its services. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault {
    records: RecordServiceClient<RenewingChannel>,
    surrogates: SurrogateServiceClient<RenewingChannel>,
    collections: CollectionServiceClient<RenewingChannel>,
    customer_tokens: CustomerTokenServiceClient<RenewingChannel>,
    access: AccessServiceClient<RenewingChannel>,
    health: HealthClient<RenewingChannel>,
}

impl Vault {
    /// The vault at the other end of `channel`.
    pub(crate) fn new(channel: RenewingChannel) -> Self {
        let records = RecordServiceClient::new(channel.clone());
        let surrogates = SurrogateServiceClient::new(channel.clone());
        Self {
            records: records.max_decoding_message_size(ANSWER_BYTES_MAX),
            surrogates: surrogates.max_decoding_message_size(ANSWER_BYTES_MAX),
            collections: CollectionServiceClient::new(channel.clone()),
            customer_tokens: CustomerTokenServiceClient::new(channel.clone()),
            access: AccessServiceClient::new(channel.clone()),
            health: HealthClient::new(channel),
        }
    }

    /// Tells what a tenant's clients are measured by.
    pub(crate) async fn introspect(
        &self,
        request: IntrospectRequest,
    ) -> Result<IntrospectResponse, Failure> {
        answered(self.access.clone().introspect(timed(request)).await)
    }

    /// Checks a user's password and gives a session.
    pub(crate) async fn log_in(&self, request: LoginRequest) -> Result<LoginResponse, Failure> {
        answered(self.access.clone().login(timed(request)).await)
    }

    /// Changes a user's password and gives a session.
    pub(crate) async fn change_password(
        &self,
        request: ChangePasswordRequest,
    ) -> Result<ChangePasswordResponse, Failure> {
        answered(self.access.clone().change_password(timed(request)).await)
    }

    /// Gives a collection with its newest policy.
    pub(crate) async fn collection(
        &self,
        request: GetCollectionRequest,
    ) -> Result<Collection, Failure> {
        let mut service = self.collections.clone();
        let answer = answered(service.get_collection(timed(request)).await)?;
        answer.collection.ok_or_else(malformed)
    }

    /// Reads one record.
    pub(crate) async fn get(&self, request: GetRequest) -> Result<GetResult, Failure> {
        let mut service = self.records.clone();
        let answer = answered(service.get(timed(request)).await)?;
        answer.results.into_iter().next().ok_or_else(malformed)
    }

    /// Reads a page of records.
    pub(crate) async fn list(&self, request: ListRequest) -> Result<ListResponse, Failure> {
        answered(self.records.clone().list(timed(request)).await)
    }

    /// Finds a page of records.
    pub(crate) async fn search(&self, request: SearchRequest) -> Result<SearchResponse, Failure> {
        answered(self.records.clone().search(timed(request)).await)
    }

    /// Gives surrogates for values.
    pub(crate) async fn tokenize(
        &self,
        request: TokenizeRequest,
    ) -> Result<TokenizeResponse, Failure> {
        answered(self.surrogates.clone().tokenize(timed(request)).await)
    }

    /// Gives values for surrogates.
    pub(crate) async fn detokenize(
        &self,
        request: DetokenizeRequest,
    ) -> Result<DetokenizeResponse, Failure> {
        answered(self.surrogates.clone().detokenize(timed(request)).await)
    }

    /// Gives surrogates under the newest key for older ones.
    pub(crate) async fn renew_surrogates(
        &self,
        request: RenewRequest,
    ) -> Result<RenewResponse, Failure> {
        answered(self.surrogates.clone().renew(timed(request)).await)
    }

    /// Deletes one record.
    pub(crate) async fn delete(&self, request: DeleteRequest) -> Result<DeleteResult, Failure> {
        let mut service = self.records.clone();
        let answer = answered(service.delete(timed(request)).await)?;
        answer.results.into_iter().next().ok_or_else(malformed)
    }

    /// Enrols a tenant.
    pub(crate) async fn enrol(&self, request: EnrolRequest) -> Result<EnrolResponse, Failure> {
        answered(self.customer_tokens.clone().enrol(timed(request)).await)
    }

    /// Issues a customer token.
    pub(crate) async fn issue_customer_token(
        &self,
        request: IssueRequest,
    ) -> Result<IssueResponse, Failure> {
        answered(self.customer_tokens.clone().issue(timed(request)).await)
    }

    /// Issues a customer token in place of another.
    pub(crate) async fn rotate_customer_token(
        &self,
        request: RotateRequest,
    ) -> Result<RotateResponse, Failure> {
        answered(self.customer_tokens.clone().rotate(timed(request)).await)
    }

    /// Revokes a customer token.
    pub(crate) async fn revoke_customer_token(
        &self,
        request: RevokeRequest,
    ) -> Result<RevokeResponse, Failure> {
        answered(self.customer_tokens.clone().revoke(timed(request)).await)
    }

    /// Lists a tenant's customer tokens.
    pub(crate) async fn list_customer_tokens(
        &self,
        request: CustomerTokenServiceListRequest,
    ) -> Result<CustomerTokenServiceListResponse, Failure> {
        answered(self.customer_tokens.clone().list(timed(request)).await)
    }

    /// Lends a customer token.
    pub(crate) async fn lend_customer_token(
        &self,
        request: LendRequest,
    ) -> Result<LendResponse, Failure> {
        answered(self.customer_tokens.clone().lend(timed(request)).await)
    }

    /// Opens a stream of records.
    pub(crate) async fn ingest(
        &self,
        requests: impl Stream<Item = IngestRequest> + Send + 'static,
    ) -> Result<Streaming<IngestResponse>, Failure> {
        answered(self.records.clone().ingest(requests).await)
    }

    /// Whether the vault can be reached and serves.
    pub(crate) async fn is_serving(&self) -> bool {
        let mut health = self.health.clone();
        let mut request = Request::new(HealthCheckRequest::default());
        request.set_timeout(HEALTH_TIMEOUT);
        let answer = tokio::time::timeout(HEALTH_TIMEOUT, health.check(request)).await;
        let status = answer.ok().and_then(Result::ok);
        status.is_some_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_millis(REQUEST_DEADLINE_MS));
    request
}

fn answered<T>(answer: Result<tonic::Response<T>, Status>) -> Result<T, Failure> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(failure(&status)),
    }
}

/// What a status means. One without a reason of the vault's that was made on this side says that
/// the vault cannot be reached: it stopped, or the connection broke. That passes.
pub(crate) fn failure(status: &Status) -> Failure {
    let is_told = !status.details().is_empty();
    let is_cut = status.source().is_some() || status.code() == Code::Unknown;
    if is_told || !is_cut || is_timeout(status) {
        return Failure::from(status);
    }
    Failure::new(ErrorCode::Overloaded, "the vault cannot be reached")
}

fn is_timeout(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The vault's answer lacks what its contract promises.
pub(crate) fn malformed() -> Failure {
    Failure::from(ErrorCode::Internal)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_vault_that_went_away_is_a_reason_to_come_back() {
        for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof] {
            let broken = Status::from_error(Box::new(io::Error::from(kind)));
            let failure = failure(&broken);
            assert_eq!(failure.code(), ErrorCode::Overloaded);
            assert!(failure.retry_after().is_some());
            assert_eq!(failure.message(), "the vault cannot be reached");
        }
    }

    #[test]
    fn what_the_vault_says_and_a_timeout_keep_their_meaning() {
        for code in ErrorCode::all() {
            assert_eq!(failure(&Status::from(Failure::from(code))).code(), code);
        }
        assert_eq!(failure(&Status::internal("decoding")).code(), ErrorCode::Internal);
        let late = Status::from_error(Box::new(TimeoutExpired(())));
        assert_eq!(failure(&late).code(), ErrorCode::DeadlineExceeded);
    }
}
