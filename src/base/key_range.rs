//! Ranges of a column's values, and in which of them a value lies.
//!
//! Parts of one table that were copied under several snapshots are told apart by the value of one
//! column, here as on the servers: so the order must be the server's, of the texts that it writes with
//! ISO dates in UTC. Types of which that is not certain are in no range.

use serde::{Deserialize, Serialize};

use super::ident::{quote_ident, quote_literal};

/// The values of `column` from `lower` on and below `upper`; open where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The column; it is never null.
    pub column: String,
    /// Its type, as `format_type` writes it.
    pub type_name: String,
    /// The first value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<String>,
    /// The value behind the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<String>,
    /// The one value that it is, instead of bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

impl KeyRange {
    /// The one value of `range`'s column.
    pub fn only(range: &KeyRange, value: &str) -> Self {
        Self {
            lower: None,
            upper: None,
            only: Some(value.to_owned()),
            ..range.clone()
        }
    }

    /// Whether `value`, as the server writes it, lies in it; none if that cannot be told.
    pub fn contains(&self, value: &str) -> Option<bool> {
        let place = |text: &str| place(&self.type_name, text);
        let value = place(value)?;
        if let Some(only) = &self.only {
            return Some(place(only)? == value);
        }
        let from_lower = match &self.lower {
            Some(lower) => place(lower)? <= value,
            None => true,
        };
        let below_upper = match &self.upper {
            Some(upper) => value < place(upper)?,
            None => true,
        };
        Some(from_lower && below_upper)
    }

    /// Whether values of its type, and its own bounds, can be told apart here.
    pub fn is_known(&self) -> bool {
        let mut texts = [&self.lower, &self.upper, &self.only]
            .into_iter()
            .flatten()
            .peekable();
        texts.peek().is_some() && texts.all(|text| place(&self.type_name, text).is_some())
    }

    /// The same as a condition in SQL.
    pub fn condition(&self) -> String {
        let column = quote_ident(&self.column);
        let bound = |text: &String| format!("{}::{}", quote_literal(text), self.type_name);
        if let Some(only) = &self.only {
            return format!("{column} = {}", bound(only));
        }
        let lower = self.lower.as_ref();
        let lower = lower.map(|lower| format!("{column} >= {}", bound(lower)));
        let upper = self.upper.as_ref();
        let upper = upper.map(|upper| format!("{column} < {}", bound(upper)));
        match (lower, upper) {
            (Some(lower), Some(upper)) => format!("{lower} AND {upper}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "true".to_owned(),
        }
    }
}

/// Ranges of one column that meet without gap and cover all its values.
#[derive(Debug, Clone)]
pub struct KeyRanges {
    column: String,
    type_name: String,
    /// Where each range but the first begins, and which one it is; ascending.
    starts: Vec<(Place, usize)>,
    first: usize,
}

impl KeyRanges {
    /// None if `ranges` are not of one column, do not meet, or leave something out.
    pub fn of(ranges: &[&KeyRange]) -> Option<Self> {
        let is_first = |range: &&KeyRange| range.lower.is_none();
        let first = ranges.iter().position(is_first)?;
        let KeyRange {
            column, type_name, ..
        } = ranges[first];
        let mut starts = Vec::new();
        for (at, range) in ranges.iter().enumerate() {
            if range.column != *column || range.type_name != *type_name || range.only.is_some() {
                return None;
            }
            match &range.lower {
                Some(lower) => starts.push((place(type_name, lower)?, at)),
                None if at == first => {}
                None => return None,
            }
        }
        starts.sort_unstable();
        // Each ends where the next begins; the last is open.
        let mut end = ranges[first].upper.as_ref();
        for (start, at) in &starts {
            if place(type_name, end?)? != *start {
                return None;
            }
            end = ranges[*at].upper.as_ref();
        }
        end.is_none().then(|| Self {
            column: column.clone(),
            type_name: type_name.clone(),
            starts,
            first,
        })
    }

    /// Their column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// In which of the ranges `value` lies, by its place in the list that they were made of; none if
    /// that cannot be told.
    pub fn find(&self, value: &str) -> Option<usize> {
        let place = place(&self.type_name, value)?;
        let after = self.starts.partition_point(|(start, _)| *start <= place);
        Some(match after.checked_sub(1) {
            Some(at) => self.starts[at].1,
            None => self.first,
        })
    }
}

/// A value's place in the order of its type: before, among or behind the finite ones.
type Place = (i8, u128);

fn place(type_name: &str, text: &str) -> Option<Place> {
    match type_name {
        "smallint" | "integer" | "bigint" => {
            let number: i64 = text.parse().ok()?;
            Some((0, finite(i128::from(number))))
        }
        "uuid" => uuid(text),
        "date" => moment(text, false, ""),
        "timestamp without time zone" => moment(text, true, ""),
        "timestamp with time zone" => moment(text, true, "+00"),
        _ => None,
    }
}

/// Numbers of some 100 bits, negative ones too, in order.
const fn finite(number: i128) -> u128 {
    (number + (1 << 100)).cast_unsigned()
}

fn uuid(text: &str) -> Option<Place> {
    let is_digit = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let is_uuid = text.len() == 36 && text.bytes().enumerate().all(is_digit);
    let digits = is_uuid.then(|| text.replace('-', ""))?;
    Some((0, u128::from_str_radix(&digits, 16).ok()?))
}

/// `2026-11-21 01:02:03.000004+00 BC`, with the zone that is expected, or a date alone.
fn moment(text: &str, with_time: bool, zone: &str) -> Option<Place> {
    match text {
        "infinity" => return Some((1, 0)),
        "-infinity" => return Some((-1, 0)),
        _ => {}
    }
    let (text, is_before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (date, time) = match with_time {
        true => text.split_once(' ')?,
        false => (text, "00:00:00"),
    };
    let time = if with_time {
        time.strip_suffix(zone)?
    } else {
        time
    };
    let mut fields = date.splitn(3, '-').map(digits);
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year == 0 {
        return None;
    }
    let year = if is_before_christ { 1 - year } else { year };
    let micros = micros_of_day(time)?;
    Some((0, finite(days(year, month, day) * 86_400_000_000 + micros)))
}

fn digits(text: &str) -> Option<i128> {
    let all = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn micros_of_day(time: &str) -> Option<i128> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut fields = whole.splitn(3, ':').map(digits);
    let (hours, minutes, seconds) = (fields.next()??, fields.next()??, fields.next()??);
    if hours > 24 || minutes > 59 || seconds > 60 || fraction.len() > 6 {
        return None;
    }
    let micros = digits(&format!("{fraction:0<6}"))?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

/// Days since the first of March of the year 0 in the Gregorian calendar, which the server uses for
/// all times.
fn days(year: i128, month: i128, day: i128) -> i128 {
    // Years that begin in March, so that the leap day is the last.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    of_years + (month * 153 + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(type_name: &str, lower: Option<&str>, upper: Option<&str>) -> KeyRange {
        KeyRange {
            column: "Id".into(),
            type_name: type_name.into(),
            lower: lower.map(str::to_owned),
            upper: upper.map(str::to_owned),
            only: None,
        }
    }

    #[test]
    fn a_value_is_where_the_server_has_it() {
        // Each ascending, as the server orders them.
        let ascending: [(&str, &[&str]); 5] = [
            (
                "bigint",
                &[
                    "-9223372036854775808",
                    "-10",
                    "-9",
                    "0",
                    "9",
                    "10",
                    "9223372036854775807",
                ],
            ),
            (
                "uuid",
                &[
                    "00000000-0000-0000-0000-000000000000",
                    "09ffffff-ffff-ffff-ffff-ffffffffffff",
                    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                    "ffffffff-ffff-ffff-ffff-ffffffffffff",
                ],
            ),
            (
                "date",
                &[
                    "-infinity",
                    "4713-01-01 BC",
                    "0044-03-15 BC",
                    "0001-12-31 BC",
                    "0001-01-01",
                    "2024-02-28",
                    "2024-02-29",
                    "2024-03-01",
                    "2026-11-21",
                    "12026-01-01",
                    "5874897-12-31",
                    "infinity",
                ],
            ),
            (
                "timestamp without time zone",
                &[
                    "-infinity",
                    "0044-03-15 12:00:00 BC",
                    "2026-11-21 01:02:03",
                    "2026-11-21 01:02:03.000004",
                    "2026-11-21 01:02:03.1",
                    "2026-11-21 12:00:00",
                    "infinity",
                ],
            ),
            (
                "timestamp with time zone",
                &[
                    "0044-03-15 12:00:00+00 BC",
                    "2026-11-21 01:02:03+00",
                    "2026-11-21 01:02:03.5+00",
                ],
            ),
        ];
        for (type_name, values) in ascending {
            for (at, bound) in values.iter().enumerate() {
                let from = range(type_name, Some(bound), None);
                let below = range(type_name, None, Some(bound));
                let only = KeyRange::only(&from, bound);
                for (other, value) in values.iter().enumerate() {
                    assert_eq!(
                        from.contains(value),
                        Some(other >= at),
                        "{value} from {bound}"
                    );
                    assert_eq!(
                        below.contains(value),
                        Some(other < at),
                        "{value} below {bound}"
                    );
                    assert_eq!(
                        only.contains(value),
                        Some(other == at),
                        "{value} is {bound}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let integers = range("integer", Some("1"), Some("9"));
        assert!(integers.is_known());
        for text in ["", "x", "1.5", " 1"] {
            assert_eq!(integers.contains(text), None, "{text:?}");
        }
        let moments = range(
            "timestamp with time zone",
            Some("2026-11-21 01:02:03+00"),
            None,
        );
        for text in [
            "2026-11-21 01:02:03",
            "2026-11-21 01:02:03+02",
            "2026-11-21",
            "21.11.2026",
        ] {
            assert_eq!(moments.contains(text), None, "{text:?}");
        }
        assert!(!range("text", Some("a"), None).is_known());
        assert!(!range("integer", None, None).is_known());
    }

    #[test]
    fn a_value_is_found_in_the_one_range_that_has_it() {
        let ranges = [
            range("integer", Some("7"), None),
            range("integer", None, Some("-1")),
            range("integer", Some("-1"), Some("7")),
        ];
        let all: Vec<_> = ranges.iter().collect();
        let found = KeyRanges::of(&all).expect("they meet");
        for value in ["-2147483648", "-2", "-1", "0", "6", "7", "2147483647"] {
            let at = found.find(value).expect("a number");
            let has: Vec<_> = ranges.iter().map(|range| range.contains(value)).collect();
            assert_eq!(has.iter().position(|has| *has == Some(true)), Some(at));
            assert_eq!(has.iter().filter(|has| **has == Some(true)).count(), 1);
        }
        assert_eq!(found.find("x"), None);
        assert!(KeyRanges::of(&all[..2]).is_none(), "a gap");
        assert!(KeyRanges::of(&all[1..]).is_none(), "no end");
        assert!(KeyRanges::of(&[]).is_none());
        let other = range("bigint", Some("7"), None);
        assert!(KeyRanges::of(&[&other, &ranges[1], &ranges[2]]).is_none());
    }

    #[test]
    fn a_range_is_the_same_in_sql() {
        let sql = |range: KeyRange| range.condition();
        assert_eq!(
            sql(range("bigint", Some("-1"), Some("7"))),
            "\"Id\" >= '-1'::bigint AND \"Id\" < '7'::bigint"
        );
        assert_eq!(
            sql(range("bigint", None, Some("7"))),
            "\"Id\" < '7'::bigint"
        );
        assert_eq!(sql(range("bigint", None, None)), "true");
        let only = KeyRange::only(&range("bigint", Some("1"), None), "5");
        assert_eq!(sql(only), "\"Id\" = '5'::bigint");
    }
}
