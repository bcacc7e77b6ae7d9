//! The copy of a text in which what was found is replaced by what it is: `[PERSON_NAME]`.
//!
//! It promises that nothing of a finding is left at its place, whatever the findings are: out of
//! order, overlapping, or beyond the text. It relies on the findings being those of this text.

use crate::TextFinding;

/// Replaces what was found in a text by its type in brackets. All findings are taken to be of this
/// text, whichever field they name.
#[must_use]
pub fn redact(text: &str, findings: &[TextFinding]) -> String {
    let mut sorted: Vec<&TextFinding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.start, finding.end));
    let mut redacted = String::with_capacity(text.len());
    let mut done = 0;
    for finding in sorted {
        let (start, end) = (floor(text, finding.start), ceiling(text, finding.end));
        if start < done {
            // It overlaps the one before, whose type stands there already.
            done = done.max(end);
            continue;
        }
        redacted.push_str(text.get(done..start).unwrap_or_default());
        redacted.push('[');
        redacted.push_str(finding.info_type.as_str());
        redacted.push(']');
        done = end.max(start);
    }
    redacted.push_str(text.get(done..).unwrap_or_default());
    redacted
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn ceiling(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use tresor_proto::InfoType;

    use super::*;
    use crate::{Evidence, Rule};

    fn finding(start: usize, end: usize, info_type: InfoType) -> TextFinding {
        let evidence = Evidence::Value { rule: Rule::Named("rule") };
        TextFinding { field: 0, start, end, info_type, confidence: 1.0, evidence }
    }

    #[test]
    fn what_was_found_is_replaced_by_its_type() {
        let text = "Frau Ölme, Tel. 0171";
        let findings =
            [finding(17, 21, InfoType::PhoneNumber), finding(5, 10, InfoType::PersonName)];
        assert_eq!(redact(text, &findings), "Frau [PERSON_NAME], Tel. [PHONE_NUMBER]");
        assert_eq!(redact(text, &[]), text);
    }

    #[test]
    fn findings_that_overlap_or_cut_letters_leave_nothing_behind() {
        let text = "Ölmeyer!";
        for spans in [[(1, 5), (3, 8)], [(0, 8), (2, 4)], [(3, 8), (1, 4)]] {
            let findings = spans.map(|(start, end)| finding(start, end, InfoType::LastName));
            assert_eq!(redact(text, &findings), "[LAST_NAME]!", "{spans:?}");
        }
        assert_eq!(redact(text, &[finding(50, 90, InfoType::City)]), "Ölmeyer![CITY]");
        assert_eq!(redact("", &[finding(0, 0, InfoType::City)]), "[CITY]");
    }
}
