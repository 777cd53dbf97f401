//! Times as ConnectWise and its web server write them.
//!
//! Promises: nothing but a real moment in UTC and whole seconds is read. Source: facts 3.1, fractions are refused.

/// Seconds since 1970 of `2026-01-31T12:00:00Z`; `None`: it is not of this form, or no such day or hour exists.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00Z" {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let date = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    moment(date, (number(11, 13)?, number(14, 16)?, number(17, 19)?))
}

/// `Fri, 25 Aug 2017 23:52:08 GMT` of a `Date` header, as `2017-08-25T23:52:08Z`. Source: RFC 9110, IMF-fixdate.
pub(crate) fn of_http_date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let (weekday, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    let well_formed = DAYS.contains(&weekday) && day.len() == 2 && year.len() == 4 && time.len() == 8;
    let iso = format!("{year}-{month:02}-{day}T{time}Z");
    (well_formed && seconds(&iso).is_some()).then_some(iso)
}

fn moment((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let real = year >= 1970 && (1..=length).contains(&day) && hour < 24 && minute < 60 && second < 60;
    // Days since 1970, in years that begin with March: then the leap day is the last one.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 719_469;
    real.then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_and_what_is_none_is_refused() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-01-31T12:00:01Z", 1_769_860_801),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01",
            "",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_date_of_an_answer_is_read_in_its_one_form() {
        assert_eq!(of_http_date("Fri, 25 Aug 2017 23:52:08 GMT").as_deref(), Some("2017-08-25T23:52:08Z"));
        for text in [
            "",
            "Fri, 25 Aug 2017 23:52:08 UTC",
            "Fri, 31 Feb 2017 23:52:08 GMT",
            "Friday, 25-Aug-17 23:52:08 GMT",
            "Fri Aug 25 23:52:08 2017",
            "Fri, 5 Aug 2017 23:52:08 GMT",
            "Fri, 25 Aug 2017 24:52:08 GMT",
            "2017-08-25T23:52:08Z",
        ] {
            assert_eq!(of_http_date(text), None, "{text}");
        }
    }
}
