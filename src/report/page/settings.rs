//! What it was begun with, and what was typed.

use jiff::tz::TimeZone;

use super::html::{date, escaped, facts as list, name};
use super::titled;
use crate::base::Lsn;
use crate::base::quantity::grouped;
use crate::migration::report::Facts;

/// The section.
pub(super) fn section(facts: &Facts, zone: &TimeZone) -> String {
    let run = &facts.run;
    let mut rows = vec![
        ("Work directory", name(&facts.work_dir)),
        ("Objects left out", grouped(facts.left_out.0 as u64)),
        ("Tables without rows", grouped(facts.left_out.1 as u64)),
    ];
    let texts = [
        ("Slot", &run.slot),
        ("Origin", &run.origin),
        ("Publication", &run.publication),
        ("Plugin", &run.plugin),
        ("Options of parts", &run.split),
    ];
    let texts = texts.into_iter().filter_map(|(what, text)| {
        let text = text.as_deref().filter(|text| !text.is_empty())?;
        Some((what, name(text)))
    });
    rows.extend(texts);
    if let Some(sentinel) = facts.streams.first().and_then(|own| own.sentinel) {
        let positions = [
            ("Streaming began at", sentinel.startpos),
            ("Received up to", sentinel.flush_lsn),
            ("Applied up to", sentinel.replay_lsn),
            ("End position", sentinel.endpos),
        ];
        let known = positions.into_iter().filter(|(_, lsn)| *lsn != Lsn::ZERO);
        rows.extend(known.map(|(what, lsn)| (what, lsn.to_string())));
        rows.push(("Conflicts", grouped(facts.conflicts)));
    }
    let mut content = list(&rows);
    if let Some(filters) = run.filters.as_deref().filter(|filters| !filters.is_empty()) {
        content += &format!("<h3>Filters</h3>\n<pre>{}</pre>\n", escaped(filters));
    }
    content += "<h3>Commands</h3>\n";
    if facts.commands.is_empty() {
        content += "<p class=\"note\">What was typed is not known: an older pgflit was used, or commands \
                    that do not write it down.</p>\n";
    }
    for run in &facts.commands {
        content += &format!(
            "<p class=\"note\">{}, pgflit {}</p>\n<pre>{}</pre>\n",
            date(run.at, zone),
            escaped(&run.version),
            escaped(&run.line)
        );
    }
    titled("Settings and commands", &content)
}
