use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Failure, limits::ALLOWED_ADDRESSES_MAX};

/// The source addresses a tenant's clients may come from. An empty list refuses all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<IpNet>);

impl AddressList {
    /// Parses entries in CIDR notation; a bare address stands for itself alone.
    ///
    /// # Errors
    /// `invalid_request` for an entry that is neither, or for more than 64.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, Failure> {
        if entries.len() > ALLOWED_ADDRESSES_MAX {
            return Err(Failure::invalid("allowed_addresses", "more than 64 entries"));
        }
        entries.iter().map(|entry| parse_entry(entry.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `address` is on the list. IPv4 addresses mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The entries, in CIDR notation.
    #[must_use]
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn parse_entry(entry: &str) -> Result<IpNet, Failure> {
    let net = entry.parse::<IpNet>().ok();
    let host = || entry.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    let invalid = || Failure::invalid("allowed_addresses", "an entry is not an address or CIDR");
    net.or_else(host).map(|net| net.trunc()).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_empty_list_refuses_all() {
        assert!(!AddressList::default().allows(ip("127.0.0.1")));
    }

    #[test]
    fn mapped_addresses_count_as_ipv4() {
        let list = AddressList::parse(&["192.0.2.0/24", "2001:db8::1"]).unwrap();
        assert!(list.allows(ip("192.0.2.7")));
        assert!(list.allows(ip("::ffff:192.0.2.7")));
        assert!(list.allows(ip("2001:db8::1")));
        assert!(!list.allows(ip("2001:db8::2")));
        assert!(!list.allows(ip("192.0.3.7")));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(AddressList::parse(&["192.0.2.0/33"]).is_err());
        assert!(AddressList::parse(&["example.org"]).is_err());
    }
}
