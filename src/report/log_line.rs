//! One event of the log as a line of text.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::progress::printable;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogShape {
    /// For a file or pipe.
    Plain,
    /// For a terminal.
    Colored,
    /// For a program.
    Json,
}

impl LogShape {
    /// The same for a file.
    pub(super) fn without_color(self) -> Self {
        match self {
            LogShape::Colored => LogShape::Plain,
            other => other,
        }
    }
}

/// An event with everything that a line shows of it.
pub(super) struct LogLine {
    time: String,
    pid: u32,
    level: Level,
    target: &'static str,
    message: String,
    /// In the order in which the code names them.
    fields: Vec<(&'static str, Value)>,
}

impl LogLine {
    pub(super) fn of_event(event: &Event<'_>, time: String, pid: u32) -> Self {
        let mut line = LogLine {
            time,
            pid,
            level: *event.metadata().level(),
            target: event.metadata().target(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut line);
        line
    }

    /// The line, its end included. Line breaks inside it are kept out, so that one event is one
    /// line for whoever reads the log.
    pub(super) fn format(&self, shape: LogShape) -> String {
        match shape {
            LogShape::Json => self.json(),
            LogShape::Plain => self.text("", ""),
            LogShape::Colored => self.text(level_color(self.level), "\u{1b}[0m"),
        }
    }

    fn text(&self, color: &str, reset: &str) -> String {
        let mut line = format!(
            "{} [{}] {color}{:<5}{reset} ",
            self.time, self.pid, self.level
        );
        line.push_str(&printable(&self.message));
        for (name, value) in &self.fields {
            // Writing to a String cannot fail.
            let _ = match value {
                Value::String(text) if is_plain_word(text) => write!(line, " {name}={text}"),
                value => write!(line, " {name}={value}"),
            };
        }
        line.push('\n');
        line
    }

    fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), self.time.clone().into());
        object.insert("pid".to_owned(), self.pid.into());
        object.insert("level".to_owned(), self.level.as_str().into());
        object.insert("target".to_owned(), self.target.into());
        object.insert("message".to_owned(), self.message.clone().into());
        let fields = self.fields.iter().cloned();
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        object.insert("fields".to_owned(), Value::Object(fields.collect()));
        format!("{}\n", Value::Object(object))
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.fields.push((name, value));
            }
        }
    }
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

/// Whether `text` can stand after `=` without quotes and still be read unambiguously.
fn is_plain_word(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|character: char| character.is_whitespace() || character == '"')
}

fn level_color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG | Level::TRACE => "\u{1b}[34m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> LogLine {
        let fields = [
            ("table", Value::from("public.orders")),
            ("rows", 12.into()),
            ("why", "it is late".into()),
        ];
        LogLine {
            time: "2026-11-21 05:38:01".to_owned(),
            pid: 1234,
            level: Level::INFO,
            target: "pgflit::clone",
            message: "copied\na table".to_owned(),
            fields: fields.into(),
        }
    }

    #[test]
    fn an_event_is_one_readable_line() {
        let text = line().format(LogShape::Plain);
        assert!(
            text.starts_with("2026-11-21 05:38:01 [1234] INFO  copied\\na table "),
            "{text}"
        );
        assert!(text.contains(" table=public.orders"), "{text}");
        assert!(text.contains(" why=\"it is late\""), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn json_lines_can_be_read_back() {
        let text = line().format(LogShape::Json);
        let object: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(object["pid"], 1234);
        assert_eq!(object["fields"]["rows"], 12);
    }
}
