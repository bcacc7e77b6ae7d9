//! E-mail addresses, URLs, IP and MAC addresses, UUIDs.
//!
//! It promises the common forms of RFC 5321, RFC 3986 and RFC 4291. It relies on the standard library
//! for IP addresses.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::Rule;

/// Bytes of the longest local part, RFC 5321 §4.5.3.1.1.
const LOCAL_PART_BYTES_MAX: usize = 64;

/// An e-mail address.
pub(crate) fn email(text: &str) -> Option<Rule> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (local, domain) = text.rsplit_once('@')?;
    let is_valid = is_local_part(local) && is_domain(domain);
    is_valid.then_some(Rule::Named("email: local part and domain"))
}

fn is_local_part(local: &str) -> bool {
    let is_sign =
        |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b) || b >= 128;
    let has_dots = local.starts_with('.')
        || local.ends_with('.')
        || local.as_bytes().windows(2).any(|pair| pair == b"..");
    (1..=LOCAL_PART_BYTES_MAX).contains(&local.len()) && !has_dots && local.bytes().all(is_sign)
}

/// Labels with dots between them, the last one with a letter.
fn is_domain(domain: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b >= 128;
    let is_label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && !ends && label.bytes().all(is_sign)
    };
    let Some((_, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let has_top = top.len() >= 2 && top.bytes().any(|b| b.is_ascii_alphabetic() || b >= 128);
    domain.len() <= 253 && has_top && domain.split('.').all(is_label)
}

/// A URL with a scheme, or one that begins with `www.`.
pub(crate) fn url(text: &str) -> Option<Rule> {
    // To look for a few bytes in a row costs more than to look for one.
    if !text.bytes().any(|b| b == b':') && !text.starts_with("www.") {
        return None;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) => is_scheme(scheme).then_some(rest)?,
        None => text.strip_prefix("www.")?,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let is_valid = host.len() >= 3 && !text.bytes().any(|b| b.is_ascii_whitespace());
    is_valid.then_some(Rule::Named("url: scheme and host"))
}

fn is_scheme(scheme: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let first = scheme.bytes().next();
    scheme.len() <= 16
        && first.is_some_and(|b| b.is_ascii_alphabetic())
        && scheme.bytes().all(is_sign)
}

/// An IPv4 or IPv6 address, perhaps with a prefix length or a port.
pub(crate) fn ip(text: &str) -> Option<Rule> {
    let (address, _) = split_number(text, '/').unwrap_or((text, ""));
    let without_port = split_number(address, ':').map_or(address, |(host, _)| host);
    if without_port.parse::<Ipv4Addr>().is_ok() {
        return Some(Rule::Named("ip: IPv4 address"));
    }
    let bare = address.trim_start_matches('[');
    let bare = bare.split([']', '%']).next().unwrap_or(bare);
    let is_valid = bare.contains(':') && bare.parse::<Ipv6Addr>().is_ok();
    is_valid.then_some(Rule::Named("ip: IPv6 address"))
}

/// What stands before and after a sign, when a number of up to five digits stands after it.
fn split_number(text: &str, sign: char) -> Option<(&str, &str)> {
    let (before, number) = text.rsplit_once(sign)?;
    let is_number = (1..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((before, number))
}

/// A MAC address: six pairs with `:` or `-`, or three groups of four with dots.
pub(crate) fn mac(text: &str) -> Option<Rule> {
    let bytes = text.as_bytes();
    let (width, separator) = match (bytes.len(), bytes.get(2), bytes.get(4)) {
        (17, Some(separator @ (b':' | b'-')), _) => (3, *separator),
        (14, _, Some(b'.')) => (5, b'.'),
        _ => return None,
    };
    let is_valid = bytes.iter().enumerate().all(|(index, byte)| {
        if index % width == width - 1 { *byte == separator } else { byte.is_ascii_hexdigit() }
    });
    is_valid.then_some(Rule::Named("mac: six octets"))
}

/// A UUID, RFC 9562 §4: a technical identifier, evidence against personal data.
pub(crate) fn uuid(text: &str) -> bool {
    if text.len() < 36 {
        return false;
    }
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let is_sign = |(index, byte): (usize, u8)| {
        if matches!(index, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    text.len() == 36 && text.bytes().enumerate().all(is_sign)
}

/// The number of a telephone (3GPP TS 23.003): 15 digits, Luhn, a body that gives such numbers.
pub(crate) fn imei(text: &str) -> Option<Rule> {
    let digits = text.as_bytes();
    let has_body = [&b"35"[..], b"86", b"01", b"99"].iter().any(|body| digits.starts_with(body));
    let has_form = digits.len() == 15 && digits.iter().all(u8::is_ascii_digit) && has_body;
    (has_form && tresor_proto::passes_luhn(digits)).then_some(Rule::Named("imei: Luhn ok"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_have_a_local_part_and_a_domain() {
        for text in [
            "a@b.de",
            "zoe56@example.net",
            "van-allemanienoa@example.com",
            "o'neil+x@mail.example.co.uk",
            "jürgen@müller.de",
        ] {
            assert!(email(text).is_some(), "{text}");
        }
        for text in [
            "a@b", "@b.de", "a@", "a b@c.de", "a@b..de", ".a@b.de", "a@-b.de", "a@b.1", "a@@b.de",
            "",
        ] {
            assert!(email(text).is_none(), "{text}");
        }
    }

    #[test]
    fn network_addresses_are_told_from_times_and_versions() {
        for text in [
            "192.168.148.122",
            "10.0.0.1/24",
            "10.0.0.1:8080",
            "e306:f0c4:85f1:84e0:b464:c555:f675:299b",
            "::1",
            "fe80::1%eth0",
            "[::1]:443",
            "2001:db8::/32",
        ] {
            assert!(ip(text).is_some(), "{text}");
        }
        for text in
            ["08:00:00", "1.2.3", "256.1.1.1", "4.2.1", "08:00-10:00", "", ":", "e2:34:db:f0:48:f6"]
        {
            assert!(ip(text).is_none(), "{text}");
        }
    }

    #[test]
    fn mac_addresses_have_six_octets() {
        for text in ["e2:34:db:f0:48:f6", "E2-34-DB-F0-48-F6", "e234.dbf0.48f6"] {
            assert!(mac(text).is_some(), "{text}");
        }
        for text in
            ["e2:34:db:f0:48", "e2:34:db-f0:48:f6", "g2:34:db:f0:48:f6", "e2:34:db:f0:48:f6:"]
        {
            assert!(mac(text).is_none(), "{text}");
        }
    }

    #[test]
    fn telephones_have_a_checked_number() {
        assert!(imei("352099001761481").is_some());
        for text in ["352099001761482", "452099001761481", "35209900176148", ""] {
            assert!(imei(text).is_none(), "{text}");
        }
    }

    #[test]
    fn urls_have_a_host() {
        assert!(url("https://example.com/a?b=c").is_some());
        assert!(url("www.example.com").is_some());
        assert!(url("://x").is_none());
        assert!(url("a b://example.com").is_none());
        assert!(url("https://").is_none());
    }

    #[test]
    fn uuids_are_recognised() {
        assert!(uuid("1f3c42b2-e2cb-4b93-9981-45593a9afa39"));
        assert!(uuid("{1F3C42B2-E2CB-4B93-9981-45593A9AFA39}"));
        assert!(!uuid("1f3c42b2-e2cb-4b93-9981-45593a9afa3"));
        assert!(!uuid("1f3c42b2+e2cb-4b93-9981-45593a9afa39"));
    }
}
