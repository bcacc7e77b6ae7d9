use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::{Failure, limits::ALLOWED_ADDRESSES_MAX};

/// The bits before the IPv4 address in one that is mapped into IPv6.
const MAPPED_BITS: u8 = 96;

/// The source addresses a tenant's clients may come from. An empty list refuses all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<IpNet>);

impl AddressList {
    /// Parses entries in CIDR notation; a bare address stands for itself alone. A network of IPv4
    /// addresses mapped into IPv6 is that of the IPv4 addresses; one wider than that (`::/0`) is of
    /// IPv6 alone. What is said twice counts once.
    ///
    /// # Errors
    /// `invalid_request` for an entry that is neither, for bits set beyond a prefix (`1.2.3.4/8`
    /// may have meant one address or sixteen million), or for more than 64.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, Failure> {
        if entries.len() > ALLOWED_ADDRESSES_MAX {
            return Err(Failure::invalid("allowed_addresses", "more than 64 entries"));
        }
        let mut nets = Vec::new();
        for entry in entries {
            let net = parse_entry(entry.as_ref())?;
            if !nets.contains(&net) {
                nets.push(net);
            }
        }
        Ok(Self(nets))
    }

    /// The list with entries more and without others; what is both added and removed is added.
    ///
    /// # Errors
    /// `invalid_request` when an entry to be removed is not on the list, when none is left, or when
    /// there would be more than 64.
    pub fn changed(&self, added: &Self, removed: &Self) -> Result<Self, Failure> {
        let invalid = |field, description| Err(Failure::invalid(field, description));
        if removed.0.iter().any(|net| !self.0.contains(net)) {
            return invalid("removed_addresses", "an entry is not on the list");
        }
        let kept = self.0.iter().filter(|net| !removed.0.contains(net) && !added.0.contains(net));
        let nets: Vec<_> = kept.chain(&added.0).copied().collect();
        match nets.len() {
            0 => invalid("removed_addresses", "no entry would be left; suspend the tenant instead"),
            1..=ALLOWED_ADDRESSES_MAX => Ok(Self(nets)),
            _ => invalid("added_addresses", "more than 64 entries"),
        }
    }

    /// Whether `address` is on the list. IPv4 addresses mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in CIDR notation.
    #[must_use]
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn parse_entry(entry: &str) -> Result<IpNet, Failure> {
    let invalid = |description| Failure::invalid("allowed_addresses", description);
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let net = entry.parse::<IpNet>();
    let net = net.map_err(|_| invalid("an entry is not an address or CIDR"))?;
    if net != net.trunc() {
        return Err(invalid("an entry has host bits set beyond its prefix"));
    }
    Ok(canonical(net))
}

/// The network as addresses are compared: of IPv4, where all of it are mapped addresses.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(mapped) = net else { return net };
    let bits = mapped.prefix_len().checked_sub(MAPPED_BITS);
    let meant = mapped.addr().to_ipv4_mapped().zip(bits);
    meant.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok()).map_or(net, IpNet::V4)
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
    fn a_network_of_mapped_addresses_is_one_of_ipv4() {
        let cases = [
            ("::ffff:127.0.0.1/128", "127.0.0.1/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ];
        for (mapped, meant) in cases {
            let list = AddressList::parse(&[mapped, meant]).unwrap();
            assert_eq!(list.to_texts(), [meant], "{mapped}");
            assert!(list.allows(ip(meant.split('/').next().unwrap())), "{mapped}");
        }
    }

    #[test]
    fn a_network_wider_than_all_mapped_addresses_holds_ipv6_alone() {
        let list = AddressList::parse(&["::/80", "::/0"]).unwrap();
        assert_eq!(list.to_texts(), ["::/80", "::/0"]);
        assert!(list.allows(ip("2001:db8::1")) && !list.allows(ip("192.0.2.7")));
    }

    #[test]
    fn entries_are_added_and_removed_one_by_one() {
        let list = |entries: &[&str]| AddressList::parse(entries).unwrap();
        let (none, before) = (list(&[]), list(&["192.0.2.0/24", "2001:db8::/48"]));
        let after = before.changed(&list(&["198.51.100.7"]), &list(&["192.0.2.0/24"])).unwrap();
        assert_eq!(after, list(&["2001:db8::/48", "198.51.100.7/32"]));
        assert_eq!(before.changed(&list(&["2001:db8::/48"]), &none).unwrap(), before);
        let refused = |added: &AddressList, removed: &AddressList| {
            before.changed(added, removed).unwrap_err().violations()[0].field.clone()
        };
        assert_eq!(refused(&none, &list(&["192.0.2.7"])), "removed_addresses");
        assert_eq!(refused(&none, &before), "removed_addresses");
        let many: Vec<_> = (0..63).map(|last| format!("10.0.0.{last}")).collect();
        assert_eq!(refused(&AddressList::parse(&many).unwrap(), &none), "added_addresses");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(AddressList::parse(&["192.0.2.0/33"]).is_err());
        assert!(AddressList::parse(&["example.org"]).is_err());
    }

    #[test]
    fn an_entry_never_means_more_than_it_says() {
        for entry in ["1.2.3.4/8", "192.0.2.1/31", "2001:db8::1/48"] {
            let refusal = AddressList::parse(&[entry]).unwrap_err();
            let description = "an entry has host bits set beyond its prefix";
            assert_eq!(refusal.violations()[0].description, description, "{entry}");
        }
        let exact = ["1.0.0.0/8", "1.2.3.4/32", "2001:db8::/48"];
        assert_eq!(AddressList::parse(&exact).unwrap().to_texts(), exact);
    }
}
