//! A door's life: binding, reloading, ending.

use std::fs;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::HandshakeKind;
use rustls::client::Resumption;

use super::*;

#[tokio::test]
async fn a_reload_serves_the_new_certificate_and_broken_files_change_nothing() {
    let door = open(options()).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    let shown = async || {
        let stream = door.connect(config.clone()).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let old = shown().await;
    door.house.issue("edge", &Wish::service());
    assert_eq!(shown().await, old);
    door.reload.reload().unwrap();
    let new = shown().await;
    assert_ne!(new, old);

    let key = fs::read(&door.files.private_key).unwrap();
    let broken = [
        (b"nothing".to_vec(), "file_without_key"),
        (fs::read(door.house.path("peer.key")).unwrap(), "key_mismatch"),
    ];
    for (bytes, reason) in broken {
        fs::write(&door.files.private_key, bytes).unwrap();
        assert_eq!(door.reload.reload().unwrap_err().reason(), reason);
        assert_eq!(shown().await, new);
    }
    fs::write(&door.files.private_key, key).unwrap();
    set_mode(&door.files.private_key, 0o640);
    assert_eq!(door.reload.reload().unwrap_err().reason(), "file_exposed");
    assert_eq!(shown().await, new);
}

#[tokio::test]
async fn a_reload_of_the_authorities_turns_old_peers_away() {
    let door = open(options()).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    assert_eq!(door.greeting(config.clone()).await.unwrap(), CLIENT);
    let other = House::new();
    fs::copy(other.path("ca.pem"), &door.files.authorities).unwrap();
    door.reload.reload().unwrap();
    assert!(door.greeting(config).await.is_err());
    door.wait_for_refusal("certificate_foreign").await;
}

#[tokio::test]
async fn no_session_is_resumed_so_that_every_certificate_is_checked() {
    let door = open(options()).await;
    let mut config = door.config(&Wish::client(&[CLIENT]));
    config.resumption = Resumption::in_memory_sessions(8);
    for _ in 0..2 {
        let mut stream = door.connect(config.clone()).await.unwrap();
        read_greeting(&mut stream).await.unwrap();
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn shutdown_ends_the_accepting_and_keeps_what_came_in() {
    let door = open(options()).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    let mut stream = door.connect(config).await.unwrap();
    read_greeting(&mut stream).await.unwrap();
    door.shutdown.trigger();
    timeout(LONG, door.server).await.unwrap().unwrap();
    stream.write_u8(7).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 7);
    assert!(TcpStream::connect(door.address).await.is_err());
}

#[tokio::test]
async fn a_taken_address_and_an_exposed_key_are_refused() {
    let door = open(options()).await;
    let taken = Listener::bind(door.address, &door.files, door.house.authority(), &["h2"]).await;
    assert_eq!(taken.unwrap_err().reason(), "listen");
    set_mode(&door.files.private_key, 0o644);
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exposed = Listener::bind(any_port, &door.files, door.house.authority(), &["h2"]).await;
    assert_eq!(exposed.unwrap_err().reason(), "file_exposed");
}

#[tokio::test]
async fn a_connection_carries_http_1_through_hyper() {
    let house = House::new();
    let files = house.issue("edge", &Wish::service());
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let alpn = ["h2", "http/1.1"];
    let listener = Listener::bind(any_port, &files, house.authority(), &alpn).await.unwrap();
    let address = listener.local_addr();
    let mut incoming = listener.into_incoming(Shutdown::new());
    tokio::spawn(async move {
        let connection = incoming.next().await.unwrap().unwrap();
        answer_with_the_name(connection).await;
    });

    let config = crate::client_config(&files, &["http/1.1"]).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with(SERVICE), "{answer}");
}

async fn answer_with_the_name(connection: Connection) {
    let name = connection.peer().name.to_uri(&trust_domain());
    let service = hyper::service::service_fn(move |_| {
        let name = name.clone();
        async move { Ok::<_, core::convert::Infallible>(http::Response::new(name)) }
    });
    auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(connection), service)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_peer_that_is_revoked_is_cut_off_without_a_restart_and_others_are_not() {
    let house = House::new();
    let (kept, lost) = (Wish::client(&[CLIENT]), house.issue("lost", &Wish::client(&[CLIENT])));
    let revocation_lists = vec![house.revoke(&[])];
    let files = TrustFiles { revocation_lists, ..TrustFiles::new(house.path("ca.pem")) };
    let authority = house.authority_with(files);
    let door = open_with(house, authority, options()).await;
    let lost_config = crate::client_config(&lost, &["h2"]).unwrap();
    let mut kept_stream = door.connect(door.config(&kept)).await.unwrap();
    read_greeting(&mut kept_stream).await.unwrap();
    let mut lost_stream = door.connect(lost_config.clone()).await.unwrap();
    read_greeting(&mut lost_stream).await.unwrap();

    door.house.revoke(&[&lost]);
    // It only listens; what it waits for is that the door hangs up.
    let read = timeout(LONG, lost_stream.read_u8()).await.unwrap();
    assert!(read.is_err());
    door.wait_for_refusal("certificate_revoked").await;
    assert!(door.greeting(lost_config).await.is_err());
    kept_stream.write_u8(7).await.unwrap();
    assert_eq!(kept_stream.read_u8().await.unwrap(), 7);
}

#[tokio::test]
async fn what_is_revoked_counts_though_our_own_files_are_broken() {
    let door = open(options()).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    let other = House::new();
    fs::copy(other.path("ca.pem"), &door.files.authorities).unwrap();
    fs::write(&door.files.private_key, "nothing").unwrap();
    assert_eq!(door.reload.reload().unwrap_err().reason(), "file_without_key");
    assert!(door.greeting(config).await.is_err());
    door.wait_for_refusal("certificate_foreign").await;
}
