//! What the logs warn of.

use super::html::{escaped, name};
use super::titled;
use crate::base::quantity::grouped;
use crate::migration::report::Facts;

/// The section.
pub(super) fn section(facts: &Facts) -> String {
    let log = &facts.log;
    let mut content = String::new();
    if log.left_out > 0 {
        content += &format!(
            "<p class=\"note\">The last {}; {} before them are in the logs.</p>\n",
            grouped(log.warnings.len() as u64),
            grouped(log.left_out as u64)
        );
    }
    if log.warnings.is_empty() {
        content += match log.has_logs {
            true => "<p class=\"note\">The logs hold no warning and no error.</p>\n",
            false => "<p class=\"note\">There are no logs.</p>\n",
        };
    } else {
        let rows = log.warnings.iter().map(|one| {
            format!(
                "<tr><td class=\"t\">{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td></tr>\n",
                escaped(&one.time),
                name(&one.process),
                escaped(&one.level),
                escaped(&one.level),
                name(&one.message)
            )
        });
        content += &format!(
            "<div class=\"wide\"><table>\n<thead><tr><th>Time</th><th>Log</th><th>Level</th>\
             <th>Message</th></tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
            rows.collect::<String>()
        );
    }
    for path in &log.unread {
        content += &format!(
            "<p class=\"problem\">{} could not be read.</p>\n",
            escaped(path)
        );
    }
    titled("Warnings", &content)
}
