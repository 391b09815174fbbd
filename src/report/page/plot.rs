//! Something over time, drawn.
//!
//! Positions are in percent and text is in pixels, so that a plot is as wide as there is room, and can
//! be read on a telephone as well as on paper.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::html::{escaped, moment};
use super::scale::{Unit, clock, ticks};

/// The plot's height in pixels, without what is written below it.
const HEIGHT: f64 = 180.0;

/// The box that lines are drawn in, whatever its shape on the screen.
const BOX: f64 = 1000.0;

/// Values are connected unless so many times the usual time lies between them: nobody looked then.
const GAP: f64 = 6.0;

/// One plot.
#[derive(Debug)]
pub(super) struct Plot<'a> {
    /// What it shows; also its name for those who hear it.
    pub(super) title: &'a str,
    /// In a sentence, what is to be known of it.
    pub(super) says: String,
    /// Of its values.
    pub(super) unit: Unit,
    /// When and what, in order.
    pub(super) points: &'a [(f64, f64)],
    /// From when to when.
    pub(super) span: (f64, f64),
    /// Moments to be marked, and how they are called.
    pub(super) marks: &'a [(f64, String)],
    /// What the clock says.
    pub(super) zone: &'a TimeZone,
}

impl Plot<'_> {
    /// As a figure.
    pub(super) fn html(&self) -> String {
        let ticks = ticks(self.unit, self.most());
        let top = ticks.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
        let title = escaped(self.title);
        let mut html = format!(
            "<figure>\n<figcaption><b>{title}</b> {}</figcaption>\n<div class=\"plot\">\n",
            escaped(&self.says)
        );
        html += "<svg class=\"axis\" aria-hidden=\"true\">";
        for tick in &ticks {
            let (y, text) = (height_of(*tick, top), self.unit.text(*tick, self.most()));
            let _ = write!(
                html,
                "<text x=\"100%\" y=\"{:.1}\" dy=\"4\">{text}</text>",
                y + 10.0
            );
        }
        let _ = write!(
            html,
            "</svg>\n<svg class=\"area\" role=\"img\" aria-label=\"{title}: {}\"><title>{title}</title>",
            escaped(&self.says)
        );
        for tick in &ticks {
            let y = height_of(*tick, top) + 10.0;
            let _ = write!(
                html,
                "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            );
        }
        html += &self.clock();
        html += &self.lines(top);
        html += &self.marked();
        html + "</svg>\n</div>\n</figure>\n"
    }

    fn most(&self) -> f64 {
        let values = self.points.iter().map(|(_, value)| *value);
        values.fold(0.0, f64::max)
    }

    /// How far right `at` is, in percent.
    fn percent(&self, at: f64) -> f64 {
        let (begin, end) = self.span;
        ((at - begin) / (end - begin).max(1e-3) * 100.0).clamp(0.0, 100.0)
    }

    fn clock(&self) -> String {
        let mut html = String::new();
        let y = HEIGHT + 26.0;
        for (number, (at, text)) in clock(self.span.0, self.span.1, self.zone)
            .iter()
            .enumerate()
        {
            let (x, minor) = (
                self.percent(*at),
                if number % 2 == 1 { " minor" } else { "" },
            );
            let _ = write!(
                html,
                "<line class=\"tick\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{}\" y2=\"{}\"/>\
                 <text class=\"x{minor}\" x=\"{x:.2}%\" y=\"{y}\">{text}</text>",
                HEIGHT + 10.0,
                HEIGHT + 14.0
            );
        }
        html
    }

    /// The area and the line above it, in as many pieces as there are.
    fn lines(&self, top: f64) -> String {
        let (mut area, mut line) = (String::new(), String::new());
        for piece in pieces(self.points) {
            let place = |(at, value): &(f64, f64)| {
                let x = self.percent(*at) / 100.0 * BOX;
                (x, height_of(*value, top) / HEIGHT * BOX)
            };
            let places: Vec<_> = piece.iter().map(place).collect();
            let (Some(first), Some(last)) = (places.first(), places.last()) else {
                continue;
            };
            let mut path = String::new();
            for (number, (x, y)) in places.iter().enumerate() {
                let _ = write!(path, "{}{x:.1} {y:.1}", if number == 0 { "M" } else { "L" });
            }
            // A single value is a dot: a line of no length with round ends.
            if places.len() == 1 {
                let _ = write!(path, "L{:.1} {:.1}", first.0, first.1);
            }
            line += &path;
            let _ = write!(area, "{path}L{:.1} {BOX}L{:.1} {BOX}Z", last.0, first.0);
        }
        format!(
            "<svg x=\"0\" y=\"10\" width=\"100%\" height=\"{HEIGHT}\" viewBox=\"0 0 {BOX} {BOX}\" \
             preserveAspectRatio=\"none\"><path class=\"fill\" d=\"{area}\"/>\
             <path class=\"line\" d=\"{line}\"/></svg>"
        )
    }

    fn marked(&self) -> String {
        let mut html = String::new();
        for (at, what) in self.marks {
            let x = self.percent(*at);
            let when = moment(*at, self.zone).strftime("%H:%M:%S");
            let _ = write!(
                html,
                "<line class=\"mark\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"10\" y2=\"{}\">\
                 <title>{} at {when}</title></line>",
                HEIGHT + 10.0,
                escaped(what)
            );
        }
        html
    }
}

/// How far down `value` is, in pixels.
fn height_of(value: f64, top: f64) -> f64 {
    (1.0 - (value / top).clamp(0.0, 1.0)) * HEIGHT
}

/// The values that are to be connected.
fn pieces(points: &[(f64, f64)]) -> Vec<&[(f64, f64)]> {
    let mut apart: Vec<_> = points.windows(2).map(|two| two[1].0 - two[0].0).collect();
    apart.sort_by(f64::total_cmp);
    let usual = apart.get(apart.len() / 2).copied().unwrap_or(1.0).max(0.1);
    points
        .chunk_by(|one, next| (0.0..usual * GAP).contains(&(next.0 - one.0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static ZONE: TimeZone = TimeZone::UTC;

    fn plot<'a>(points: &'a [(f64, f64)], marks: &'a [(f64, String)]) -> Plot<'a> {
        Plot {
            title: "<Lag>",
            says: "at most \"5\"".to_owned(),
            unit: Unit::Bytes,
            points,
            span: (0.0, 10.0),
            marks,
            zone: &ZONE,
        }
    }

    #[test]
    fn a_plot_has_its_axes_its_line_and_nothing_unescaped() {
        let points = [(0.0, 0.0), (5.0, 5.0), (10.0, 2.0)];
        let marks = [(7.5, "cutover & back".to_owned())];
        let html = plot(&points, &marks).html();
        for part in [
            "aria-label=\"&lt;Lag&gt;: at most &quot;5&quot;\"",
            "<title>&lt;Lag&gt;</title>",
            "d=\"M0.0 1000.0L500.0 166.7L1000.0 666.7\"",
            ">6 B</text>",
            ">00:00:02</text>",
            "x1=\"75.00%\"",
            "cutover &amp; back at 00:00:07",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
    }

    #[test]
    fn nothing_is_drawn_where_nobody_looked_and_one_value_is_a_dot() {
        let of = |times: &[f64]| -> Vec<usize> {
            let points: Vec<_> = times.iter().map(|at| (*at, 1.0)).collect();
            pieces(&points).iter().map(|piece| piece.len()).collect()
        };
        assert_eq!(of(&[]), [0usize; 0]);
        assert_eq!(of(&[1.0]), [1]);
        assert_eq!(of(&[1.0, 2.0, 3.0, 60.0, 61.0]), [3, 2]);
        // A clock that was set back.
        assert_eq!(of(&[1.0, 2.0, 3.0, 1.5, 2.5]), [3, 2]);
        let html = plot(&[(5.0, 0.0)], &[]).html();
        assert!(html.contains("M500.0 1000.0L500.0 1000.0"), "{html}");
    }
}
