//! Whom a proxy that speaks HTTP says it asks for: `X-Forwarded-For`, read from the right.
//!
//! It promises that the header counts only when the connection comes from a proxy of the
//! configuration, and that no more of it is believed than proxies have written: the address is the
//! rightmost that is not itself a proxy's.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use tresor_proto::{AddressList, RefusalReason};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request came from. A proxy that does not say, or says what is no address, is refused:
/// its own address is not the client's.
pub(crate) fn source(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &AddressList,
) -> Result<IpAddr, RefusalReason> {
    let peer = peer.to_canonical();
    if !proxies.allows(peer) {
        return Ok(peer);
    }
    let values = headers.get_all(X_FORWARDED_FOR).into_iter().collect::<Vec<_>>();
    for value in values.into_iter().rev() {
        let entries = value.to_str().map_err(|_| RefusalReason::ForwardedHeaderInvalid)?;
        for entry in entries.rsplit(',') {
            let address = address(entry.trim()).ok_or(RefusalReason::ForwardedHeaderInvalid)?;
            if !proxies.allows(address) {
                return Ok(address);
            }
        }
    }
    Err(RefusalReason::ForwardedHeaderInvalid)
}

/// An address, with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().ok();
    let address =
        address.or_else(|| entry.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(peer: &str, values: &[&str]) -> Option<String> {
        let proxies = AddressList::parse(&["10.0.0.0/24", "2001:db8:1::/64"]).unwrap();
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let source = source(peer.parse().unwrap(), &headers, &proxies);
        source.map(|source| source.to_string()).ok()
    }

    #[test]
    fn the_header_of_anybody_else_is_not_read() {
        for values in [&[][..], &["192.0.2.7"], &["nonsense"]] {
            assert_eq!(asked("198.51.100.1", values).as_deref(), Some("198.51.100.1"));
        }
    }

    #[test]
    fn behind_a_proxy_it_is_read_from_the_right_up_to_the_first_that_is_no_proxy() {
        for (values, source) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            // What the client wrote itself stands to the left.
            (&["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
            (&["127.0.0.1", "192.0.2.7, 10.0.0.9"], "192.0.2.7"),
            (&["spoofed, 192.0.2.7:443 , [2001:db8:1::1]"], "192.0.2.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]:443"], "2001:db8::7"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
        ] {
            assert_eq!(asked("10.0.0.5", values).as_deref(), Some(source), "{values:?}");
            assert_eq!(asked("::ffff:10.0.0.5", values).as_deref(), Some(source), "{values:?}");
        }
    }

    #[test]
    fn a_proxy_that_names_nobody_is_refused() {
        for values in [&[][..], &[""], &["10.0.0.9"], &["192.0.2.7, unknown"], &["192.0.2.7,"]] {
            assert_eq!(asked("10.0.0.5", values), None, "{values:?}");
        }
    }
}
