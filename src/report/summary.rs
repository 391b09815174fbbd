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
    text.push_str(&steps(&summary.steps));
    text.push('\n');
    text.push_str(&conclusion(summary));
    text
}

/// A column of the table of tables.
struct Column {
    head: &'static str,
    value: fn(&TableSummary) -> String,
    /// Left out of a narrow terminal, the lowest first.
    worth: u8,
}

const COLUMNS: [Column; 7] = [
    Column {
        head: "Parts",
        value: |table| table.parts.to_string(),
        worth: 2,
    },
    Column {
        head: "Rows",
        value: |table| table.rows.to_string(),
        worth: 5,
    },
    Column {
        head: "Bytes",
        value: |table| ByteSize(table.bytes).to_string(),
        worth: 6,
    },
    Column {
        head: "Duration",
        value: |table| duration(table.duration_ms),
        worth: 7,
    },
    Column {
        head: "Rate",
        value: |table| table.bytes_per_second.map(rate).unwrap_or_default(),
        worth: 1,
    },
    Column {
        head: "Indexes",
        value: |table| table.indexes.to_string(),
        worth: 3,
    },
    Column {
        head: "Index duration",
        value: |table| duration(table.index_duration_ms),
        worth: 4,
    },
];

fn tables(tables: &[TableSummary], page: Page) -> String {
    let name = |table: &TableSummary| {
        printable(&QualifiedName::new(&table.schema, &table.name).to_string())
    };
    let names: Vec<_> = tables.iter().map(name).collect();
    let mut columns: Vec<_> = COLUMNS.iter().collect();
    let mut name_width = usize::MAX;
    if let Page::Terminal(width) = page {
        let longest = names.iter().map(|name| measure_text_width(name)).max();
        let wanted = longest.unwrap_or(0).max("Table".len());
        while columns.len() > 1 && wanted.min(NAME_MIN) + 3 + width_of(&columns, tables) > width {
            let least = columns.iter().map(|column| column.worth).min();
            columns.retain(|column| Some(column.worth) != least);
        }
        name_width = width
            .saturating_sub(3 + width_of(&columns, tables))
            .max(wanted.min(NAME_MIN));
    }
    let mut heads = vec![("Table", CellAlignment::Left)];
    heads.extend(
        columns
            .iter()
            .map(|column| (column.head, CellAlignment::Right)),
    );
    let rows = tables.iter().zip(names).map(|(table, name)| {
        let mut row = vec![shorten(&name, name_width, "...")];
        row.extend(columns.iter().map(|column| (column.value)(table)));
        row
    });
    grid(&heads, rows)
}

/// How wide `columns` are, with what stands between them.
fn width_of(columns: &[&Column], tables: &[TableSummary]) -> usize {
    let width = |column: &&Column| {
        let values = tables.iter().map(|table| (column.value)(table).len());
        values.max().unwrap_or(0).max(column.head.len()) + 3
    };
    columns.iter().map(width).sum()
}

fn steps(steps: &[StepSummary]) -> String {
    let heads = [
        ("Step", CellAlignment::Left),
        ("Connection", CellAlignment::Left),
        ("Duration", CellAlignment::Right),
        ("Work", CellAlignment::Right),
        ("Transfer", CellAlignment::Right),
        ("Concurrency", CellAlignment::Right),
    ];
    let known = |value: Option<String>| value.unwrap_or_default();
    let rows = steps.iter().map(|step| {
        vec![
            printable(&step.name),
            step.connection.clone(),
            known(step.duration_ms.map(duration)),
            known(step.work_ms.map(duration)),
            known(step.transfer_bytes.map(|bytes| ByteSize(bytes).to_string())),
            known(step.concurrency.map(|jobs| jobs.to_string())),
        ]
    });
    grid(&heads, rows)
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

fn grid(heads: &[(&str, CellAlignment)], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(LINES);
    table.set_header(
        heads
            .iter()
            .map(|(head, alignment)| Cell::new(head).set_alignment(*alignment)),
    );
    for row in rows {
        let cells = row.into_iter().zip(heads);
        let cells = cells.map(|(value, (_, alignment))| Cell::new(value).set_alignment(*alignment));
        table.add_row(cells);
    }
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
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
            " rows | both       |     1.5s | 3.0s |   2.0 kB |           4"
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
            let tables = text.lines().take_while(|line| !line.is_empty());
            for line in tables {
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
