//! Where an axis has its ticks, and what they say.

use jiff::tz::TimeZone;

use super::html::moment;

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

/// Units of bytes, each 1024 times the one before it.
const BYTE_UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];

impl Unit {
    /// `value` as a tick says it on an axis whose largest value is `most`.
    pub(super) fn text(self, value: f64, most: f64) -> String {
        match self {
            Unit::Bytes | Unit::BytesPerSecond => {
                let unit = byte_unit(most);
                let name = BYTE_UNITS.get(unit).copied().unwrap_or_default();
                let number = trimmed(value / 1024f64.powi(unit as i32));
                match self {
                    Unit::BytesPerSecond => format!("{number} {name}/s"),
                    _ => format!("{number} {name}"),
                }
            }
            Unit::Seconds if most >= 10_800.0 => format!("{} h", trimmed(value / 3600.0)),
            Unit::Seconds if most >= 180.0 => format!("{} min", trimmed(value / 60.0)),
            Unit::Seconds => format!("{} s", trimmed(value)),
            Unit::Millis => format!("{} ms", trimmed(value)),
        }
    }

    /// Steps between ticks that are easy to count in, for an axis that holds `most`.
    fn steps(self, most: f64) -> Vec<f64> {
        let decimal = |low: i32, high: i32| {
            (low..high).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
        };
        match self {
            Unit::Bytes | Unit::BytesPerSecond => {
                let unit = byte_unit(most);
                // There is nothing smaller than a byte.
                let low = if unit == 0 { 0 } else { -1 };
                let steps = decimal(low, 3);
                steps.map(|step| step * 1024f64.powi(unit as i32)).collect()
            }
            Unit::Seconds => decimal(-3, 1)
                .chain([10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0])
                .chain([1, 2, 4, 6, 12].map(|hours| f64::from(hours) * 3600.0))
                .chain(decimal(0, 6).map(|days| days * 86_400.0))
                .collect(),
            Unit::Millis => decimal(-2, 9).collect(),
        }
    }
}

/// Which of [`BYTE_UNITS`] is right for numbers up to `most`.
fn byte_unit(most: f64) -> usize {
    let fits = |unit: &usize| most < 1024f64.powi(*unit as i32 + 1);
    (0..BYTE_UNITS.len() - 1)
        .find(fits)
        .unwrap_or(BYTE_UNITS.len() - 1)
}

/// At most three digits after the point, and no zeros at the end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The ticks of an axis from 0 that holds `most`: some four of them, the last at or past it.
pub(super) fn ticks(unit: Unit, most: f64) -> Vec<f64> {
    let most = if most.is_finite() { most.max(0.0) } else { 0.0 };
    let steps = unit.steps(most);
    let fits = |step: &&f64| most / **step <= 4.0;
    let last = steps.last().copied().unwrap_or(1.0);
    let step = match unit {
        // Nothing smaller than a byte; a flat line needs an axis, too.
        _ if most == 0.0 => 1.0,
        _ => steps
            .iter()
            .find(fits)
            .copied()
            .unwrap_or(last * (most / last / 4.0).ceil()),
    };
    let count = (most / step).ceil().max(1.0) as u32;
    (0..=count).map(|at| f64::from(at) * step).collect()
}

/// Steps between ticks of a clock, in seconds.
const CLOCK_STEPS: [f64; 19] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    14_400.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
];

/// The ticks of a clock from `begin` to `end`, in seconds since 1970: when, and what they say.
pub(super) fn clock(begin: f64, end: f64, zone: &TimeZone) -> Vec<(f64, String)> {
    let span = (end - begin).max(1.0);
    let fits = |step: &&f64| span / **step <= 6.0;
    let step = match CLOCK_STEPS.iter().find(fits) {
        Some(step) => *step,
        None => (span / 6.0 / 86_400.0).ceil() * 86_400.0,
    };
    let format = match step {
        ..60.0 => "%H:%M:%S",
        60.0..21_600.0 => "%H:%M",
        21_600.0..86_400.0 => "%d %b %H:%M",
        _ => "%d %b",
    };
    // Whole hours and days are those of the clock on the wall.
    let offset = f64::from(moment(begin, zone).offset().seconds());
    let first = ((begin + offset) / step).ceil() * step - offset;
    let at = (0..=6u32).map(|number| first + f64::from(number) * step);
    at.filter(|at| *at <= end)
        .map(|at| (at, moment(at, zone).strftime(format).to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_the_largest_value() {
        let texts = |unit: Unit, most: f64| -> Vec<String> {
            let ticks = ticks(unit, most).into_iter();
            ticks.map(|at| unit.text(at, most)).collect()
        };
        assert_eq!(texts(Unit::Bytes, 0.0), ["0 B", "1 B"]);
        let mega = 1024.0 * 1024.0;
        assert_eq!(
            texts(Unit::Bytes, 3.3 * mega),
            ["0 MB", "1 MB", "2 MB", "3 MB", "4 MB"]
        );
        assert_eq!(
            texts(Unit::BytesPerSecond, 1.3 * mega),
            ["0 MB/s", "0.5 MB/s", "1 MB/s", "1.5 MB/s"]
        );
        assert_eq!(texts(Unit::Bytes, 180.0 * 1024.0)[1], "50 kB");
        assert_eq!(
            texts(Unit::Seconds, 0.003),
            ["0 s", "0.001 s", "0.002 s", "0.003 s"]
        );
        assert_eq!(
            texts(Unit::Seconds, 900.0),
            ["0 min", "5 min", "10 min", "15 min"]
        );
        assert_eq!(texts(Unit::Seconds, 12_000.0)[1], "1 h");
        assert_eq!(
            texts(Unit::Millis, 31.4),
            ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms"]
        );
    }

    #[test]
    fn no_number_makes_many_ticks_or_none() {
        for unit in [
            Unit::Bytes,
            Unit::BytesPerSecond,
            Unit::Seconds,
            Unit::Millis,
        ] {
            for most in [
                0.0,
                1e-9,
                0.1,
                1.0,
                7.0,
                1e6,
                1e12,
                1e19,
                f64::INFINITY,
                f64::NAN,
            ] {
                let ticks = ticks(unit, most);
                assert!((2..=6).contains(&ticks.len()), "{unit:?} {most}: {ticks:?}");
                let last = ticks.last().copied().unwrap_or_default();
                assert!(
                    !most.is_finite() || last >= most,
                    "{unit:?} {most}: {ticks:?}"
                );
            }
        }
    }

    #[test]
    fn a_clock_ticks_at_whole_minutes_hours_and_days() {
        let texts = |begin: f64, end: f64| -> Vec<String> {
            let ticks = clock(begin, end, &TimeZone::UTC);
            ticks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(
            texts(1.0, 9.0),
            ["00:00:02", "00:00:04", "00:00:06", "00:00:08"]
        );
        assert_eq!(texts(50.0, 1000.0), ["00:05", "00:10", "00:15"]);
        assert_eq!(
            texts(0.0, 300_000.0),
            ["01 Jan", "02 Jan", "03 Jan", "04 Jan"]
        );
        assert!(texts(0.0, 1e8).len() <= 7);
        assert!(texts(5.0, 5.0).len() <= 1);
    }
}
