//! Times of an event: RFC 3339 and nothing beside it.
//!
//! The shape is checked here and only the value is left to jiff, whose parser also takes a space
//! for the `T`, `[Europe/Berlin]` and hours without minutes: a publisher who relied on these would
//! find that the next reader of the same event does not take them.

use jiff::Timestamp;

use super::fields::TIME_EXAMPLE;
use super::{Code, Problem};

/// Fractions of a second are read to the nanosecond; more digits are refused, not rounded.
const FRACTION_DIGITS_MAX: usize = 9;

enum Shape {
    Rfc3339,
    NoZone,
    Other,
}

/// The time in the field of that name.
pub(super) fn read(name: &str, text: &str) -> Result<Timestamp, Problem> {
    let wrong = match shape(text.as_bytes()) {
        Shape::Rfc3339 => match text.parse() {
            Ok(time) => return Ok(time),
            Err(_) => "is not a date and time that exists",
        },
        Shape::NoZone => "has no time zone",
        Shape::Other => "is not an RFC 3339 time",
    };
    Err(Problem::new(
        Code::BadTime,
        format!("{name} {wrong}; write it as {TIME_EXAMPLE}"),
    ))
}

/// How far `time` is ahead of `now`, for people: `3h0m`, `4m10s`, `7s`; `None` if it is not.
pub(super) fn lead(time: Timestamp, now: Timestamp) -> Option<String> {
    let ahead = time.duration_since(now);
    if !ahead.is_positive() {
        return None;
    }
    // Rounded up, so that nothing in the future is "0s" ahead.
    let seconds = ahead.as_secs() + i64::from(ahead.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m"),
    })
}

fn shape(text: &[u8]) -> Shape {
    const DATE_TIME: &[u8] = b"0000-00-00T00:00:00";
    let Some((date_time, rest)) = text.split_at_checked(DATE_TIME.len()) else {
        return Shape::Other;
    };
    if !fits(date_time, DATE_TIME) {
        return Shape::Other;
    }
    match without_fraction(rest) {
        Some([]) => Shape::NoZone,
        Some([b'Z' | b'z']) => Shape::Rfc3339,
        // RFC 3339 ends an offset at 23:59; jiff would take 25:59.
        Some([b'+' | b'-', offset @ ..]) if fits(offset, b"00:00") && offset < b"24".as_slice() => {
            Shape::Rfc3339
        }
        _ => Shape::Other,
    }
}

/// Whether `text` has the template's form, where a 0 stands for any digit.
fn fits(text: &[u8], template: &[u8]) -> bool {
    text.len() == template.len()
        && text
            .iter()
            .zip(template)
            .all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                // RFC 3339, section 5.6: a lower-case t is the same.
                _ => byte.to_ascii_uppercase() == *wanted,
            })
}

fn without_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(fraction) = text.strip_prefix(b".") else {
        return Some(text);
    };
    let digits = fraction
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (1..=FRACTION_DIGITS_MAX)
        .contains(&digits)
        .then(|| &fraction[digits..])
}
