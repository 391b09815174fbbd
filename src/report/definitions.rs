//! Which definitions differ between source and target, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::progress::printable;
use crate::base::Side;
use crate::verify::schema::{Difference, Outcome};

/// Object by object, `-` for what only the source has, `+` for what only the target has.
pub fn text(outcome: &Outcome) -> String {
    outcome.differences.iter().map(difference).collect()
}

fn difference(difference: &Difference) -> String {
    let name = &difference.name;
    let named = printable(&format!("{} {}", name.kind, name.identity));
    let named = named.trim_end();
    match difference.only_on {
        Some(Side::Source) => return format!("- {named}\n\n"),
        Some(Side::Target) => return format!("+ {named}\n\n"),
        None => {}
    }
    let mut text = format!("! {named}\n");
    for (mark, lines) in [('-', &difference.source), ('+', &difference.target)] {
        for line in lines {
            // A definition of several lines, each of them harmless.
            for (at, line) in line.lines().enumerate() {
                let indent = if at == 0 { "" } else { "  " };
                let _ = writeln!(text, "  {mark} {indent}{}", printable(line));
            }
        }
    }
    text.push('\n');
    text
}

/// One array: `{kind, identity, only_on, source, target}`.
pub fn json(outcome: &Outcome) -> Value {
    let differences = outcome.differences.iter().map(|difference| {
        json!({
            "kind": difference.name.kind,
            "identity": difference.name.identity,
            "only_on": difference.only_on.map(Side::as_str),
            "source": difference.source,
            "target": difference.target,
        })
    });
    Value::Array(differences.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::schema::diff::Name;

    #[test]
    fn differences_stand_below_their_object() {
        let name = |kind: &str, identity: &str| Name {
            kind: kind.into(),
            identity: identity.into(),
        };
        let outcome = Outcome {
            objects: 2,
            differences: vec![
                Difference {
                    name: name("table", "public.t"),
                    only_on: None,
                    source: vec!["COLUMN a integer".into()],
                    target: vec!["AS two\nlines \u{1b}".into()],
                },
                Difference {
                    name: name("index", "public.i"),
                    only_on: Some(Side::Target),
                    source: vec![],
                    target: vec![],
                },
            ],
        };
        assert_eq!(
            text(&outcome),
            "! table public.t\n  - COLUMN a integer\n  + AS two\n  +   lines \\u{1b}\n\n+ index public.i\n\n"
        );
        assert_eq!(json(&outcome)[1]["only_on"], "target");
    }
}
