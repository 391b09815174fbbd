//! A migration as one HTML file: to look at, to keep, to send to somebody, to print.
//!
//! Everything is in the file: the style, the plots (SVG), the lines of script that sort a table by
//! another column. Nothing is loaded from anywhere, and without script nothing is missing. It is light
//! or dark as the reader's system is, and black on white on paper.
//!
//! `html` has what makes text safe, `scale` the ticks of axes, `plot` and `bars` the drawings; the
//! others are a section each.

mod bars;
mod cutovers;
mod html;
mod log;
mod mirrors;
mod over_time;
mod plot;
mod scale;
mod settings;
mod stages;
mod summary;
mod tables;

use jiff::tz::TimeZone;

use crate::migration::report::Facts;
use html::{date, escaped};

/// The page. `zone` is the clock that times are told by.
pub fn page(facts: &Facts, zone: &TimeZone) -> String {
    let sections = [
        summary::section(facts, zone),
        stages::section(facts, zone),
        over_time::section(facts, zone),
        cutovers::section(facts, zone),
        mirrors::section(facts),
        tables::section(facts),
        log::section(facts),
        settings::section(facts, zone),
    ];
    let title = escaped(&format!("pgflit: {}", database(&facts.run.source)));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n\
         <footer><p>Made by pgflit {} on {} from {}.</p></footer>\n<script>\n{}</script>\n</body>\n\
         </html>\n",
        include_str!("style.css"),
        summary::header(facts, zone),
        sections.concat(),
        env!("CARGO_PKG_VERSION"),
        date(facts.made_at, zone),
        escaped(&facts.work_dir),
        include_str!("sort.js"),
    )
}

/// A section with a heading.
fn titled(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

/// The database that `address`, which holds no password, names.
fn database(address: &str) -> &str {
    let path = address.split('?').next().unwrap_or(address);
    match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => name,
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::report::LogTail;
    use crate::migration::summary::TableSummary;
    use crate::proxy::control::{MirrorStatus, StatementStatus};
    use crate::report::progress::{State, Stored, picture_of};
    use crate::store::{Run, RunTimes};

    /// Of a migration of which nothing is known.
    fn nothing() -> Facts {
        Facts {
            made_at: 100.0,
            work_dir: "/work".to_owned(),
            run: Run::default(),
            times: RunTimes {
                begun_at: 10.0,
                finished_at: None,
            },
            state: State::Interrupted,
            picture: picture_of(&Stored::default()),
            tables: Vec::new(),
            steps: Vec::new(),
            step_summaries: Vec::new(),
            streams: Vec::new(),
            attempts: Vec::new(),
            attempts_left_out: 0,
            left_out: (0, 0),
            conflicts: 0,
            mirrors: None,
            log: LogTail::default(),
            commands: Vec::new(),
        }
    }

    fn table(number: u32) -> TableSummary {
        TableSummary {
            oid: number,
            schema: "public".to_owned(),
            name: format!("t{number}"),
            parts: 1,
            rows: 1,
            bytes: 1,
            source_bytes: 1,
            duration_ms: 1,
            bytes_per_second: None,
            indexes: 0,
            index_duration_ms: 0,
        }
    }

    #[test]
    fn where_there_is_nothing_it_is_said_in_words_and_nothing_is_drawn() {
        let page = page(&nothing(), &TimeZone::UTC);
        for words in [
            "No step has begun.",
            "Nobody has noted how it went on",
            "No table was to be copied.",
            "There are no logs.",
            "What was typed is not known",
            "as it was at 1970-01-01 00:00:10 UTC",
        ] {
            assert!(page.contains(words), "no {words:?} in {page}");
        }
        assert!(!page.contains("<svg"), "{page}");
    }

    #[test]
    fn a_page_does_not_grow_with_the_number_of_tables() {
        let facts = Facts {
            tables: (0..1_234).map(table).collect(),
            ..nothing()
        };
        let page = page(&facts, &TimeZone::UTC);
        assert_eq!(page.matches("<bdi>public.t").count(), 1_000);
        assert!(page.contains("and 234 smaller ones"));
    }

    #[test]
    fn mirrors_are_told_with_what_differed() {
        let statement = StatementStatus {
            statement: "SELECT a < $1".to_owned(),
            compared: 1_500,
            differences: 2,
            differences_by_kind: [("rows".to_owned(), 2)].into(),
            passing: 0,
            unconfirmed: 0,
            p50_ms: Some(0.5),
            mirror_p50_ms: None,
            p99_ms: None,
            mirror_p99_ms: None,
            p99_ratio: None,
        };
        let mirror = serde_json::json!({
            "proxy_pid": 7, "name": "new", "mode": "reads", "exposure": 0.5, "transactions": 9,
            "completed": 8, "outstanding": 0, "dropped": 1, "not_sampled": 0, "skipped": 0,
            "dropped_by_reason": {}, "statements": 10, "errors": 0, "errors_by_sqlstate": {},
            "refused_writes": 0, "waiting_bytes": 0, "connections": 1, "failed_connections": 0,
            "compared": 1500, "differences": 2, "passing": 0, "unconfirmed": 0,
            "worst": [statement],
        });
        let mirror: MirrorStatus = serde_json::from_value(mirror).expect("a mirror");
        let facts = Facts {
            mirrors: Some(vec![mirror]),
            ..nothing()
        };
        let page = page(&facts, &TimeZone::UTC);
        for words in [
            "<h2>Mirrors</h2>",
            "50 % of",
            "1,500 answers",
            "SELECT a &lt; $1",
            "0.50 ms",
        ] {
            assert!(page.contains(words), "no {words:?} in {page}");
        }
    }

    #[test]
    fn the_page_is_called_after_the_database() {
        assert_eq!(
            database("postgres://ann@db:5432/shop?sslmode=require"),
            "shop"
        );
        assert_eq!(database("host=db dbname=shop"), "host=db dbname=shop");
        assert_eq!(database(""), "");
    }
}
