//! Dates, times and time windows, and which dates may be births.
//!
//! It promises calendar dates only (no 31 February), in ISO and day-first notations. It relies on a
//! fixed window for births, since a rule has no clock: the same value always gets the same verdict.

use crate::Rule;

/// Years of birth that need no hint to be taken for one: whoever is on record is some years old.
const BIRTH_YEARS: core::ops::RangeInclusive<u16> = 1900..=2015;

/// Years of birth under a hint.
const HINTED_BIRTH_YEARS: core::ops::RangeInclusive<u16> = 1850..=2150;

/// Bytes of the longest notation: a time window of two ISO moments.
const NOTATION_BYTES_MAX: usize = 64;

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A day.
    Date { year: u16 },
    /// A day and a time of the day; dates of birth are often exported with a full hour.
    Timestamp { year: u16, is_full_hour: bool },
    /// A span of time, with or without its day.
    Window,
    /// A time of the day.
    Time,
}

/// Reads a moment, the whole of the text.
pub(crate) fn moment(text: &str) -> Option<Moment> {
    if text.len() > NOTATION_BYTES_MAX {
        return None;
    }
    let mut cursor = Cursor(text.as_bytes());
    let year = cursor.date();
    if let Some(year) = year {
        if cursor.is_at_end() {
            return Some(Moment::Date { year });
        }
        cursor.skip(b"T ,")?;
    }
    let is_full_hour = cursor.time()?;
    if cursor.is_at_end() {
        return Some(year.map_or(Moment::Time, |year| Moment::Timestamp { year, is_full_hour }));
    }
    cursor.window_end().then_some(Moment::Window)
}

/// A date of birth under a hint: any date, or a year.
pub(crate) fn birth(text: &str) -> Option<Rule> {
    let year = match moment(text) {
        Some(Moment::Date { year } | Moment::Timestamp { year, .. }) => Some(year),
        Some(Moment::Window | Moment::Time) => None,
        None => compact_year(text),
    };
    let is_plausible = year.is_some_and(|year| HINTED_BIRTH_YEARS.contains(&year));
    is_plausible.then_some(Rule::Named("date: calendar date"))
}

/// A date that may be a birth, without a hint: a day, or a full hour of one, up to 2015.
pub(crate) fn birth_candidate(text: &str) -> Option<Rule> {
    year_of_birth(moment(text)?, text).map(|_| Rule::Named("date: plausible date of birth"))
}

/// The year of such a date, which reads as `moment`.
pub(crate) fn year_of_birth(moment: Moment, text: &str) -> Option<u16> {
    let year = match moment {
        Moment::Date { year } | Moment::Timestamp { year, is_full_hour: true } => year,
        Moment::Timestamp { .. } | Moment::Window | Moment::Time => return None,
    };
    (BIRTH_YEARS.contains(&year) && has_century(text)).then_some(year)
}

/// Whether a date gives its year in full: `1.09.33` may be a version.
pub(crate) fn has_century(text: &str) -> bool {
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    text.split(['-', '.', '/']).any(|part| digits(part) == 4)
}

/// The year of `1985`, `19850302` or `02031985`.
fn compact_year(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let number = |range: core::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    match text.len() {
        4 if is_number => number(0..4),
        8 if is_number => {
            let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
            let first = is_date(year, month, day).then_some(year);
            let last = || {
                let (day, month, year) = (number(0..2)?, number(2..4)?, number(4..8)?);
                is_date(year, month, day).then_some(year)
            };
            first.or_else(last)
        }
        _ => None,
    }
}

fn is_date(year: u16, month: u16, day: u16) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day) && (1000..=2999).contains(&year)
}

/// Reads forward; what does not fit leaves it where it was.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Skips at least one of `signs`.
    fn skip(&mut self, signs: &[u8]) -> Option<()> {
        let count = self.0.iter().take_while(|b| signs.contains(b)).count();
        self.0 = self.0.get(count..)?;
        (count > 0).then_some(())
    }

    /// Up to `digits_max` digits as a number, and how many there were.
    fn number(&mut self, digits_max: usize) -> Option<(u16, usize)> {
        let digits = self.0.iter().take(digits_max).take_while(|b| b.is_ascii_digit());
        let count = digits.clone().count();
        let number = digits.fold(0, |number, b| number * 10 + u16::from(b - b'0'));
        self.0 = self.0.get(count..)?;
        (count > 0).then_some((number, count))
    }

    /// A date; gives its year.
    fn date(&mut self) -> Option<u16> {
        let before = self.0;
        let year = self.date_parts();
        if year.is_none() {
            self.0 = before;
        }
        year
    }

    fn date_parts(&mut self) -> Option<u16> {
        let (first, first_digits) = self.number(4)?;
        let separator = *self.0.first().filter(|b| b"-./".contains(b))?;
        self.0 = self.0.get(1..)?;
        let (second, _) = self.number(2)?;
        self.0 = self.0.strip_prefix(&[separator])?;
        let (third, third_digits) = self.number(4)?;
        if self.0.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        match (first_digits, third_digits) {
            (4, 1 | 2) => is_date(first, second, third).then_some(first),
            (1 | 2, 4) => is_day_first(third, second, first).then_some(third),
            // Two digits of a year: which century is a guess, so the one of births.
            (1 | 2, 2) => is_day_first(1900 + third, second, first).then_some(1900 + third),
            _ => None,
        }
    }

    /// A time of the day; says whether it is a full hour.
    fn time(&mut self) -> Option<bool> {
        let (hour, _) = self.number(2)?;
        self.0 = self.0.strip_prefix(b":")?;
        let (minute, _) = self.number(2)?;
        let mut second = 0;
        if let Some(rest) = self.0.strip_prefix(b":") {
            self.0 = rest;
            second = self.number(2)?.0;
        }
        self.fraction();
        self.zone();
        let is_time = hour <= 24 && minute < 60 && second <= 60;
        is_time.then_some(minute == 0 && second == 0)
    }

    fn fraction(&mut self) {
        if let Some(rest) = self.0.strip_prefix(b".") {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            self.0 = rest.get(digits..).unwrap_or_default();
        }
    }

    /// `Z`, `+02:00`, ` Uhr`, `h`.
    fn zone(&mut self) {
        for zone in [&b"Z"[..], b" UTC", b" Uhr", b" uur", b"h"] {
            if let Some(rest) = self.0.strip_prefix(zone) {
                self.0 = rest;
                return;
            }
        }
        let is_offset = |b: &[u8]| {
            let [sign, rest @ ..] = b else { return false };
            let has_digits = rest.iter().all(|b| b.is_ascii_digit() || *b == b':');
            matches!(sign, b'+' | b'-') && has_digits && matches!(rest.len(), 2 | 4 | 5)
        };
        // `-10:00` after a time is the end of a window, `+` and four digits an offset.
        let is_window = self.0.starts_with(b"-") && self.0.contains(&b':');
        if is_offset(self.0) && !is_window {
            self.0 = &[];
        }
    }

    /// `-10:00`, ` - 10:00 Uhr`, `/2026-05-03T10:00Z`, `–` included.
    fn window_end(&mut self) -> bool {
        self.skip(b" ");
        let dash = [&b"-"[..], b"/", "–".as_bytes(), b"bis", b"tot"];
        let Some(rest) = dash.iter().find_map(|d| self.0.strip_prefix(*d)) else {
            return false;
        };
        self.0 = rest;
        self.skip(b" ");
        if self.date().is_some() && self.skip(b"T ").is_none() {
            return self.is_at_end();
        }
        self.time().is_some() && self.is_at_end()
    }
}

/// Day first, or month first as in America.
fn is_day_first(year: u16, second: u16, first: u16) -> bool {
    is_date(year, second, first) || is_date(year, first, second)
}

#[cfg(test)]
mod tests;
