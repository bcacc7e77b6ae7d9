//! Dates in one notation, so that one day has one entry.

/// `year-month-day` of a date whose order is beyond doubt: a year of four digits in front, dots
/// (which put the day first), or a number that is no month.
pub(super) fn iso(text: &str) -> Option<String> {
    let separator = text.chars().find(|c| matches!(c, '-' | '.' | '/'))?;
    let mut parts = text.split(separator).map(str::trim);
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default()];
    let [first, second, third, ""] = parts else { return None };
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1 | 2) => (number(first)?, number(second)?, number(third)?),
        (1 | 2, 4) => {
            let (month, day) = month_and_day(separator, number(first)?, number(second)?)?;
            (number(third)?, month, day)
        }
        _ => return None,
    };
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn month_and_day(separator: char, first: u16, second: u16) -> Option<(u16, u16)> {
    match (separator, first, second) {
        ('.', day, month) | (_, day @ 13.., month) => Some((month, day)),
        (_, month, day @ 13..) => Some((month, day)),
        (_, month, day) if month == day => Some((month, day)),
        _ => None,
    }
}

fn number(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}
