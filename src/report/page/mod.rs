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
