//! Sizes and durations as people write and read them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes. Units are powers of 1024, as PostgreSQL counts them: `100 MB`, `2GB`, `1 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// Text that is not a size or duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a {kind}: a number and a unit, such as {example}")]
pub struct QuantityError {
    text: String,
    kind: &'static str,
    example: &'static str,
}

const SIZE_UNITS: [(&str, u64); 6] = [
    ("b", 1),
    ("kb", 1 << 10),
    ("mb", 1 << 20),
    ("gb", 1 << 30),
    ("tb", 1 << 40),
    ("pb", 1 << 50),
];

/// The number before the unit, and the unit in lower case.
fn split_unit(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_ascii_lowercase()))
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = split_unit(text).and_then(|(number, unit)| {
            let unit = unit.replace("ib", "b");
            let factor = match unit.as_str() {
                "" | "bytes" => 1,
                "k" | "m" | "g" | "t" | "p" => unit_factor(&format!("{unit}b"))?,
                unit => unit_factor(unit)?,
            };
            let bytes = number * factor as f64;
            (bytes <= i64::MAX as f64).then_some(ByteSize(bytes as u64))
        });
        parsed.ok_or_else(|| QuantityError {
            text: text.to_owned(),
            kind: "size",
            example: "100 MB or 2GB",
        })
    }
}

fn unit_factor(unit: &str) -> Option<u64> {
    let known = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(known.1)
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < NAMES.len() {
            value /= 1024.0;
            unit += 1;
        }
        match unit {
            0 => write!(f, "{} B", self.0),
            _ if value < 10.0 => write!(f, "{value:.1} {}", NAMES[unit]),
            _ => write!(f, "{value:.0} {}", NAMES[unit]),
        }
    }
}

/// The duration that `text` says: `500ms`, `30s`, `5min`, `2h`, `1d`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let parsed = split_unit(text).and_then(|(number, unit)| {
        let seconds = match unit.as_str() {
            "us" => 1e-6,
            "ms" => 1e-3,
            "" | "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(number * seconds).ok()
    });
    parsed.ok_or_else(|| QuantityError {
        text: text.to_owned(),
        kind: "duration",
        example: "500ms, 30s or 5min",
    })
}

/// `duration` as people read it: `850ms`, `12.3s`, `4m05s`, `2h10m`.
pub fn display_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..=59 => format!("{:.1}s", duration.as_secs_f64()),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("100 MB", 100 << 20),
            ("2GB", 2 << 30),
            ("1 GiB", 1 << 30),
            ("10G", 10 << 30),
            ("512", 512),
            ("1.5kB", 1536),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MB", "1 XB", "-1MB", "1 MB 2", "1e30 GB", "9999999 PB"] {
            assert!(
                text.parse::<ByteSize>().is_err(),
                "{text:?} was taken for a size"
            );
        }
        assert_eq!(ByteSize(1536).to_string(), "1.5 kB");
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5min", 300_000),
            ("2", 2000),
            ("1.5 s", 1500),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        assert!(parse_duration("soon").is_err());
        assert_eq!(display_duration(Duration::from_secs(245)), "4m05s");
    }

    #[test]
    fn large_numbers_can_be_read() {
        let shown = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
