//! What stands at the bottom of a terminal: a line for all of it, one for each part that moves,
//! and one for each index that is being built.

use console::measure_text_width;

use super::Picture;
use super::names::{pad, shorten};
use super::picture::{coarse, percent};
use super::plain::after_rows;
use super::stage::Stage;
use crate::base::quantity::ByteSize;

/// A bar is not drawn with fewer columns: it would say nothing.
const BAR_MIN: usize = 8;
/// Nor with more: a wide one is not easier to read.
const BAR_MAX: usize = 40;
/// From this many columns on, bars begin below each other.
const ROOMY: usize = 80;
/// Names get at most one of so many parts of a line.
const LABEL_SHARE: usize = 2;

/// The terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Columns.
    pub(super) width: usize,
    /// Lines.
    pub(super) height: usize,
    /// Whether to use colours.
    pub(super) color: bool,
    /// Whether it knows more than ASCII.
    pub(super) unicode: bool,
}

/// The lines of `picture`, none wider than the terminal and not more than it has.
pub(super) fn lines(picture: &Picture, look: Look) -> Vec<String> {
    let stage = picture.stage.words();
    if picture.stage == Stage::Following {
        let stream = picture.stream.map(|stream| stream.words());
        let line = format!("{stage}: {}", stream.unwrap_or_default());
        return vec![fit(&line, look)];
    }
    if !picture.stage.moves() {
        return vec![fit(stage, look)];
    }
    let rows = detail_rows(picture);
    let labels = rows.iter().map(|row| measure_text_width(&row.name) + 2);
    let longest = labels.chain([stage.len()]).max().unwrap_or(0);
    let label_width = longest.min(look.width / LABEL_SHARE);
    // Beside the headline, one line stays free for the log, which moves up from there, and one is
    // left empty below.
    let room = look.height.saturating_sub(3).max(1);
    let shown = match rows.len() > room {
        true => room - 1,
        false => rows.len(),
    };
    let mut lines = vec![headline(picture, label_width, look)];
    let rows_shown = rows.iter().take(shown);
    lines.extend(rows_shown.map(|row| row.line(label_width, look)));
    if shown < rows.len() {
        lines.push(fit(&format!("  and {} more", rows.len() - shown), look));
    }
    lines
}

/// All of it in a line. What matters least is said last, and left out first.
fn headline(picture: &Picture, label_width: usize, look: Look) -> String {
    let (percent, facts) = match picture.percent {
        100 if !picture.stage.compares() => (
            percent(
                picture.indexes.done as u64,
                picture.indexes.total.max(1) as u64,
            ),
            after_rows(picture),
        ),
        percent => (percent, rows_and_counts(picture)),
    };
    let candidates: Vec<_> = (0..=facts.len())
        .rev()
        .map(|count| facts[..count].join(", "))
        .collect();
    let stage = picture.stage.words();
    let label = match look.width < ROOMY {
        true => stage.to_owned(),
        false => pad(stage, label_width),
    };
    with_bar(&label, percent, &candidates, look)
}

fn rows_and_counts(picture: &Picture) -> Vec<String> {
    let mut facts = vec![picture.sizes()];
    facts.extend(picture.rate());
    facts.extend(picture.time_left());
    let counts = [
        ("tables", picture.tables.done, picture.tables.total),
        ("indexes", picture.indexes.done, picture.indexes.total),
    ];
    let counts = counts.into_iter().filter(|(_, _, total)| *total > 0);
    facts.extend(counts.map(|(what, done, total)| format!("{done} of {total} {what}")));
    facts
}

/// A line about a part or an index.
struct Row {
    name: String,
    /// None for an index: nobody knows how far it is.
    percent: Option<u8>,
    facts: Vec<String>,
}

fn detail_rows(picture: &Picture) -> Vec<Row> {
    let copying = picture.tables.in_progress.iter().map(|copying| Row {
        name: copying.shown(),
        percent: Some(copying.percent),
        facts: vec![
            ByteSize(copying.total_bytes).to_string(),
            coarse(copying.elapsed),
        ],
    });
    let building = picture.indexes.in_progress.iter().map(|building| Row {
        name: building.name.shown(),
        percent: None,
        facts: vec![
            "index".to_owned(),
            ByteSize(building.bytes).to_string(),
            coarse(building.elapsed),
        ],
    });
    copying.chain(building).collect()
}

impl Row {
    fn line(&self, label_width: usize, look: Look) -> String {
        let name = shorten(&self.name, label_width.saturating_sub(2), ellipsis(look));
        let label = pad(&format!("  {name}"), label_width);
        let candidates: Vec<_> = (0..=self.facts.len())
            .map(|left_out| self.facts[left_out..].join(", "))
            .collect();
        match self.percent {
            Some(percent) => with_bar(&label, percent, &candidates, look),
            None => fit(&format!("{label}  {}", candidates[0]), look),
        }
    }
}

/// `label  62% ━━━━──── facts`: with the longest of `facts`, which begin with the longest, that
/// leaves room for a bar; without a bar where even that is too much.
fn with_bar(label: &str, percent: u8, facts: &[String], look: Look) -> String {
    let head = format!("{label} {percent:>3}% ");
    // The last column stays free: some terminals wrap when it is written.
    let room = look.width.saturating_sub(measure_text_width(&head) + 1);
    let needed = |facts: &String| match facts.is_empty() {
        true => BAR_MIN,
        false => BAR_MIN + 1 + measure_text_width(facts),
    };
    let Some(facts) = facts.iter().find(|facts| needed(facts) <= room) else {
        return fit(&head, look);
    };
    let width = (room + BAR_MIN - needed(facts)).min(BAR_MAX);
    format!("{head}{} {facts}", bar(percent, width, look))
        .trim_end()
        .to_owned()
}

fn bar(percent: u8, width: usize, look: Look) -> String {
    let full = width * usize::from(percent) / 100;
    let (done, left) = match look.unicode {
        true => ("━", "─"),
        false => ("#", "-"),
    };
    let (color, reset) = match look.color {
        true => ("\u{1b}[32m", "\u{1b}[0m"),
        false => ("", ""),
    };
    format!(
        "{color}{}{reset}{}",
        done.repeat(full),
        left.repeat(width - full)
    )
}

/// `text` on one line.
fn fit(text: &str, look: Look) -> String {
    shorten(
        text.trim_end(),
        look.width.saturating_sub(1),
        ellipsis(look),
    )
}

fn ellipsis(look: Look) -> &'static str {
    match look.unicode {
        true => "…",
        false => "...",
    }
}

#[cfg(test)]
mod tests {
    use super::super::picture::tests::picture;
    use super::*;

    fn look(width: usize, height: usize) -> Look {
        Look {
            width,
            height,
            color: false,
            unicode: false,
        }
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        assert_eq!(
            lines(&picture(), look(120, 30)),
            [
                "copying rows          25% ######------------------ 1.0 GB of 4.0 GB, 100 MB/s, \
                 ETA 30s, 3 of 12 tables, 5 of 20 indexes",
                "  public.orders 2/4   62% ########################---------------- 100 MB, 3s",
                "  \"Weird\\n\".x         62% ########################---------------- 100 MB, 3s",
                "  public.orders_pkey  index, 120 MB, 1m11s",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_loses_what_matters_least() {
        assert_eq!(
            lines(&picture(), look(48, 30)),
            [
                "copying rows  25% ###--------- 1.0 GB of 4.0 GB",
                "  public.orders 2/4   62% ######---- 100 MB, 3s",
                "  \"Weird\\n\".x         62% ######---- 100 MB, 3s",
                "  public.orders_pkey  index, 120 MB, 1m11s",
            ]
        );
    }

    #[test]
    fn no_line_is_ever_wider_or_lower_than_the_terminal() {
        let mut picture = picture();
        let one = picture.tables.in_progress[0].clone();
        picture.tables.in_progress = vec![one; 16];
        for stage in ["rows", "foreign-keys", "another step with a long name"] {
            picture.stage = Stage::Step(stage.to_owned());
            for (width, height) in (1..130).flat_map(|width| [(width, 3), (width, 10)]) {
                let lines = lines(&picture, look(width, height));
                assert!(
                    lines.len() + 1 < height.max(4),
                    "{} in {height}",
                    lines.len()
                );
                for line in lines {
                    assert!(measure_text_width(&line) <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut picture = picture();
        let one = picture.tables.in_progress[0].clone();
        picture.tables.in_progress = vec![one; 16];
        let lines = lines(&picture, look(80, 9));
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[6], "  and 12 more");
    }

    #[test]
    fn colours_and_other_characters_only_where_they_are_known() {
        let full = Look {
            color: true,
            unicode: true,
            ..look(60, 10)
        };
        assert_eq!(bar(50, 4, full), "\u{1b}[32m━━\u{1b}[0m──");
        assert_eq!(bar(50, 4, look(60, 10)), "##--");
    }
}
