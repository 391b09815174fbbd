//! Lines of the logs in a work directory, read again by those who look.

use serde_json::Value;

/// A line, whichever of the two shapes it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogLine {
    /// As the log says it.
    pub(super) time: String,
    /// `INFO`, `WARN`, `ERROR`.
    pub(super) level: String,
    /// The message and what stands behind it.
    pub(super) text: String,
}

impl LogLine {
    /// What `line` says; none if it is no line of ours.
    pub(super) fn parse(line: &str) -> Option<Self> {
        match line.starts_with('{') {
            true => Self::of_json(line),
            false => Self::of_text(line),
        }
    }

    /// Whether somebody should look at it.
    pub(super) fn is_warning(&self) -> bool {
        matches!(self.level.as_str(), "WARN" | "ERROR")
    }

    /// `2026-11-21 05:38:01 [1234] WARN  it is late`.
    fn of_text(line: &str) -> Option<Self> {
        let (head, rest) = line.split_once("] ")?;
        let (time, pid) = head.rsplit_once(" [")?;
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (level, text) = rest.split_once(' ')?;
        Some(LogLine {
            time: time.to_owned(),
            level: level.to_owned(),
            text: text.trim_start().to_owned(),
        })
    }

    fn of_json(line: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(line).ok()?;
        let word = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut text = word("message")?;
        let fields = object.get("fields").and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            text += &format!(" {name}={value}");
        }
        Some(LogLine {
            time: word("timestamp").unwrap_or_default(),
            level: word("level")?,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read_and_nothing_else() {
        let line = |text: &str| {
            let line = LogLine::parse(text)?;
            Some((line.time, line.level, line.text))
        };
        let said = |time: &str, level: &str, text: &str| {
            Some((time.to_owned(), level.to_owned(), text.to_owned()))
        };
        assert_eq!(
            line("2026-11-21 05:38:01 [7] WARN  no [x] here"),
            said("2026-11-21 05:38:01", "WARN", "no [x] here")
        );
        assert_eq!(
            line(
                r#"{"timestamp":"5","pid":8,"level":"INFO","message":"slow","fields":{"rows":3}}"#
            ),
            said("5", "INFO", "slow rows=3")
        );
        for other in [
            "",
            "nothing",
            "{}",
            "{\"level\":\"WARN\"",
            "5 [x] WARN  late",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }
}
