//! HTML that is put together.
//!
//! It promises that nothing but what stands in this program's source is markup: any other text is
//! escaped, and characters that turn or hide text are shown. It relies on attributes standing in
//! double quotes.

use crate::output::printable;

/// A page, as far as it is written.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds markup as it stands in the source.
    pub(super) fn html(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Adds a text, in an element or in a quoted attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in printable(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.text(&grouped(number))
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A number with narrow spaces between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_markup() {
        let mut page = Markup::default();
        page.html("<td title=\"").text("\"><script>alert('&')</script>").html("\">");
        let expected =
            "<td title=\"&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\">";
        assert_eq!(page.finish(), expected);
        let mut page = Markup::default();
        page.text("na\u{202e}em\0");
        assert_eq!(page.finish(), r"na\u{202e}em\u{0}");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")]
        {
            assert_eq!(grouped(number).replace('\u{202f}', " "), shown);
        }
    }
}
