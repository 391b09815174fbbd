//! What comparing source and target has found, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::listing::{Column, table};
use super::progress::printable;
use crate::base::Side;
use crate::verify::data::digest::Digest;
use crate::verify::data::{Compared, Depth, Found, Kind, Outcome, SequenceDifference, Verdict};

/// A table as a line shows it, and how much of it was compared.
struct Row<'a>(&'a Compared, Depth);

impl Row<'_> {
    fn digest(&self, side: Side) -> Option<Digest> {
        match side {
            Side::Source => self.0.source,
            Side::Target => self.0.target,
        }
    }

    fn checksum(&self, side: Side) -> String {
        match (self.1, self.digest(side)) {
            (Depth::Rows, Some(digest)) => digest.checksum(),
            _ => String::new(),
        }
    }

    fn rows(&self, side: Side) -> String {
        let digest = self.digest(side);
        digest.map_or_else(String::new, |digest| digest.rows.to_string())
    }

    fn mark(&self) -> &'static str {
        match self.0.verdict {
            Verdict::Equal => "",
            Verdict::Different => "!",
            Verdict::Uncompared => "?",
        }
    }
}

/// The tables, then what differs, row by row.
pub fn text(outcome: &Outcome, depth: Depth) -> String {
    let rows: Vec<_> = outcome
        .tables
        .iter()
        .map(|table| Row(table, depth))
        .collect();
    let columns = [
        Column::text("Table Name", |row: &Row<'_>| row.0.name.to_string()),
        Column::text("!", |row| row.mark().to_owned()),
        Column::text("Source Checksum", |row| row.checksum(Side::Source)),
        Column::text("Target Checksum", |row| row.checksum(Side::Target)),
        Column::number("Source Rows", |row| row.rows(Side::Source)),
        Column::number("Target Rows", |row| row.rows(Side::Target)),
    ];
    let mut text = table(&columns, &rows);
    for compared in &outcome.tables {
        text.push_str(&detail(compared));
    }
    for sequence in &outcome.sequence_differences {
        text.push_str(&sequence_line(sequence));
    }
    if let Some((side, problem)) = &outcome.sequence_problem {
        let problem = printable(problem);
        let _ = writeln!(
            text,
            "\n? sequences of the {side} could not be read: {problem}"
        );
    }
    text
}

fn detail(compared: &Compared) -> String {
    if compared.verdict == Verdict::Equal {
        return String::new();
    }
    let name = printable(&compared.name.to_string());
    let what = match (&compared.problem, &compared.found) {
        (Some(problem), _) => printable(problem),
        (None, Some(found)) if found.count == 1 => "1 row differs".to_owned(),
        (None, Some(found)) => format!("{} rows differ", found.count),
        (None, None) => "it differs".to_owned(),
    };
    let mut text = format!("\n{} {name}: {what}\n", mark(compared.verdict));
    if let Some(found) = &compared.found {
        text.push_str(&keys(found));
    }
    text
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Uncompared => "?",
        Verdict::Equal | Verdict::Different => "!",
    }
}

fn keys(found: &Found) -> String {
    let names = printable(&found.key.join(", "));
    let mut text = String::new();
    for row in &found.shown {
        let key = printable(&row.key);
        let line = match &row.kind {
            Kind::OnlyOn(Side::Source) => format!("  - ({names})={key}: missing on the target"),
            Kind::OnlyOn(Side::Target) => format!("  + ({names})={key}: only on the target"),
            Kind::Columns(columns) => {
                let columns = printable(&columns.join(", "));
                format!("  ~ ({names})={key}: {columns}")
            }
        };
        let _ = writeln!(text, "{line}");
    }
    let shown = found.shown.len() as u64;
    if found.count > shown {
        let _ = writeln!(text, "  and {} more", found.count - shown);
    }
    text
}

fn sequence_line(sequence: &SequenceDifference) -> String {
    let stands = |position: Option<(i64, bool)>| match position {
        None => "is missing".to_owned(),
        Some((value, true)) => format!("is at {value}"),
        Some((value, false)) => format!("begins at {value}"),
    };
    format!(
        "\n! sequence {} {} on the source and {} on the target\n",
        printable(&sequence.name.to_string()),
        stands(sequence.source),
        stands(sequence.target)
    )
}

/// One array: `{schema, name, source: {rowcount, checksum}, target: …}` and what else is known of each
/// table, and after them the sequences that differ.
pub fn json(outcome: &Outcome, depth: Depth) -> Value {
    let tables = outcome.tables.iter().map(|compared| {
        let row = Row(compared, depth);
        let side = |side| match row.digest(side) {
            None => Value::Null,
            Some(digest) => json!({
                "rowcount": digest.rows,
                "checksum": match depth {
                    Depth::Rows => Value::from(digest.checksum()),
                    Depth::Counts => Value::Null,
                },
            }),
        };
        let mut object = Map::new();
        let name = &compared.name;
        object.insert("schema".into(), name.schema.clone().into());
        object.insert("name".into(), name.name.clone().into());
        object.insert("source".into(), side(Side::Source));
        object.insert("target".into(), side(Side::Target));
        object.insert("verdict".into(), verdict(compared.verdict).into());
        if let Some(problem) = &compared.problem {
            object.insert("problem".into(), problem.clone().into());
        }
        if let Some(found) = &compared.found {
            object.insert("differences".into(), found_json(found));
        }
        Value::Object(object)
    });
    let position = |position: Option<(i64, bool)>| {
        position.map_or(
            Value::Null,
            |(value, is_called)| json!({"last_value": value, "is_called": is_called}),
        )
    };
    let sequences = outcome.sequence_differences.iter().map(|sequence| {
        json!({
            "schema": sequence.name.schema,
            "name": sequence.name.name,
            "kind": "sequence",
            "source": position(sequence.source),
            "target": position(sequence.target),
            "verdict": verdict(Verdict::Different),
        })
    });
    Value::Array(tables.chain(sequences).collect())
}

fn found_json(found: &Found) -> Value {
    let rows = found.shown.iter().map(|row| match &row.kind {
        Kind::OnlyOn(side) => json!({"key": row.key, "only_on": side.as_str()}),
        Kind::Columns(columns) => json!({"key": row.key, "columns": columns}),
    });
    json!({"key": found.key, "count": found.count, "rows": rows.collect::<Vec<_>>()})
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal => "equal",
        Verdict::Different => "different",
        Verdict::Uncompared => "not compared",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;
    use crate::verify::data::KeyDifference;

    fn outcome() -> Outcome {
        let digest = |rows| Digest { rows, sums: [1, 2] };
        let row = |key: &str, kind| KeyDifference {
            key: key.into(),
            kind,
        };
        let table = |name: &str, verdict| Compared {
            name: QualifiedName::new("public", name),
            source: Some(digest(3)),
            target: Some(digest(3)),
            verdict,
            problem: None,
            unread: None,
            found: None,
            before: false,
        };
        Outcome {
            tables: vec![
                table("a", Verdict::Equal),
                Compared {
                    found: Some(Found {
                        key: vec!["id".into()],
                        shown: vec![
                            row("(7)", Kind::Columns(vec!["note".into()])),
                            row("(8)", Kind::OnlyOn(Side::Source)),
                            row("(9\u{1b})", Kind::OnlyOn(Side::Target)),
                        ],
                        count: 5,
                    }),
                    ..table("b", Verdict::Different)
                },
                Compared {
                    source: None,
                    target: None,
                    problem: Some("the source could not be read: no".into()),
                    unread: Some(Side::Source),
                    ..table("c", Verdict::Uncompared)
                },
            ],
            sequences: 2,
            sequence_differences: vec![SequenceDifference {
                name: QualifiedName::new("public", "s"),
                source: Some((5, true)),
                target: None,
            }],
            ..Outcome::default()
        }
    }

    #[test]
    fn each_difference_has_its_line() {
        let text = text(&outcome(), Depth::Rows);
        let (table, details) = text.split_once("\n\n").expect("both");
        assert!(
            table.contains(
                "public.b   | ! | 00000000-0000-0001-0000-000000000002 | 00000000-0000-0001-0000-000000000002 |           3 |           3"
            ),
            "{table}"
        );
        assert_eq!(
            details,
            "! public.b: 5 rows differ\n  ~ (id)=(7): note\n  - (id)=(8): missing on the target\n  \
             + (id)=(9\\u{1b}): only on the target\n  and 2 more\n\n\
             ? public.c: the source could not be read: no\n\n\
             ! sequence public.s is at 5 on the source and is missing on the target\n"
        );
    }

    #[test]
    fn programs_find_what_they_know_and_more() {
        let value = json(&outcome(), Depth::Rows);
        let first = &value[0];
        assert_eq!(first["schema"], "public");
        assert_eq!(first["source"]["rowcount"], 3);
        assert_eq!(
            first["target"]["checksum"],
            "00000000-0000-0001-0000-000000000002"
        );
        assert_eq!(value[1]["differences"]["rows"][1]["only_on"], "source");
        assert_eq!(value[2]["source"], Value::Null);
        assert_eq!(value[3]["kind"], "sequence");
    }
}
