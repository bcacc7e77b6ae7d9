//! The header a proxy sends before everything else, so that the client's own address is known
//! (PROXY protocol version 2, <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>).
//!
//! It promises that an address is taken from nobody but a proxy of the configuration, and that with
//! proxies configured nobody else gets in. It reads not one byte more than the header.

use std::net::SocketAddr;

use ppp::v2::{Addresses, Command, Header, PROTOCOL_PREFIX, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tresor_proto::AddressList;

/// Bytes of the header's fixed part: signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// Bytes behind it at most: the addresses, and what a proxy may add to them.
const REST_BYTES_MAX: usize = 2_048;

/// Reads the header, and gives the address it says the connection came from. The peer must be one
/// of the proxies.
pub(super) async fn read_source(
    stream: &mut (impl AsyncRead + Unpin),
    peer: SocketAddr,
    proxies: &AddressList,
) -> Result<SocketAddr, &'static str> {
    if !proxies.allows(peer.ip()) {
        return Err("proxy_untrusted");
    }
    let header = read_header(stream).await?;
    let header = Header::try_from(header.as_slice()).map_err(|_| "proxy_header")?;
    // An address of anything but a TCP connection is not this connection's.
    if header.command == Command::Proxy && header.protocol != Protocol::Stream {
        return Err("proxy_header");
    }
    match (header.command, header.addresses) {
        // The proxy itself, asking whether we are there.
        (Command::Local, _) => Ok(peer),
        (Command::Proxy, Addresses::IPv4(from)) => {
            Ok(SocketAddr::from((from.source_address, from.source_port)))
        }
        (Command::Proxy, Addresses::IPv6(from)) => {
            Ok(SocketAddr::from((from.source_address, from.source_port)))
        }
        (Command::Proxy, Addresses::Unix(_) | Addresses::Unspecified) => Err("proxy_header"),
    }
}

async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, &'static str> {
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await.map_err(|_| "proxy_header")?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if !header.starts_with(PROTOCOL_PREFIX) || rest > REST_BYTES_MAX {
        return Err("proxy_header");
    }
    header.resize(FIXED_BYTES + rest, 0);
    let read = stream.read_exact(&mut header[FIXED_BYTES..]).await;
    read.map_err(|_| "proxy_header").map(|_| header)
}

#[cfg(test)]
mod tests {
    use ppp::v2::{Builder, Version};

    use super::*;

    const PROXY: &str = "10.0.0.1:4444";

    fn proxies() -> AddressList {
        AddressList::parse(&["10.0.0.0/24"]).unwrap()
    }

    fn header(command: Command, addresses: impl Into<Addresses>) -> Vec<u8> {
        let builder =
            Builder::with_addresses(Version::Two | command, Protocol::Stream, addresses.into());
        builder.build().unwrap()
    }

    fn from_to(from: &str, to: &str) -> Vec<u8> {
        let [from, to] = [from, to].map(|text| text.parse::<SocketAddr>().unwrap());
        header(Command::Proxy, (from, to))
    }

    async fn read(mut bytes: &[u8], peer: &str) -> (Result<String, &'static str>, usize) {
        let source = read_source(&mut bytes, peer.parse().unwrap(), &proxies()).await;
        (source.map(|source| source.to_string()), bytes.len())
    }

    #[tokio::test]
    async fn the_address_is_the_header_s_and_what_follows_is_left_alone() {
        for (from, to) in
            [("192.0.2.7:555", "192.0.2.1:8443"), ("[2001:db8::7]:555", "[2001:db8::1]:8443")]
        {
            let bytes = [from_to(from, to), b"hello".to_vec()].concat();
            assert_eq!(read(&bytes, PROXY).await, (Ok(from.to_owned()), 5));
        }
        let local = header(Command::Local, Addresses::Unspecified);
        assert_eq!(read(&local, PROXY).await, (Ok(PROXY.to_owned()), 0));
    }

    #[tokio::test]
    async fn a_stranger_is_refused_before_a_byte_is_read() {
        let bytes = from_to("192.0.2.7:555", "192.0.2.1:8443");
        let refused = (Err("proxy_untrusted"), bytes.len());
        assert_eq!(read(&bytes, "10.0.1.1:4444").await, refused);
        assert_eq!(read(&bytes, "[2001:db8::7]:4444").await, refused);
    }

    #[tokio::test]
    async fn what_is_no_header_or_names_no_address_is_refused() {
        let whole = from_to("192.0.2.7:555", "192.0.2.1:8443");
        let mut cases: Vec<_> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
        cases.push(b"PROXY TCP4 192.0.2.7 192.0.2.1 555 8443\r\n".to_vec());
        cases.push(vec![0x16, 0x03, 0x01, 0x02, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0, 0]);
        cases.push(header(Command::Proxy, Addresses::Unspecified));
        for family in [0x10, 0x12] {
            let mut not_tcp = whole.clone();
            not_tcp[13] = family;
            cases.push(not_tcp);
        }
        let mut long = whole.clone();
        long[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        long.resize(FIXED_BYTES + usize::from(u16::MAX), 0);
        cases.push(long);
        for bytes in cases {
            assert_eq!(read(&bytes, PROXY).await.0, Err("proxy_header"), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_flipped_bit_never_panics() {
        let whole = from_to("192.0.2.7:555", "192.0.2.1:8443");
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let _ = read(&bytes, PROXY).await;
        }
    }
}
