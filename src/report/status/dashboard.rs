//! The screen that is drawn anew: panels beside each other where there is room, otherwise lines with
//! their labels, the most important first.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols;
use ratatui::text::{Line as Drawn, Span as DrawnSpan};
use ratatui::widgets::{Block, Paragraph, Sparkline};

use super::history::History;
use super::section::{Bars, Line, Section, Tone, judged, sections};
use super::text::wrapped;
use crate::base::quantity::ByteSize;
use crate::migration::status::Status;
use crate::report::progress::{coarse, printable, shorten};

/// From so many columns and rows on, panels are drawn.
const PANELS_FROM: (u16, u16) = (100, 28);

/// With fewer columns, labels are above their lines.
const LABELS_FROM: u16 = 60;

/// Columns of a label and the space behind it.
const LABEL: u16 = 10;

/// Rows of the lag's picture in a panel, its title included, and where there is room.
const SPARK: u16 = 5;
const SPARK_MAX: u16 = 13;

/// Panels on the right; the others are on the left.
const RIGHT: [&str; 4] = ["changes", "source", "target", "disk"];

/// The heights of a picture without Unicode.
const ASCII_BARS: symbols::bar::Set<'static> = symbols::bar::Set {
    full: "#",
    seven_eighths: "#",
    three_quarters: "#",
    five_eighths: "=",
    half: "=",
    three_eighths: "-",
    one_quarter: "-",
    one_eighth: ".",
    empty: " ",
};

/// The frame of a panel without Unicode.
const ASCII_BORDER: symbols::border::Set<'static> = symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// What is drawn.
#[derive(Debug)]
pub struct View<'a> {
    /// The last look.
    pub status: &'a Status,
    /// What the looks before have shown.
    pub history: &'a History,
    /// Whether in colours.
    pub colored: bool,
    /// Whether more than ASCII can be shown.
    pub unicode: bool,
}

/// Draws it, whatever the size.
pub fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let [head, state, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    view.head(frame, head);
    view.state(frame, state);
    let (columns, rows) = PANELS_FROM;
    let has_panels = body.width >= columns && frame.area().height >= rows;
    if !(has_panels && view.panels(frame, body)) {
        view.lines(frame, body);
    }
    let quit = Style::new().add_modifier(Modifier::DIM);
    frame.render_widget(Paragraph::new(" q quits").style(quit), foot);
}

impl View<'_> {
    fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        let color = |color| match self.colored {
            true => style.fg(color),
            false => style,
        };
        match tone {
            Tone::Plain => style,
            Tone::Dim => style.add_modifier(Modifier::DIM),
            Tone::Good => color(Color::Green),
            Tone::Warn => color(Color::Yellow),
            Tone::Bad => color(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    fn drawn(&self, line: &Line) -> Drawn<'static> {
        let spans = line.iter().map(|span| {
            let text = match self.unicode {
                true => span.text.clone(),
                false => span.text.replace('…', "..."),
            };
            DrawnSpan::styled(text, self.style(span.tone))
        });
        Drawn::from_iter(spans)
    }

    /// Where, and when it was looked at.
    fn head(&self, frame: &mut Frame<'_>, area: Rect) {
        let time = jiff::Timestamp::from_second(self.status.at as i64).unwrap_or_default();
        let time = time.to_zoned(jiff::tz::TimeZone::system());
        let time = format!("{} ", time.strftime("%H:%M:%S"));
        let room = usize::from(area.width).saturating_sub(time.len() + 1);
        let place = format!(" pgflit  {}", printable(&self.status.work_dir));
        let bar = Style::new().add_modifier(Modifier::REVERSED);
        let place = shorten(&place, room, self.ellipsis());
        frame.render_widget(Paragraph::new(place).style(bar), area);
        let time = Paragraph::new(time).right_aligned().style(bar);
        let right = Rect {
            x: area.x + area.width.saturating_sub(10),
            width: area.width.min(10),
            ..area
        };
        frame.render_widget(time, right);
    }

    fn state(&self, frame: &mut Frame<'_>, area: Rect) {
        let judged = judged(self.status);
        let room = usize::from(area.width).saturating_sub(2);
        // Its beginning says most.
        let lines = wrapped(&vec![judged.clone()], room.max(1));
        let first = lines.first().map(|line| self.drawn(line).to_string());
        let text = format!(" {}", first.unwrap_or_default());
        let style = self.style(judged.tone).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(text).style(style), area);
    }

    /// What the picture of the lag is called.
    fn spark_title(&self) -> String {
        let most = ByteSize(self.history.max_lag());
        match self.history.caught_up_in() {
            None => format!("lag, at most {most}"),
            Some(seconds) => {
                let left = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
                format!("lag, at most {most}; caught up in about {}", coarse(left))
            }
        }
    }

    fn spark(&self, frame: &mut Frame<'_>, area: Rect) {
        let data = self.history.lag(usize::from(area.width));
        let bars = match self.unicode {
            true => symbols::bar::NINE_LEVELS,
            false => ASCII_BARS,
        };
        // Without any lag, nothing is drawn instead of bars of no height.
        let most = self.history.max_lag().max(1);
        let spark = Sparkline::default()
            .data(&data)
            .max(most)
            .bar_set(bars)
            .style(self.style(Tone::Good));
        frame.render_widget(spark, area);
    }

    fn has_spark(&self, section: &Section) -> bool {
        section.label == "changes" && self.history.lag(2).len() == 2
    }

    /// Panels in two columns. False if there is not enough room for all.
    fn panels(&self, frame: &mut Frame<'_>, body: Rect) -> bool {
        let columns: [Rect; 2] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(body);
        let inner = usize::from(columns[0].width.saturating_sub(2));
        let bars = Bars {
            width: inner,
            unicode: self.unicode,
        };
        let all: Vec<_> = sections(self.status, bars)
            .into_iter()
            .map(|section| Panel::of(section, inner, self))
            .collect();
        let (mut right, left): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|panel| RIGHT.contains(&panel.section.label));
        let height = |panels: &[Panel]| panels.iter().map(Panel::height).sum::<u16>();
        if height(&left) > body.height || height(&right) > body.height {
            return false;
        }
        let room = body.height - height(&right);
        if let Some(panel) = right.iter_mut().find(|panel| panel.spark > 0) {
            panel.spark = (panel.spark + room).min(SPARK_MAX);
        }
        for (column, panels) in columns.into_iter().zip([left, right]) {
            let mut top = column.y;
            for panel in &panels {
                let area = Rect {
                    y: top,
                    height: panel.height(),
                    ..column
                };
                top += panel.height();
                self.panel(frame, area, panel);
            }
        }
        true
    }

    fn panel(&self, frame: &mut Frame<'_>, area: Rect, panel: &Panel) {
        let mut block = Block::bordered().title(format!(" {} ", panel.section.label));
        block = match (self.unicode, panel.section.label) {
            (false, _) => block.border_set(ASCII_BORDER),
            (true, _) => block,
        };
        if panel.section.label == "stalled" {
            block = block.border_style(self.style(Tone::Bad));
        } else {
            block = block.border_style(self.style(Tone::Dim));
        }
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let text_height = inner.height.saturating_sub(panel.spark);
        let lines: Vec<_> = panel.lines.iter().map(|line| self.drawn(line)).collect();
        let text = Rect {
            height: text_height,
            ..inner
        };
        frame.render_widget(Paragraph::new(lines), text);
        if panel.spark > 1 {
            let title = Rect {
                y: inner.y + text_height,
                height: 1,
                ..inner
            };
            let words = Paragraph::new(self.spark_title()).style(self.style(Tone::Dim));
            frame.render_widget(words, title);
            let picture = Rect {
                y: title.y + 1,
                height: panel.spark - 1,
                ..inner
            };
            self.spark(frame, picture);
        }
    }

    /// One line below the other. What does not fit is left out: first what hardly matters, then what
    /// is at the end.
    fn lines(&self, frame: &mut Frame<'_>, body: Rect) {
        let is_narrow = body.width < LABELS_FROM;
        let indent = if is_narrow { 1 } else { LABEL + 1 };
        let room = usize::from(body.width.saturating_sub(indent + 1));
        let bars = Bars {
            width: room,
            unicode: self.unicode,
        };
        let mut sections = sections(self.status, bars);
        let height = |sections: &[Section]| -> usize {
            let of = |section: &Section| {
                let lines = section.lines.iter();
                let lines: usize = lines.map(|line| wrapped(line, room).len()).sum();
                lines + usize::from(is_narrow)
            };
            let spark = sections.iter().filter(|one| self.has_spark(one)).count();
            sections.iter().map(of).sum::<usize>() + spark
        };
        let most = usize::from(body.height);
        if height(&sections) > most {
            for section in &mut sections {
                let is_dim = |line: &Line| line.iter().all(|span| span.tone == Tone::Dim);
                if section.lines.iter().any(|line| !is_dim(line)) {
                    section.lines.retain(|line| !is_dim(line));
                }
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        for section in &sections {
            let mut label = Some(section.label);
            if is_narrow {
                rows.push(Row::Label(section.label));
                label = None;
            }
            for line in section.lines.iter().flat_map(|line| wrapped(line, room)) {
                rows.push(Row::Text(label.take(), line));
            }
            if self.has_spark(section) {
                rows.push(Row::Spark);
            }
        }
        if rows.len() > most {
            let left_out = rows.len() + 1 - most.max(1);
            rows.truncate(most.saturating_sub(1));
            rows.push(Row::More(left_out));
        }
        for (row, at) in rows.iter().zip(body.y..) {
            let area = Rect {
                y: at,
                height: 1,
                ..body
            };
            self.row(frame, area, row, indent);
        }
    }

    fn row(&self, frame: &mut Frame<'_>, area: Rect, row: &Row, indent: u16) {
        let label_area = Rect {
            x: area.x + 1,
            width: area.width.saturating_sub(1).min(LABEL),
            ..area
        };
        let text_area = Rect {
            x: area.x + indent,
            width: area.width.saturating_sub(indent),
            ..area
        };
        let label = |frame: &mut Frame<'_>, label: &'static str| {
            let tone = if label == "stalled" {
                Tone::Bad
            } else {
                Tone::Dim
            };
            let words = Paragraph::new(label).style(self.style(tone));
            frame.render_widget(words, label_area);
        };
        match row {
            Row::Label(text) => label(frame, text),
            Row::Text(text, line) => {
                if let Some(text) = text {
                    label(frame, text);
                }
                frame.render_widget(Paragraph::new(self.drawn(line)), text_area);
            }
            Row::Spark => {
                let title = self.spark_title();
                let room = text_area.width / 2;
                let width = u16::try_from(title.len()).unwrap_or(u16::MAX).min(room);
                let [words, picture] =
                    Layout::horizontal([Constraint::Length(width + 1), Constraint::Fill(1)])
                        .areas(text_area);
                let title = shorten(&title, usize::from(width), self.ellipsis());
                let title = Paragraph::new(title).style(self.style(Tone::Dim));
                frame.render_widget(title, words);
                self.spark(frame, picture);
            }
            Row::More(count) => {
                let text = format!(" {count} more lines need a larger window");
                frame.render_widget(Paragraph::new(text).style(self.style(Tone::Dim)), area);
            }
        }
    }
}

/// A row of the screen without panels.
enum Row {
    Label(&'static str),
    Text(Option<&'static str>, Line),
    Spark,
    More(usize),
}

/// A section in a frame.
struct Panel {
    section: Section,
    lines: Vec<Line>,
    spark: u16,
}

impl Panel {
    fn of(section: Section, width: usize, view: &View<'_>) -> Self {
        let lines = section.lines.iter();
        let lines = lines.flat_map(|line| wrapped(line, width)).collect();
        let spark = if view.has_spark(&section) { SPARK } else { 0 };
        Self {
            section,
            lines,
            spark,
        }
    }

    fn height(&self) -> u16 {
        let lines = u16::try_from(self.lines.len()).unwrap_or(u16::MAX - SPARK - 2);
        lines + self.spark + 2
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::samples;
    use super::*;

    /// What stands on a screen of this size, row by row.
    fn screen((width, height): (u16, u16), status: &Status, unicode: bool) -> Vec<String> {
        let mut history = History::default();
        for lag in [4_u32, 3, 2, 1, 2] {
            let mut then = status.clone();
            then.at -= f64::from(lag);
            for stream in &mut then.streams {
                stream.lag_bytes = u64::from(lag) << 20;
            }
            history.note(&then);
        }
        let view = View {
            status,
            history: &history,
            colored: true,
            unicode,
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal.draw(|frame| draw(frame, &view)).expect("drawn");
        let buffer = terminal.backend().buffer();
        let rows = buffer.content.chunks(usize::from(width));
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect())
            .collect()
    }

    const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 30), (200, 50)];

    #[test]
    fn every_size_shows_where_it_is_what_it_does_and_how_to_leave() {
        for status in samples::all() {
            for size in SIZES.into_iter().chain([(10, 3), (1, 1), (500, 200)]) {
                let rows = screen(size, &status, true);
                if size.0 < 40 {
                    continue;
                }
                assert!(rows[0].contains("/work/dir"), "{rows:#?}");
                let head = super::super::headline(&status);
                assert!(rows[1].contains(&head[..20]), "{rows:#?}");
                let last = rows.last().expect("a row");
                assert!(last.contains("q quits"), "{rows:#?}");
            }
        }
    }

    #[test]
    fn at_80_columns_all_of_a_copy_is_there() {
        let all = screen((80, 24), &samples::copying(), true).join("\n");
        for text in [
            "ETA 20s",
            "public.orders 2/4",
            "48%",
            "prefetching",
            "lag 8.0 MB",
            "at most 4.0 MB",
            "connection refused",
            "4.0 GB free",
            "max_slot_wal_keep_size",
        ] {
            assert!(all.contains(text), "{text} is not on\n{all}");
        }
        assert!(!all.contains("more lines"), "{all}");
    }

    #[test]
    fn on_a_large_screen_there_are_panels_and_the_lag_is_a_picture() {
        let rows = screen((200, 50), &samples::stalled(), true);
        let all = rows.join("\n");
        for text in [
            "┌ stalled ",
            "┌ copy ",
            "┌ changes ",
            "┌ proxy ",
            "┌ warnings ",
            "pg_terminate_backend(123)",
            "fell back to disk 2 times",
            "█",
        ] {
            assert!(all.contains(text), "{text} is not on\n{all}");
        }
    }

    #[test]
    fn on_the_smallest_screen_what_stalls_comes_first() {
        let rows = screen((40, 12), &samples::stalled(), true);
        assert!(rows[2].contains("stalled"), "{rows:#?}");
        assert!(rows[3].contains("apply waits for a lock"), "{rows:#?}");
        assert!(rows[10].contains("more lines"), "{rows:#?}");
    }

    #[test]
    fn a_terminal_that_knows_ascii_alone_gets_nothing_else() {
        for status in samples::all() {
            for size in SIZES {
                let all = screen(size, &status, false).join("\n");
                assert!(all.is_ascii(), "{all}");
            }
        }
    }
}
