//! Pages: how many items, and from where.

use tresor_proto::{
    ErrorCode, Failure,
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};

/// The number of items of a page: the caller's, or 100.
pub(crate) fn size(wire: u32) -> Result<usize, Failure> {
    match usize::try_from(wire).unwrap_or(usize::MAX) {
        0 => Ok(PAGE_ITEMS_DEFAULT),
        items if items <= PAGE_ITEMS_MAX => Ok(items),
        _ => Err(Failure::new(ErrorCode::TooLarge, "a page is over 1000 items")
            .with_violation("page_size", "at most 1000")),
    }
}

/// Where the page begins: after the last key of the page before.
pub(crate) fn after<T>(
    page_token: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Failure> {
    let invalid = || Failure::invalid("page_token", "not from an answer before");
    match page_token {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or_else(invalid),
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::TenantName;

    use super::*;

    #[test]
    fn a_page_has_100_items_unless_asked_and_1000_at_most() {
        assert_eq!(size(0).unwrap(), 100);
        assert_eq!(size(1_000).unwrap(), 1_000);
        assert_eq!(size(1_001).unwrap_err().code(), ErrorCode::TooLarge);
    }

    #[test]
    fn a_page_token_of_ones_own_making_is_refused() {
        assert!(after("", TenantName::parse).unwrap().is_none());
        assert!(after("acme", TenantName::parse).unwrap().is_some());
        assert!(after("A C M E", TenantName::parse).is_err());
    }
}
