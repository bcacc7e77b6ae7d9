use std::cell::Cell;

use super::*;

fn matcher(pattern: &str) -> Matcher {
    Pattern::new(pattern).unwrap().matcher().unwrap().clone()
}

fn refusal(pattern: &str) -> String {
    let failure = Pattern::new(pattern).and_then(|pattern| pattern.matcher().map(drop));
    failure.unwrap_err().violations()[0].description.clone()
}

#[test]
fn a_value_matches_as_a_whole_or_not_at_all() {
    for pattern in ["K-[0-9]{6}", "^K-[0-9]{6}$", "^K-\\d{6}", "(?:K)-(\\d{3}){2}"] {
        let matcher = matcher(pattern);
        assert!(matcher.is_match("K-123456"), "{pattern}");
        for other in ["", "K-12345", "K-1234567", " K-123456", "K-123456\n", "k-123456", "K-12345٣"]
        {
            assert!(!matcher.is_match(other), "{pattern} {other:?}");
        }
    }
    assert!(matcher("(?i)k-[0-9]+").is_match("K-1"));
    assert!(matcher("a|ab").is_match("ab"), "the longest alternative counts, wherever it stands");
}

#[test]
fn what_ends_at_a_border_is_found_though_more_would_match() {
    let matcher = matcher("A-1[0-9]*(?:-[a-z])?");
    let text = b"A-12-bc";
    let is_border = |end: usize| text.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    assert_eq!(matcher.longest(text.iter().copied(), is_border), Some(4));
    assert_eq!(matcher.longest(text.iter().copied(), |_| true), Some(6));
    assert_eq!(matcher.longest(b"B-12".iter().copied(), |_| true), None);
}

#[test]
fn what_is_no_pattern_of_whole_ascii_values_is_refused_with_the_reason() {
    for (pattern, reason) in [
        ("(", "unclosed group"),
        ("a{2,1}", "invalid repetition count range"),
        ("(?=a)b", "look-around"),
        ("(a)\\1", "backreferences are not supported"),
        ("a*", "empty text"),
        ("^$", "empty text"),
        ("[a&&b]", "nothing at all"),
        ("K.[0-9]", "stands for any character"),
        ("[^0-9]", "stands for any character"),
        ("\\W1", "stands for any character"),
        ("(?u:[é-ü])1", "ASCII"),
        ("a\\b1", "whole value"),
        ("^a|b$", "whole value"),
        ("", "1 to 256 bytes"),
        ("Kün", "1 to 256 bytes"),
    ] {
        assert!(refusal(pattern).contains(reason), "{pattern}: {}", refusal(pattern));
    }
    assert!(Pattern::new(&"a".repeat(256)).is_ok() && Pattern::new(&"a".repeat(257)).is_err());
}

#[test]
fn what_would_be_large_is_refused_before_it_is() {
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    let large = ["a{1000000}", "((a{1000}){1000}){1000}", "(a|b)*a(a|b){30}", "[a-z]{9}{9}{9}{9}"];
    for pattern in large {
        assert!(refusal(pattern).contains("too large"), "{pattern}: {}", refusal(pattern));
    }
    assert!(refusal(&deep).contains("nest"), "{}", refusal(&deep));
    assert!(Pattern::new("[0-9A-Z]{100}").unwrap().matcher().is_ok());
}

/// What makes backtracking engines take as many steps as there are ways to part a text.
#[test]
fn a_catastrophic_pattern_takes_one_step_a_byte() {
    let text = [&b"a".repeat(64 * 1024)[..], b"!"].concat();
    for pattern in ["(a+)+$", "(a|a)+", "(a|aa)+", "(a*)*a", "([a-z]+)*[0-9]?[a-z]"] {
        let steps = Cell::new(0);
        let matcher = matcher(pattern);
        let bytes = text.iter().copied().inspect(|_| steps.set(steps.get() + 1));
        assert_eq!(matcher.longest(bytes, |_| true), Some(64 * 1024), "{pattern}");
        // A match is told one byte after its end.
        assert_eq!(steps.get(), text.len(), "{pattern}");
    }
}

#[test]
fn a_form_is_distinct_when_it_needs_a_digit_and_something_else() {
    for (pattern, expected) in [
        ("K-[0-9]{6}", true),
        ("[A-Z]{2}[0-9]{2}", true),
        ("(K|L)[0-9]{3,}", true),
        ("[0-9]{12}", false),
        ("[A-Z]{8}", false),
        ("K[0-9]{2}", false),
        ("K-X(-[0-9]+)?", false),
        ("[A-Z0-9]{8}", false),
        ("K-XX|K-[0-9]{6}", false),
    ] {
        assert_eq!(matcher(pattern).is_distinct(), expected, "{pattern}");
    }
    for (pattern, expected) in [("K[0-9]{63}", true), ("K[0-9]{64}", false), ("K[0-9]+", false)] {
        assert_eq!(matcher(pattern).is_short(), expected, "{pattern}");
    }
}
