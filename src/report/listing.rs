//! Tables of rows that are all alike, for people.

use comfy_table::{Cell, CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};

/// Lines as pgcopydb and psql draw them: a head, a rule, columns between bars.
pub(super) const LINES: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('|'))
    .header_separator(LineStyle::none().fill('-').junction('+'))
    .content_lines(ContentLineStyle::none().junction('|'));

/// One column: its head, how its values stand, and how one is written.
pub struct Column<T> {
    head: &'static str,
    alignment: CellAlignment,
    value: fn(&T) -> String,
}

impl<T> Column<T> {
    /// A column of text.
    pub fn text(head: &'static str, value: fn(&T) -> String) -> Self {
        Self {
            head,
            alignment: CellAlignment::Left,
            value,
        }
    }

    /// A column of numbers or sizes.
    pub fn number(head: &'static str, value: fn(&T) -> String) -> Self {
        Self {
            head,
            alignment: CellAlignment::Right,
            value,
        }
    }
}

/// `rows` as a table, with a line end after each line.
pub fn table<T>(columns: &[Column<T>], rows: &[T]) -> String {
    let mut table = Table::new();
    table.load_style(LINES);
    let heads = columns.iter();
    let heads = heads.map(|column| Cell::new(column.head).set_alignment(column.alignment));
    table.set_header(heads.collect::<Vec<_>>());
    for row in rows {
        let cells = columns.iter().map(|column| {
            // A name may hold what would break the lines.
            let value = (column.value)(row).replace(|c: char| c.is_control(), " ");
            Cell::new(value).set_alignment(column.alignment)
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_left_and_numbers_right() {
        let columns = [
            Column::number("OID", |row: &(u32, &str)| row.0.to_string()),
            Column::text("Name", |row| row.1.to_owned()),
        ];
        let text = table(&columns, &[(5, "a"), (16384, "two\nlines")]);
        assert_eq!(
            text,
            "   OID | Name\n-------+-----------\n     5 | a\n 16384 | two lines\n"
        );
    }
}
