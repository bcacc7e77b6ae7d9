use super::*;

#[test]
fn dates_times_and_windows_are_told_apart() {
    for (text, expected) in [
        ("1998-07-14", Moment::Date { year: 1998 }),
        ("14.07.1998", Moment::Date { year: 1998 }),
        ("10-09-1990", Moment::Date { year: 1990 }),
        ("7/14/1998", Moment::Date { year: 1998 }),
        ("1.9.33", Moment::Date { year: 1933 }),
        ("2026-05-03T09:31:07Z", Moment::Timestamp { year: 2026, is_full_hour: false }),
        ("2026-05-03 09:00", Moment::Timestamp { year: 2026, is_full_hour: true }),
        ("2026-05-03T09:31:07.123+02:00", Moment::Timestamp { year: 2026, is_full_hour: false }),
        ("03.05.2026 08:00-10:00", Moment::Window),
        ("15-08-2027 08:00 - 10:00 uur", Moment::Window),
        ("08:00–10:00", Moment::Window),
        ("2026-05-03T08:00Z/2026-05-03T10:00Z", Moment::Window),
        ("09:31", Moment::Time),
    ] {
        assert_eq!(moment(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        "31.02.2000",
        "2000-13-01",
        "4.2.1",
        "192.168.1.1",
        "1998",
        "14.07.1998x",
        "14.07-1998",
        "25:00",
        "12:60",
        "2026-05-03T",
        "14.07.1998 -",
        "08:00-",
        "1.2.345",
        "12.12.20201",
    ] {
        assert_eq!(moment(text), None, "{text}");
    }
}

#[test]
fn births_are_days_of_the_past() {
    for text in ["1998-07-14", "14.07.1998", "1985-03-02T00:00:00Z", "1985-03-01T23:00:00Z"] {
        assert!(birth_candidate(text).is_some(), "{text}");
    }
    for text in
        ["2026-05-03", "1998-07-14T09:31:07Z", "1998", "09:31", "14.07.1998 08:00-10:00", "1.09.33"]
    {
        assert!(birth_candidate(text).is_none(), "{text}");
    }
    for text in ["1985", "19850302", "02031985", "2024-01-01"] {
        assert!(birth(text).is_some(), "{text}");
    }
    assert!(birth("99999999").is_none());
}
