//! What is looked for, on its way in.

use tresor_proto::{Content, ErrorCode, Failure, FieldName, vault};
use tresor_vault::SearchTerm;

use super::at_path;

/// Terms of a search: each costs a walk over its entries.
const TERMS_MAX: usize = 8;

/// The terms of a search; a mistake names the term.
pub(crate) fn terms(wire: Vec<vault::SearchTerm>) -> Result<Vec<SearchTerm>, Failure> {
    if wire.is_empty() {
        return Err(Failure::invalid("terms", "at least one"));
    }
    if wire.len() > TERMS_MAX {
        let failure = Failure::new(ErrorCode::TooLarge, "a search has over 8 terms");
        return Err(failure.with_violation("terms", "at most 8"));
    }
    let placed = wire.into_iter().enumerate();
    let parse =
        |(at, wire)| term(wire).map_err(|failure| at_path(&failure, &format!("terms[{at}]")));
    placed.map(parse).collect()
}

fn term(wire: vault::SearchTerm) -> Result<SearchTerm, Failure> {
    Ok(SearchTerm {
        field: FieldName::parse(&wire.field)?,
        content: Content::try_from(wire.value.unwrap_or_default())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(field: &str, value: &str) -> vault::SearchTerm {
        let content = vault::value::Content::Text(value.to_owned());
        vault::SearchTerm {
            field: field.to_owned(),
            value: Some(vault::Value { content: Some(content) }),
        }
    }

    fn refused(wire: Vec<vault::SearchTerm>) -> (ErrorCode, String) {
        let failure = terms(wire).err().unwrap();
        (failure.code(), failure.violations()[0].field.clone())
    }

    #[test]
    fn a_search_has_one_to_eight_terms() {
        for count in [1, 8] {
            assert_eq!(terms(vec![wire("name", "x"); count]).unwrap().len(), count);
        }
        let none = (ErrorCode::InvalidRequest, "terms".to_owned());
        assert_eq!(refused(Vec::new()), none);
        let many = (ErrorCode::TooLarge, "terms".to_owned());
        assert_eq!(refused(vec![wire("name", "x"); 9]), many);
    }

    #[test]
    fn a_mistake_names_its_term() {
        let second = |term| refused(vec![wire("name", "x"), term]);
        let expected = "terms[1]".to_owned();
        assert_eq!(second(wire("", "x")), (ErrorCode::InvalidRequest, expected.clone()));
        let absent = vault::SearchTerm { value: None, ..wire("name", "") };
        assert_eq!(second(absent), (ErrorCode::InvalidRequest, expected.clone()));
        assert_eq!(second(wire("name", &"x".repeat(65_537))), (ErrorCode::TooLarge, expected));
    }
}
