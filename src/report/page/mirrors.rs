//! What the mirrors of a running proxy have found.

use super::html::{escaped, name};
use super::titled;
use crate::base::quantity::grouped;
use crate::migration::report::Facts;
use crate::proxy::control::{MirrorStatus, StatementStatus};

/// Characters of a statement that are shown.
const STATEMENT_MAX: usize = 500;

/// The section; nothing where no proxy answers or it has no mirrors.
pub(super) fn section(facts: &Facts) -> String {
    let mirrors = facts.mirrors.as_deref().unwrap_or_default();
    match mirrors.is_empty() {
        true => String::new(),
        false => titled("Mirrors", &mirrors.iter().map(mirror).collect::<String>()),
    }
}

fn mirror(mirror: &MirrorStatus) -> String {
    let mut html = format!(
        "<h3>{}</h3>\n<p>{} % of transactions, mode {}, process {}: {} transactions, {} completed, \
         {} dropped, {} statements, {} failed.</p>\n<p>{} answers compared: {} differences, {} that \
         passed, {} unconfirmed.</p>\n",
        name(&mirror.name),
        mirror.exposure * 100.0,
        escaped(&mirror.mode),
        mirror.proxy_pid,
        grouped(mirror.transactions),
        grouped(mirror.completed),
        grouped(mirror.dropped),
        grouped(mirror.statements),
        grouped(mirror.errors),
        grouped(mirror.compared),
        grouped(mirror.differences),
        grouped(mirror.passing),
        grouped(mirror.unconfirmed),
    );
    if !mirror.worst.is_empty() {
        let rows = mirror.worst.iter().map(statement);
        html += &format!(
            "<div class=\"wide\"><table>\n<thead><tr><th>Statement</th><th class=\"n\">Compared</th>\
             <th class=\"n\">Different</th><th>In</th><th class=\"n\">p50</th><th class=\"n\">mirror</th>\
             <th class=\"n\">p99</th><th class=\"n\">mirror</th></tr></thead>\n<tbody>\n{}</tbody>\n\
             </table></div>\n",
            rows.collect::<String>()
        );
    }
    html
}

fn statement(one: &StatementStatus) -> String {
    let text: String = one.statement.chars().take(STATEMENT_MAX).collect();
    let kinds: Vec<_> = one
        .differences_by_kind
        .keys()
        .map(|kind| escaped(kind))
        .collect();
    let millis = |value: Option<f64>| {
        let text = value
            .map(|value| format!("{value:.2} ms"))
            .unwrap_or_default();
        format!("<td class=\"n\">{text}</td>")
    };
    format!(
        "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td>{}{}{}{}</tr>\n",
        escaped(&text),
        grouped(one.compared),
        grouped(one.differences),
        kinds.join(", "),
        millis(one.p50_ms),
        millis(one.mirror_p50_ms),
        millis(one.p99_ms),
        millis(one.mirror_p99_ms),
    )
}
