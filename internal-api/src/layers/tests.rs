use axum::{BoxError, Extension, Router, routing::post};
use futures::{StreamExt as _, stream};
use tonic::Code;
use tower::ServiceExt as _;
use tresor_proto::{CertificateName, ServiceName, TrustDomain};

use super::*;
use crate::{directory::ServiceRole, message_budget::BUDGET_BYTES};

// Paths of methods that an edge may call; what is behind them here is the tests'.
const SLOW: &str = "/tresor.vault.v1.RecordService/Put";
const PANICKING: &str = "/tresor.vault.v1.RecordService/Delete";
const QUICK: &str = "/tresor.vault.v1.RecordService/Get";
const READING: &str = "/tresor.vault.v1.RecordService/List";
const STREAMING: &str = "/tresor.vault.v1.RecordService/Ingest";
const DONE: &str = "/tresor.vault.v1.RecordService/Search";
const WITHOUT_RULE: &str = "/tresor.vault.v1.RecordService/Secret";
const OPERATORS: &str = "/tresor.vault.v1.TenantService/ListTenants";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const EDGE: &str = "svc/edge";
const CLIENT: &str = "tenant/0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1/client/planner";

fn layers(seats: usize) -> Layers {
    let grant = |name: &str, role| ServiceGrant { name: ServiceName::parse(name).unwrap(), role };
    let services = [grant("edge", ServiceRole::Edge), grant("operator", ServiceRole::Operator)];
    Layers {
        plane: Plane::Data,
        directory: Arc::new(Directory::new(&services)),
        seats: Shares::new(seats),
        budget: MessageBudget::new(BUDGET_BYTES),
        abort: Shutdown::new(),
        states: watch::Sender::new(LockState::LockedByOperator).subscribe(),
        metrics: Metrics::new(),
    }
}

async fn panicking() -> Response {
    panic!("with a value that must not be repeated")
}

async fn quick() -> Response {
    Status::ok("").into_http()
}

/// Takes its message in and answers, as every call of one message does.
async fn reading(request: Request) -> Response {
    axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    Response::new(Body::from_stream(stream::pending::<Result<String, BoxError>>()))
}

/// Deals with the first message, and asks for the next once its answers are taken.
async fn streaming(Extension(origin): Extension<Origin>, request: Request) -> Response {
    let mut pieces = request.into_body().into_data_stream();
    // What stands before it, and the message.
    for _ in 0..2 {
        pieces.next().await.unwrap().unwrap();
    }
    origin.notes.give_bytes_back();
    Response::new(Body::from_stream(pieces))
}

/// Has done its work before its answer is taken, as a stream that has ended.
async fn done(Extension(origin): Extension<Origin>) -> Response {
    origin.notes.leave_seats();
    Response::new(Body::from_stream(stream::pending::<Result<String, BoxError>>()))
}

fn routes() -> Routes {
    let router = Routes::default().into_axum_router();
    let router: Router = router
        .route(SLOW, post(core::future::pending::<Response>))
        .route(PANICKING, post(panicking))
        .route(QUICK, post(quick))
        .route(READING, post(reading))
        .route(STREAMING, post(streaming))
        .route(DONE, post(done))
        .route(WITHOUT_RULE, post(quick))
        .route(OPERATORS, post(quick))
        .route(HEALTH, post(quick));
    Routes::from(router)
}

fn request(peer: Option<&str>, path: &str) -> http::Request<Body> {
    let mut request = http::Request::post(path).body(Body::empty()).unwrap();
    let domain = TrustDomain::parse("tresor.local").unwrap();
    if let Some(peer) = peer {
        let uri = format!("spiffe://tresor.local/{peer}");
        let peer = Peer {
            name: CertificateName::parse(&uri, &domain).unwrap(),
            certificate_digest: [0; 32],
            leaf_der: Vec::new(),
            chain_der: Vec::new(),
            address: ([127, 0, 0, 1], 1).into(),
        };
        request.extensions_mut().insert(Arc::new(peer));
    }
    request
}

async fn answer(layers: &Layers, request: http::Request<Body>) -> (Code, Failure) {
    let response = surround(routes(), layers).oneshot(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).unwrap();
    (status.code(), Failure::from(&status))
}

async fn code(layers: &Layers, peer: Option<&str>, path: &str) -> Code {
    answer(layers, request(peer, path)).await.0
}

#[tokio::test]
async fn a_known_service_passes() {
    assert_eq!(code(&layers(1), Some(EDGE), QUICK).await, Code::Ok);
}

#[tokio::test]
async fn whoever_is_not_a_service_of_the_configuration_is_refused() {
    for peer in [None, Some("svc/stranger"), Some(CLIENT)] {
        assert_eq!(code(&layers(1), peer, QUICK).await, Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_service_of_the_other_plane_is_refused() {
    let operator = Some("svc/operator");
    assert_eq!(code(&layers(1), operator, QUICK).await, Code::PermissionDenied);
}

#[tokio::test]
async fn a_method_without_a_rule_is_unimplemented_though_something_serves_it() {
    assert_eq!(code(&layers(1), Some(EDGE), "/a.B/C").await, Code::Unimplemented);
    assert_eq!(code(&layers(1), Some(EDGE), WITHOUT_RULE).await, Code::Unimplemented);
}

#[tokio::test]
async fn a_method_of_others_is_refused_though_something_serves_it() {
    assert_eq!(code(&layers(1), Some(EDGE), OPERATORS).await, Code::PermissionDenied);
}

#[tokio::test]
async fn without_a_seat_a_call_is_told_when_to_come_back() {
    let (code, failure) = answer(&layers(0), request(Some(EDGE), QUICK)).await;
    assert_eq!(code, Code::Unavailable);
    assert_eq!(failure.code(), ErrorCode::Overloaded);
    assert!(failure.retry_after().is_some());
}

#[tokio::test]
async fn an_answer_that_nobody_takes_holds_no_bytes_of_its_message() {
    for path in [READING, STREAMING] {
        let layers = layers(1);
        let mut request = request(Some(EDGE), path);
        *request.body_mut() = Body::from([&[0, 0, 0, 0, 8][..], &[b'x'; 8]].concat());
        let untaken = surround(routes(), &layers).oneshot(request).await.unwrap();
        assert_eq!(layers.budget.left(), BUDGET_BYTES, "{path}");
        assert_eq!(code(&layers, Some(EDGE), QUICK).await, Code::Unavailable, "it is under way");
        drop(untaken);
    }
}

#[tokio::test]
async fn a_stream_that_has_ended_holds_no_seat_however_long_its_answer_waits() {
    let layers = layers(1);
    let untaken = surround(routes(), &layers).oneshot(request(Some(EDGE), DONE)).await.unwrap();
    assert_eq!(code(&layers, Some(EDGE), QUICK).await, Code::Ok);
    drop(untaken);
    assert_eq!(code(&layers, Some(EDGE), QUICK).await, Code::Ok);
}

#[tokio::test]
async fn health_needs_no_seat() {
    assert_eq!(code(&layers(0), Some(EDGE), HEALTH).await, Code::Ok);
}

#[tokio::test]
async fn a_panic_is_answered_and_gives_its_seat_back() {
    let layers = layers(1);
    for _ in 0..2 {
        let (code, failure) = answer(&layers, request(Some(EDGE), PANICKING)).await;
        assert_eq!(code, Code::Internal);
        assert_eq!(failure, Failure::from(ErrorCode::Internal));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_ends_with_the_callers_deadline() {
    let mut request = request(Some(EDGE), SLOW);
    request.headers_mut().insert("grpc-timeout", "250m".parse().unwrap());
    let started = tokio::time::Instant::now();
    assert_eq!(answer(&layers(1), request).await.0, Code::DeadlineExceeded);
    assert!(started.elapsed() < Duration::from_millis(250));
}

#[tokio::test]
async fn a_call_whose_deadline_is_over_is_not_begun() {
    let mut request = request(Some(EDGE), QUICK);
    request.headers_mut().insert("grpc-timeout", "1m".parse().unwrap());
    assert_eq!(answer(&layers(1), request).await.0, Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn no_call_takes_longer_than_our_deadline() {
    let mut request = request(Some(EDGE), SLOW);
    request.headers_mut().insert("grpc-timeout", "1H".parse().unwrap());
    let started = tokio::time::Instant::now();
    assert_eq!(answer(&layers(1), request).await.0, Code::DeadlineExceeded);
    let limit = Duration::from_millis(REQUEST_DEADLINE_MS);
    assert!((limit..limit * 2).contains(&started.elapsed()));
}

#[test]
fn what_looks_through_a_whole_database_takes_its_time() {
    let short = Duration::from_millis(REQUEST_DEADLINE_MS);
    assert_eq!(deadline(SLOW), short);
    for path in LONG_CALLS {
        assert!(deadline(path) > short);
        let operator = request(Some("svc/operator"), path);
        let layers = Layers { plane: Plane::Control, ..layers(1) };
        assert!(layers.known(&operator).is_ok(), "{path} is a method");
    }
}

#[tokio::test]
async fn a_call_under_way_ends_when_the_grace_is_over() {
    let layers = layers(1);
    layers.abort.trigger();
    assert_eq!(code(&layers, Some(EDGE), SLOW).await, Code::Unavailable);
}

#[tokio::test]
async fn what_is_no_call_is_refused_as_http_does() {
    for method in [Method::GET, Method::CONNECT] {
        let mut request = request(Some(EDGE), QUICK);
        *request.method_mut() = method;
        let service = surround(routes(), &layers(1));
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
