//! The tables at the end of a copy.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table};
use console::measure_text_width;

use super::listing::LINES;
use super::progress::{printable, shorten};
use crate::base::QualifiedName;
use crate::base::quantity::{ByteSize, display_duration};
use crate::migration::summary::{StepSummary, Summary, TableSummary};

/// So many tables are shown on a terminal; the file has all.
const TABLES_ON_TERMINAL: usize = 20;

/// Names of tables keep at least so many columns.
const NAME_MIN: usize = 16;

/// Where it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A terminal of so many columns: the biggest tables, each on one line.
    Terminal(usize),
    /// A file or pipe: everything.
    Endless,
}

/// The tables, the steps, and one line about all of it.
pub fn text(summary: &Summary, page: Page) -> String {
    let shown = match page {
        Page::Terminal(_) => summary.tables.len().min(TABLES_ON_TERMINAL),
        Page::Endless => summary.tables.len(),
    };
    let mut text = tables(&summary.tables[..shown], page);
    if shown < summary.tables.len() {
        let more = summary.tables.len() - shown;
        text.push_str(&format!(" and {more} smaller ones, see summary.json\n"));
    }
    text.push('\n');
    text.push_str(&steps(&summary.steps, page));
    text.push('\n');
    text.push_str(&conclusion(summary));
    text
}

/// A column of numbers.
struct Column<T> {
    head: &'static str,
    value: fn(&T) -> String,
    /// Left out of a narrow terminal, the lowest first.
    worth: u8,
}

const fn column<T>(worth: u8, head: &'static str, value: fn(&T) -> String) -> Column<T> {
    Column { head, value, worth }
}

fn tables(tables: &[TableSummary], page: Page) -> String {
    let name = |table: &TableSummary| QualifiedName::new(&table.schema, &table.name).to_string();
    let columns = [
        column(2, "Parts", |table: &TableSummary| table.parts.to_string()),
        column(5, "Rows", |table| table.rows.to_string()),
        column(6, "Bytes", |table| ByteSize(table.bytes).to_string()),
        column(7, "Duration", |table| duration(table.duration_ms)),
        column(1, "Rate", |table| {
            table.bytes_per_second.map(rate).unwrap_or_default()
        }),
        column(3, "Indexes", |table| table.indexes.to_string()),
        column(4, "Index duration", |table| {
            duration(table.index_duration_ms)
        }),
    ];
    grid(("Table", &name), &columns, tables, page)
}

fn steps(steps: &[StepSummary], page: Page) -> String {
    let columns = [
        column(3, "Connection", |step: &StepSummary| {
            step.connection.clone()
        }),
        column(5, "Duration", |step| {
            step.duration_ms.map(duration).unwrap_or_default()
        }),
        column(2, "Work", |step| {
            step.work_ms.map(duration).unwrap_or_default()
        }),
        column(4, "Transfer", |step| {
            let bytes = step.transfer_bytes.map(|bytes| ByteSize(bytes).to_string());
            bytes.unwrap_or_default()
        }),
        column(1, "Concurrency", |step| {
            let jobs = step.concurrency.map(|jobs| jobs.to_string());
            jobs.unwrap_or_default()
        }),
    ];
    grid(
        ("Step", &|step: &StepSummary| step.name.clone()),
        &columns,
        steps,
        page,
    )
}

/// `rows` with their names and as many of `columns` as the page has room for.
fn grid<T>(
    (head, name): (&str, &dyn Fn(&T) -> String),
    columns: &[Column<T>],
    rows: &[T],
    page: Page,
) -> String {
    let names: Vec<_> = rows.iter().map(|row| printable(&name(row))).collect();
    let mut columns: Vec<_> = columns.iter().collect();
    let mut name_width = usize::MAX;
    if let Page::Terminal(width) = page {
        let longest = names.iter().map(|name| measure_text_width(name)).max();
        let wanted = longest.unwrap_or(0).max(head.len());
        let least = wanted.min(NAME_MIN) + 3;
        while columns.len() > 1 && least + width_of(&columns, rows) > width {
            let worst = columns.iter().map(|column| column.worth).min();
            columns.retain(|column| Some(column.worth) != worst);
        }
        let room = width.saturating_sub(3 + width_of(&columns, rows));
        name_width = room.max(wanted.min(NAME_MIN));
    }
    let mut table = Table::new();
    table.load_style(LINES);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let mut heads = vec![Cell::new(head)];
    heads.extend(columns.iter().map(|column| right(column.head.to_owned())));
    table.set_header(heads);
    for (row, name) in rows.iter().zip(names) {
        let mut cells = vec![Cell::new(shorten(&name, name_width, "..."))];
        cells.extend(columns.iter().map(|column| right((column.value)(row))));
        table.add_row(cells);
    }
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// How wide `columns` are, with what stands between them.
fn width_of<T>(columns: &[&Column<T>], rows: &[T]) -> usize {
    let width = |column: &&Column<T>| {
        let values = rows.iter().map(|row| (column.value)(row).len());
        values.max().unwrap_or(0).max(column.head.len()) + 3
    };
    columns.iter().map(width).sum()
}

fn conclusion(summary: &Summary) -> String {
    let total = &summary.total;
    let mut words = format!(
        "{} tables, {} rows, {}, {} indexes",
        total.tables,
        total.rows,
        ByteSize(total.bytes),
        total.indexes
    );
    if let Some(took) = summary.run.duration_ms {
        words.push_str(&format!(" in {}", duration(took)));
    }
    if let Some(endpos) = &summary.run.endpos {
        words.push_str(&format!("; followed to {endpos}"));
    }
    words + "\n"
}

fn duration(millis: u64) -> String {
    display_duration(Duration::from_millis(millis))
}

fn rate(bytes: u64) -> String {
    format!("{}/s", ByteSize(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::summary::{RunSummary, Total};

    fn summary(count: u32) -> Summary {
        let table = |oid| TableSummary {
            oid,
            schema: "public".to_owned(),
            name: format!("T\n{oid}"),
            parts: 1,
            rows: 10,
            bytes: 2048,
            source_bytes: 8192,
            duration_ms: 1500,
            bytes_per_second: Some(1365),
            indexes: 2,
            index_duration_ms: 20,
        };
        Summary {
            pgflit: "1".to_owned(),
            run: RunSummary {
                source: "a".to_owned(),
                target: None,
                begun_at: String::new(),
                finished_at: None,
                duration_ms: Some(61_000),
                follow: true,
                endpos: Some("0/1".to_owned()),
                conflicts: 0,
            },
            total: Total {
                tables: count as usize,
                rows: 10 * u64::from(count),
                bytes: 2048 * u64::from(count),
                ..Total::default()
            },
            steps: vec![StepSummary {
                name: "rows".to_owned(),
                connection: "both".to_owned(),
                duration_ms: Some(1500),
                work_ms: Some(3000),
                transfer_bytes: Some(2048),
                concurrency: Some(4),
            }],
            tables: (0..count).map(table).collect(),
        }
    }

    #[test]
    fn tables_then_steps_then_all_of_it_in_a_line() {
        let text = text(&summary(1), Page::Endless);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[2],
            " public.\"T\\n0\" |     1 |   10 | 2.0 kB |     1.5s | 1.3 kB/s |       2 |           20ms"
        );
        assert_eq!(
            lines[6],
            " rows |       both |     1.5s | 3.0s |   2.0 kB |           4"
        );
        assert_eq!(
            lines[8],
            "1 tables, 10 rows, 2.0 kB, 0 indexes in 1m01s; followed to 0/1"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut summary = summary(2);
        summary.tables[0].name = "long".repeat(15);
        for width in 40..130 {
            let text = text(&summary, Page::Terminal(width));
            for line in text.lines().filter(|line| line.contains('|')) {
                assert!(measure_text_width(line) <= width, "{width}: {line}");
            }
            assert!(text.contains("Duration"), "{text}");
        }
    }

    #[test]
    fn a_terminal_gets_the_biggest_and_a_file_all() {
        let on_terminal = text(&summary(50), Page::Terminal(100));
        assert!(on_terminal.contains(" and 30 smaller ones, see summary.json"));
        assert_eq!(on_terminal.matches("public.").count(), 20);
        let in_file = text(&summary(50), Page::Endless);
        assert_eq!(in_file.matches("public.").count(), 50);
    }
}
