//! The text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{Display, Write};

use crate::proxy::statistics::Distribution;
use crate::proxy::statistics::histogram::BOUNDS_NS;

/// What HTTP calls it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text in the making.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    /// What every sample is labelled with besides its own.
    common: Vec<(&'static str, String)>,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Never goes down.
    Counter,
    /// May.
    Gauge,
    /// Durations in classes.
    Histogram,
}

/// The samples of one metric.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
    common: &'a [(&'static str, String)],
}

impl Exposition {
    /// A text whose samples all have the label `name`, with this value.
    pub fn labelled(name: &'static str, value: &str) -> Self {
        Self {
            text: String::new(),
            common: vec![(name, value.to_owned())],
        }
    }

    /// Begins a metric: its samples follow before any other's.
    pub fn family(&mut self, name: &'static str, kind: Type, help: &str) -> Family<'_> {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        let text = &mut self.text;
        text.push_str("# HELP ");
        text.push_str(name);
        text.push(' ');
        escape(text, help, false);
        // Writing to a text cannot fail.
        let _ = write!(text, "\n# TYPE {name} {kind}\n");
        Family {
            name,
            text,
            common: &self.common,
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// One sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, value);
    }

    /// The samples of a histogram, in seconds.
    pub fn histogram(&mut self, labels: &[(&str, &str)], distribution: &Distribution) {
        let bounds = BOUNDS_NS.iter().map(|bound| seconds(*bound).to_string());
        let bounds: Vec<String> = bounds.chain(["+Inf".to_owned()]).collect();
        let mut sum = 0;
        for (bound, count) in bounds.iter().zip(distribution.classes) {
            sum += count;
            let mut labels = labels.to_vec();
            labels.push(("le", bound));
            self.line("_bucket", &labels, sum);
        }
        self.line("_sum", labels, seconds(distribution.sum_ns));
        self.line("_count", labels, sum);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let text = &mut *self.text;
        text.push_str(self.name);
        text.push_str(suffix);
        let common = self.common.iter();
        let common = common.map(|(label, value)| (*label, value.as_str()));
        let mut before = '{';
        for (label, value) in labels.iter().copied().chain(common) {
            text.push(before);
            text.push_str(label);
            text.push_str("=\"");
            escape(text, value, true);
            text.push('"');
            before = ',';
        }
        if before == ',' {
            text.push('}');
        }
        // Writing to a text cannot fail.
        let _ = writeln!(text, " {value}");
    }
}

/// Nanoseconds as seconds, as Prometheus has them.
pub fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn escape(out: &mut String, text: &str, is_quoted: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if is_quoted => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::statistics::Histogram;

    #[test]
    fn samples_are_written_as_the_format_wants_them() {
        let mut exposition = Exposition::default();
        let mut family = exposition.family("a_total", Type::Counter, "back\\slash\nline \"x\"");
        family.sample(&[("database", "q\"b\\s\nn"), ("for", "x")], 7);
        exposition.family("b", Type::Gauge, "b").sample(&[], 0.5);
        assert_eq!(
            exposition.into_text(),
            "# HELP a_total back\\\\slash\\nline \"x\"\n# TYPE a_total counter\n\
             a_total{database=\"q\\\"b\\\\s\\nn\",for=\"x\"} 7\n\
             # HELP b b\n# TYPE b gauge\nb 0.5\n"
        );
    }

    #[test]
    fn what_all_have_in_common_comes_last() {
        let mut exposition = Exposition::labelled("work_dir", "/a \"b\"");
        let mut family = exposition.family("a", Type::Gauge, "a");
        family.sample(&[], 1);
        family.sample(&[("side", "source")], 2);
        let text = exposition.into_text();
        assert!(text.ends_with(
            "a{work_dir=\"/a \\\"b\\\"\"} 1\na{side=\"source\",work_dir=\"/a \\\"b\\\"\"} 2\n"
        ));
    }

    #[test]
    fn the_classes_of_a_histogram_hold_those_below_them() {
        let histogram = Histogram::default();
        histogram.count(150_000, 1);
        histogram.count(100_000_000_000, 1);
        let mut exposition = Exposition::default();
        let mut family = exposition.family("h_seconds", Type::Histogram, "h");
        family.histogram(&[("database", "shop")], &histogram.read());
        let text = exposition.into_text();
        for line in [
            "h_seconds_bucket{database=\"shop\",le=\"0.0001\"} 0\n",
            "h_seconds_bucket{database=\"shop\",le=\"0.0002\"} 1\n",
            "h_seconds_bucket{database=\"shop\",le=\"60\"} 1\n",
            "h_seconds_bucket{database=\"shop\",le=\"+Inf\"} 2\n",
            "h_seconds_sum{database=\"shop\"} 100.00015\n",
            "h_seconds_count{database=\"shop\"} 2\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
