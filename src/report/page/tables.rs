//! The tables that were copied.

use super::html::{size, table_name, took_ms};
use super::titled;
use crate::base::quantity::grouped;
use crate::migration::report::Facts;

/// Tables that are listed, the largest first: a browser is slow with more.
const TABLES_MAX: usize = 1_000;

/// The section.
pub(super) fn section(facts: &Facts) -> String {
    if facts.tables.is_empty() {
        let content = match facts.picture.tables.total {
            0 => "<p class=\"note\">No table was to be copied.</p>\n".to_owned(),
            all => format!(
                "<p class=\"note\">Of {} tables none is copied yet.</p>\n",
                grouped(all as u64)
            ),
        };
        return titled("Tables", &content);
    }
    let shown = facts.tables.get(..TABLES_MAX).unwrap_or(&facts.tables);
    let number =
        |value: u64, text: String| format!("<td class=\"n\" data-v=\"{value}\">{text}</td>");
    let rows = shown.iter().map(|table| {
        let rate = table.bytes_per_second;
        format!(
            "<tr><td>{}</td>{}{}{}{}{}{}{}{}</tr>\n",
            table_name(&table.schema, &table.name),
            number(table.rows, grouped(table.rows)),
            number(table.bytes, size(table.bytes)),
            number(table.source_bytes, size(table.source_bytes)),
            number(table.parts as u64, grouped(table.parts as u64)),
            number(table.duration_ms, took_ms(table.duration_ms)),
            number(
                rate.unwrap_or(0),
                rate.map(|rate| format!("{}/s", size(rate)))
                    .unwrap_or_default()
            ),
            number(table.indexes as u64, grouped(table.indexes as u64)),
            number(table.index_duration_ms, took_ms(table.index_duration_ms)),
        )
    });
    let heads = [
        "Table",
        "Rows",
        "Copied",
        "On the source",
        "Parts",
        "Copy",
        "Rate",
        "Indexes",
        "Index time",
    ];
    let heads = heads.iter().enumerate().map(|(at, head)| match at {
        0 => format!("<th>{head}</th>"),
        2 => format!("<th class=\"n\" aria-sort=\"descending\">{head}</th>"),
        _ => format!("<th class=\"n\">{head}</th>"),
    });
    let mut content = format!(
        "<div class=\"wide\"><table class=\"sortable\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n\
         </table></div>\n",
        heads.collect::<String>(),
        rows.collect::<String>()
    );
    if shown.len() < facts.tables.len() {
        content += &format!(
            "<p class=\"note\">and {} smaller ones, which summary.json tells of.</p>\n",
            grouped((facts.tables.len() - shown.len()) as u64)
        );
    }
    titled("Tables", &content)
}
