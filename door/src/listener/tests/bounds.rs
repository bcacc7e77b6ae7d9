//! Nobody holds the door: time and number are bounded.

use tokio::net::TcpSocket;

use super::*;

/// Another client of the tenant of [`CLIENT`].
const SAME_TENANT: &str =
    "spiffe://tresor.local/tenant/0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1/client/other";

#[tokio::test]
async fn a_stalled_handshake_is_cut() {
    let door = open(ListenerOptions { handshake_timeout: SHORT, ..options() }).await;
    let mut stalled = TcpStream::connect(door.address).await.unwrap();
    stalled.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    let begun = Instant::now();
    let mut byte = [0];
    let read = timeout(LONG, stalled.read(&mut byte)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(begun.elapsed() < LONG);
    door.wait_for_refusal("handshake_timeout").await;
}

#[tokio::test]
async fn stalled_handshakes_take_no_place_of_a_verified_peer() {
    let door = open(ListenerOptions { connections_max: 1, ..options() }).await;
    let _stalled = TcpStream::connect(door.address).await.unwrap();
    let _stalled_too = TcpStream::connect(door.address).await.unwrap();
    let config = door.config(&Wish::client(&[CLIENT]));
    assert_eq!(door.greeting(config).await.unwrap(), CLIENT);
}

/// Connections from other addresses of loopback that never begin their handshake.
async fn stall(door: &Door, addresses: &[[u8; 4]]) -> Vec<TcpStream> {
    let connect = async |address: [u8; 4]| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::from(address), 0).into()).unwrap();
        socket.connect(door.address).await.unwrap()
    };
    futures::future::join_all(addresses.iter().map(|&address| connect(address))).await
}

#[tokio::test]
async fn one_address_stalls_a_quarter_of_the_handshakes_and_the_rest_is_for_others() {
    let door = open(ListenerOptions { handshakes_max: 8, ..options() }).await;
    let _stalled = stall(&door, &[[127, 0, 0, 2]; 16]).await;
    door.wait_for_refusal("handshakes_of_one_max").await;
    let config = door.config(&Wish::client(&[CLIENT]));
    assert_eq!(door.greeting(config).await.unwrap(), CLIENT);
    assert_eq!(door.refusals.counts().get("handshakes_max"), None);
}

#[tokio::test]
async fn stalled_handshakes_from_however_many_addresses_keep_nobody_out() {
    let door = open(ListenerOptions { handshakes_max: 4, ..options() }).await;
    let _stalled = stall(&door, &[2, 3, 4, 5].map(|last| [127, 0, 0, last])).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    assert_eq!(door.greeting(config).await.unwrap(), CLIENT);
    door.wait_for_refusal("handshakes_max").await;
}

#[tokio::test]
async fn a_tenant_takes_a_quarter_of_the_connections_with_however_many_certificates() {
    let door = open(ListenerOptions { connections_max: 8, ..options() }).await;
    let mut theirs = Vec::new();
    for name in [CLIENT, SAME_TENANT] {
        let mut stream = door.connect(door.config(&Wish::client(&[name]))).await.unwrap();
        read_greeting(&mut stream).await.unwrap();
        theirs.push(stream);
    }
    assert!(door.greeting(door.config(&Wish::client(&[CLIENT]))).await.is_err());
    door.wait_for_refusal("connections_of_one_max").await;
    assert_eq!(door.greeting(door.config(&Wish::service())).await.unwrap(), SERVICE);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_until_another_ends() {
    let door = open(ListenerOptions { connections_max: 1, ..options() }).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    let mut first = door.connect(config.clone()).await.unwrap();
    read_greeting(&mut first).await.unwrap();
    assert!(door.greeting(config.clone()).await.is_err());
    door.wait_for_refusal("connections_max").await;
    drop(first);
    let comes_in = async {
        while door.greeting(config.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, comes_in).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_cut_a_busy_one_is_not() {
    let door = open(ListenerOptions { idle_timeout: SHORT, ..options() }).await;
    let config = door.config(&Wish::client(&[CLIENT]));
    let mut stream = door.connect(config).await.unwrap();
    read_greeting(&mut stream).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < 3 * SHORT {
        stream.write_u8(7).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 7);
        tokio::time::sleep(SHORT / 10).await;
    }
    let mut byte = [0];
    let read = timeout(LONG, stream.read(&mut byte)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn listening_to_a_long_answer_is_not_idleness() {
    let house = House::new();
    let files = house.issue("edge", &Wish::service());
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = ListenerOptions { idle_timeout: SHORT, ..options() };
    let listener = Listener::bind_with(any_port, &files, house.authority(), options).await.unwrap();
    let address = listener.local_addr();
    let mut incoming = listener.into_incoming(Shutdown::new());
    let config = crate::client_config(&files, &["h2"]).unwrap();
    let client = tokio::spawn(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer.len()
    });
    let connection = incoming.next().await.unwrap().unwrap();
    let (mut reader, mut writer) = tokio::io::split(connection);
    let silence = tokio::spawn(async move { reader.read_u8().await.map_err(|e| e.kind()) });
    for _ in 0..20 {
        writer.write_all(b"part").await.unwrap();
        writer.flush().await.unwrap();
        tokio::time::sleep(SHORT / 6).await;
    }
    assert!(!silence.is_finished());
    // Once the answer is over, the same silence is idleness.
    let end = timeout(LONG, silence).await.unwrap().unwrap();
    assert_eq!(end, Err(io::ErrorKind::TimedOut));
    writer.shutdown().await.unwrap();
    assert_eq!(client.await.unwrap(), 80);
}
