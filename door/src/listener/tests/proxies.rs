//! Behind a proxy the address is the one it tells, and only a proxy is heard.

use ppp::v2::{Builder, Command, Protocol, Version};
use tresor_proto::AddressList;

use super::*;

const CLIENT_ADDRESS: &str = "192.0.2.7:555";

fn behind(proxies: &str) -> ListenerOptions {
    ListenerOptions { proxies: AddressList::parse(&[proxies]).unwrap(), ..options() }
}

/// A connection that begins with `header`, and what the door says of its address.
async fn told(door: &Door, header: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(door.address).await?;
    stream.write_all(header).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let config = Arc::new(door.config(&Wish::client(&[CLIENT])));
    let mut stream = TlsConnector::from(config).connect(name, stream).await?;
    read_greeting(&mut stream).await?;
    stream.write_all(b"?").await?;
    read_greeting(&mut stream).await
}

fn header() -> Vec<u8> {
    let addresses = (CLIENT_ADDRESS.parse::<SocketAddr>().unwrap(), "192.0.2.1:1".parse().unwrap());
    let builder =
        Builder::with_addresses(Version::Two | Command::Proxy, Protocol::Stream, addresses);
    builder.build().unwrap()
}

#[tokio::test]
async fn behind_a_proxy_the_address_is_the_one_it_tells() {
    let door = open(behind("127.0.0.1")).await;
    assert_eq!(told(&door, &header()).await.unwrap(), CLIENT_ADDRESS);
    assert!(told(&door, b"").await.is_err(), "without a header nobody gets in");
    door.wait_for_refusal("proxy_header").await;
}

#[tokio::test]
async fn a_header_of_somebody_else_is_never_heard() {
    let door = open(behind("10.0.0.0/8")).await;
    assert!(told(&door, &header()).await.is_err());
    door.wait_for_refusal("proxy_untrusted").await;
    let plain = open(options()).await;
    assert!(told(&plain, &header()).await.is_err(), "no proxies, no header");
    assert!(told(&plain, b"").await.unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_header_that_does_not_come_is_waited_for_no_longer_than_a_handshake() {
    let door = open(ListenerOptions { handshake_timeout: SHORT, ..behind("127.0.0.1") }).await;
    let mut stalled = TcpStream::connect(door.address).await.unwrap();
    stalled.write_all(&header()[..10]).await.unwrap();
    door.wait_for_refusal("handshake_timeout").await;
}
