//! The tables at the end of a copy.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};

use super::progress::printable;
use crate::base::QualifiedName;
use crate::base::quantity::{ByteSize, display_duration};
use crate::migration::summary::{StepSummary, Summary, TableSummary};

/// Lines as pgcopydb and psql draw them: a head, a rule, columns between bars.
const LINES: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('|'))
    .header_separator(LineStyle::none().fill('-').junction('+'))
    .content_lines(ContentLineStyle::none().junction('|'));

/// So many tables are shown on a terminal; the file has all.
const TABLES_ON_TERMINAL: usize = 20;

/// How many tables are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The biggest, on a terminal.
    Biggest,
    /// All, for a file or pipe.
    All,
}

/// The tables, the steps, and one line about all of it.
pub fn text(summary: &Summary, extent: Extent) -> String {
    let shown = match extent {
        Extent::Biggest => summary.tables.len().min(TABLES_ON_TERMINAL),
        Extent::All => summary.tables.len(),
    };
    let mut text = tables(&summary.tables[..shown]);
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

fn tables(tables: &[TableSummary]) -> String {
    let heads = [
        ("Table", CellAlignment::Left),
        ("Parts", CellAlignment::Right),
        ("Rows", CellAlignment::Right),
        ("Bytes", CellAlignment::Right),
        ("Duration", CellAlignment::Right),
        ("Rate", CellAlignment::Right),
        ("Indexes", CellAlignment::Right),
        ("Index duration", CellAlignment::Right),
    ];
    let rows = tables.iter().map(|table| {
        let rate = table.bytes_per_second.map(rate);
        [
            printable(&QualifiedName::new(&table.schema, &table.name).to_string()),
            table.parts.to_string(),
            table.rows.to_string(),
            ByteSize(table.bytes).to_string(),
            duration(table.duration_ms),
            rate.unwrap_or_default(),
            table.indexes.to_string(),
            duration(table.index_duration_ms),
        ]
    });
    grid(&heads, rows)
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
        [
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

fn grid<const N: usize>(
    heads: &[(&str, CellAlignment); N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
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
        let text = text(&summary(1), Extent::All);
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
    fn a_terminal_gets_the_biggest_and_a_file_all() {
        let on_terminal = text(&summary(50), Extent::Biggest);
        assert!(on_terminal.contains(" and 30 smaller ones, see summary.json"));
        assert_eq!(on_terminal.matches("public.").count(), 20);
        let in_file = text(&summary(50), Extent::All);
        assert_eq!(in_file.matches("public.").count(), 50);
    }
}
