//! Whom an address stands for.

use std::net::{IpAddr, Ipv6Addr};

/// Who is behind an address, however it is written; of IPv6 the network that one subscriber has.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}
