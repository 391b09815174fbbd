//! What came after what, and how long each took, drawn as bars.

use std::fmt::Write as _;

use super::html::escaped;

/// Pixels from one bar to the next.
const ROW: f64 = 26.0;

/// Bars that are drawn; what is more is left to the table beside them.
const BARS_MAX: usize = 100;

/// A bar shorter than this, in percent, could not be seen.
const SHORTEST: f64 = 0.4;

/// One bar.
#[derive(Debug)]
pub(super) struct Bar {
    /// What it is.
    pub(super) name: String,
    /// From where to where.
    pub(super) span: (f64, f64),
    /// How long that was, in words.
    pub(super) says: String,
    /// `done`, `open` or `held`: how it is coloured.
    pub(super) class: &'static str,
}

/// Ticks below bars: where, and what they say.
pub(super) type Ticks = Vec<(f64, String)>;

/// A figure of `bars` within `span`.
pub(super) fn figure(
    title: &str,
    says: &str,
    bars: &[Bar],
    span: (f64, f64),
    ticks: &Ticks,
) -> String {
    let percent = |at: f64| ((at - span.0) / (span.1 - span.0).max(1e-6) * 100.0).clamp(0.0, 100.0);
    let shown = bars.get(..BARS_MAX).unwrap_or(bars);
    let bottom = shown.len() as f64 * ROW;
    let title = escaped(title);
    let mut html = format!(
        "<figure>\n<figcaption><b>{title}</b> {}</figcaption>\n<div class=\"bars\">\n\
         <svg class=\"axis\" aria-hidden=\"true\" style=\"height:{}px\">",
        escaped(says),
        bottom + 30.0
    );
    for (number, bar) in shown.iter().enumerate() {
        let y = number as f64 * ROW + 17.0;
        let _ = write!(
            html,
            "<text x=\"100%\" y=\"{y}\">{}</text>",
            escaped(&bar.name)
        );
    }
    let _ = write!(
        html,
        "</svg>\n<svg class=\"area\" role=\"img\" aria-label=\"{title}\" style=\"height:{}px\">\
         <title>{title}</title>",
        bottom + 30.0
    );
    for (number, (at, text)) in ticks.iter().enumerate() {
        let (x, minor) = (percent(*at), if number % 2 == 1 { " minor" } else { "" });
        let _ = write!(
            html,
            "<line class=\"grid\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"0\" y2=\"{bottom}\"/>\
             <text class=\"x{minor}\" x=\"{x:.2}%\" y=\"{}\">{}</text>",
            bottom + 18.0,
            escaped(text)
        );
    }
    for (number, bar) in shown.iter().enumerate() {
        html += &drawn(
            bar,
            number as f64 * ROW,
            percent(bar.span.0),
            percent(bar.span.1),
        );
    }
    html += "</svg>\n</div>\n";
    if shown.len() < bars.len() {
        let _ = writeln!(
            html,
            "<p class=\"note\">{} more are not drawn.</p>",
            bars.len() - shown.len()
        );
    }
    html + "</figure>\n"
}

/// The bar and its words: inside where there is room, else at the side where there is.
fn drawn(bar: &Bar, y: f64, left: f64, right: f64) -> String {
    let width = (right - left).max(SHORTEST);
    let left = left.min(100.0 - width);
    let right = left + width;
    let (x, dx, class) = match (width, right) {
        (30.0.., _) => (right, -6, "in end"),
        (_, ..70.0) => (right, 6, "out"),
        _ => (left, -6, "out end"),
    };
    format!(
        "<rect class=\"{}\" x=\"{left:.2}%\" width=\"{width:.2}%\" y=\"{}\" height=\"{}\" rx=\"3\">\
         <title>{}: {}</title></rect><text class=\"{class}\" x=\"{x:.2}%\" dx=\"{dx}\" y=\"{}\">{}</text>",
        bar.class,
        y + 3.0,
        ROW - 6.0,
        escaped(&bar.name),
        escaped(&bar.says),
        y + 17.0,
        escaped(&bar.says)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(from: f64, to: f64) -> Bar {
        Bar {
            name: "a<b".to_owned(),
            span: (from, to),
            says: "1s".to_owned(),
            class: "done",
        }
    }

    #[test]
    fn the_words_of_a_bar_stand_where_there_is_room() {
        let html = |from, to| figure("t", "", &[bar(from, to)], (0.0, 10.0), &Vec::new());
        assert!(html(0.0, 8.0).contains("class=\"in end\" x=\"80.00%\""));
        assert!(html(0.0, 1.0).contains("class=\"out\" x=\"10.00%\""));
        assert!(html(9.0, 9.5).contains("class=\"out end\" x=\"90.00%\""));
        assert!(html(0.0, 1.0).contains("a&lt;b"));
    }

    #[test]
    fn a_bar_of_no_length_can_be_seen_and_all_stay_inside() {
        let at_end = figure("t", "", &[bar(10.0, 10.0)], (0.0, 10.0), &Vec::new());
        assert!(at_end.contains("x=\"99.60%\" width=\"0.40%\""), "{at_end}");
        let many: Vec<_> = (0..150).map(|_| bar(0.0, 1.0)).collect();
        let html = figure("t", "", &many, (0.0, 1.0), &Vec::new());
        assert!(html.contains("50 more are not drawn"), "{html}");
    }
}
