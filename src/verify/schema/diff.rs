//! Which objects, and which lines of their definitions, only one side has.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

pub use crate::base::Side;

/// What PostgreSQL calls an object: `table`, `public.orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Which kind of object.
    pub kind: String,
    /// Which one, quoted where SQL needs it.
    pub identity: String,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The clauses of its definition.
    pub lines: Vec<String>,
    /// The relation that it comes and goes with.
    pub part_of: Option<Name>,
}

/// All of a database.
pub type Objects = BTreeMap<Name, Object>;

/// An object that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub name: Name,
    /// The side that it is on, if it is on one alone.
    pub only_on: Option<Side>,
    /// Lines that only the source has.
    pub source: Vec<String>,
    /// Lines that only the target has.
    pub target: Vec<String>,
}

/// What differs, by name. What comes and goes with a relation is not told where that is missing.
///
/// `loosely`: the servers are of different versions, which write expressions in other words.
pub fn differences(source: &Objects, target: &Objects, loosely: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, object) in source {
        match target.get(name) {
            Some(other) => found.extend(of_both(name, object, other, loosely)),
            None if is_gone(object, target) => {}
            None => found.push(of_one(name, Side::Source)),
        }
    }
    for (name, object) in target {
        if !source.contains_key(name) && !is_gone(object, source) {
            found.push(of_one(name, Side::Target));
        }
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}

/// Whether what it is part of is missing there too.
fn is_gone(object: &Object, there: &Objects) -> bool {
    (object.part_of.as_ref()).is_some_and(|relation| !there.contains_key(relation))
}

fn of_one(name: &Name, side: Side) -> Difference {
    Difference {
        name: name.clone(),
        only_on: Some(side),
        source: Vec::new(),
        target: Vec::new(),
    }
}

fn of_both(name: &Name, source: &Object, target: &Object, loosely: bool) -> Option<Difference> {
    let form = |line: &String| match loosely {
        true => loose(line),
        false => line.clone(),
    };
    let only = |these: &[String], those: &[String]| {
        let mut those: Vec<_> = those.iter().map(form).collect();
        let mut only = Vec::new();
        for line in these {
            match those.iter().position(|other| *other == form(line)) {
                Some(at) => drop(those.swap_remove(at)),
                None => only.push(line.clone()),
            }
        }
        only
    };
    let mut minus = only(&source.lines, &target.lines);
    let mut plus = only(&target.lines, &source.lines);
    // A column more or less is said already.
    let is_order = |line: &String| line.starts_with("COLUMN ORDER (");
    let is_column = |line: &String| line.starts_with("COLUMN ") && !is_order(line);
    if minus.iter().chain(&plus).any(is_column) {
        minus.retain(|line| !is_order(line));
        plus.retain(|line| !is_order(line));
    }
    (!minus.is_empty() || !plus.is_empty()).then(|| Difference {
        name: name.clone(),
        only_on: None,
        source: minus,
        target: plus,
    })
}

/// Expressions as versions agree on them. Since 16, a column of a view with one table is written without
/// that table's name; parentheses and line ends have changed, too.
fn loose(line: &str) -> String {
    let is_expression = ["AS ", "CREATE RULE", "USING (", "WITH CHECK ("]
        .iter()
        .any(|start| line.starts_with(start));
    if !is_expression {
        return line.to_owned();
    }
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    // Where the last name begins in `text`.
    let mut name = None;
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                name = None;
                text.push('\'');
                copy_quoted(&mut characters, &mut text, '\'');
            }
            '"' => {
                name = Some(text.len());
                text.push('"');
                copy_quoted(&mut characters, &mut text, '"');
            }
            '.' if name.is_some() => text.truncate(name.take().unwrap_or_default()),
            '(' | ')' => name = None,
            character if character.is_whitespace() => name = None,
            character if character.is_alphanumeric() || character == '_' => {
                let begins = character.is_alphabetic() || character == '_';
                if name.is_none() && begins {
                    name = Some(text.len());
                }
                text.push(character);
            }
            character => {
                name = None;
                text.push(character);
            }
        }
    }
    text
}

/// Up to the closing quote; one that is doubled is none.
fn copy_quoted(from: &mut Peekable<Chars<'_>>, to: &mut String, quote: char) {
    while let Some(character) = from.next() {
        to.push(character);
        if character != quote {
            continue;
        }
        match from.next_if_eq(&quote) {
            Some(doubled) => to.push(doubled),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: &str, identity: &str) -> Name {
        Name {
            kind: kind.into(),
            identity: identity.into(),
        }
    }

    fn object(lines: &[&str], part_of: Option<Name>) -> Object {
        Object {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            part_of,
        }
    }

    #[test]
    fn only_lines_of_one_side_are_told_and_equal_ones_are_counted() {
        let table = name("table", "s.t");
        let source = Objects::from([(table.clone(), object(&["a", "a", "b"], None))]);
        let target = Objects::from([(table.clone(), object(&["b", "a", "c"], None))]);
        let found = differences(&source, &target, false);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0].source[..], &found[0].target[..]),
            (&["a".to_owned()][..], &["c".to_owned()][..])
        );
        assert!(differences(&source, &source, false).is_empty());
    }

    #[test]
    fn what_goes_with_a_missing_table_is_not_told_and_what_is_missing_by_itself_is() {
        let (one, two) = (name("table", "s.one"), name("table", "s.two"));
        let index = |table: &Name| object(&["i"], Some(table.clone()));
        let source = Objects::from([
            (one.clone(), object(&[], None)),
            (name("index", "s.one_i"), index(&one)),
            (two.clone(), object(&[], None)),
            (name("index", "s.two_i"), index(&two)),
        ]);
        let target = Objects::from([(two.clone(), object(&[], None))]);
        let found = differences(&source, &target, false);
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.name.identity.as_str(), it.only_on))
            .collect();
        assert_eq!(
            told,
            [
                ("s.two_i", Some(Side::Source)),
                ("s.one", Some(Side::Source))
            ]
        );
        let found = differences(&target, &source, false);
        assert!(found.iter().all(|it| it.only_on == Some(Side::Target)));
    }

    #[test]
    fn the_order_of_columns_is_told_unless_a_column_differs() {
        let table = name("table", "s.t");
        let of = |lines: &[&str]| Objects::from([(table.clone(), object(lines, None))]);
        let both = of(&["COLUMN a int", "COLUMN b int", "COLUMN ORDER (a, b)"]);
        let turned = of(&["COLUMN b int", "COLUMN a int", "COLUMN ORDER (b, a)"]);
        assert_eq!(
            differences(&both, &turned, false)[0].target,
            ["COLUMN ORDER (b, a)"]
        );
        let one = of(&["COLUMN a int", "COLUMN ORDER (a)"]);
        assert_eq!(differences(&both, &one, false)[0].source, ["COLUMN b int"]);
        assert!(differences(&both, &one, false)[0].target.is_empty());
    }

    #[test]
    fn versions_may_write_a_view_in_other_words() {
        let of_15 =
            "AS  SELECT t.a,\n    t.\"B b\"\n   FROM s.t\n  WHERE (t.a > 1.5) AND t.c = 'x.y (z)'";
        let of_16 = "AS  SELECT a,\n    \"B b\"\n   FROM s.t\n  WHERE a > 1.5 AND c = 'x.y (z)'";
        assert_eq!(loose(of_15), loose(of_16));
        for other in [
            "AS  SELECT a,\n    \"B b\"\n   FROM s.t\n  WHERE a > 1.6 AND c = 'x.y (z)'",
            "AS  SELECT a,\n    \"B b\"\n   FROM s.t\n  WHERE a > 1.5 AND c = 'x.yz'",
        ] {
            assert_ne!(loose(of_15), loose(other));
        }
        assert_eq!(
            loose("AS SELECT \"a \"\"b\"\"\".c, 'it''s x.y' FROM s.\"a \"\"b\"\"\""),
            loose("AS SELECT c, 'it''s x.y' FROM s.\"a \"\"b\"\"\"")
        );
        assert_ne!(
            loose("COLUMN a int DEFAULT (1)"),
            loose("COLUMN a int DEFAULT 1")
        );
    }
}
