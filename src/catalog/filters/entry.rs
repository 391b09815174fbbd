//! One line of a file of filters.
//!
//! | line | is |
//! |---|---|
//! | `[exclude-table]` | the head of a section |
//! | `public.orders` | names as they are in the catalog: nothing is folded to lower case |
//! | `"My Schema"."a.b"` | quoted as in SQL; inside, `""` is one quote |
//! | `~/^tmp_/` | a pattern for Postgres's `~`, between `/ / [ ] { } ( ) < > " " ' ' \| \| # # $ $` |
//! | `; …`, `# …` | a comment, also after one of the others |

use std::fmt;

use crate::base::ident::quote_ident;

/// A section of the file, in the order in which they are applied and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// No other schema.
    IncludeOnlySchema,
    /// Schemas with all that is in them.
    ExcludeSchema,
    /// No other table.
    IncludeOnlyTable,
    /// Tables.
    ExcludeTable,
    /// The rows of tables, which are made and stay empty.
    ExcludeTableData,
    /// Indexes, and the constraints that they support.
    ExcludeIndex,
    /// No other extension.
    IncludeOnlyExtension,
    /// Extensions.
    ExcludeExtension,
    /// Event triggers.
    ExcludeEventTrigger,
}

impl Section {
    /// All of them.
    pub const ALL: [Section; 9] = [
        Section::IncludeOnlySchema,
        Section::ExcludeSchema,
        Section::IncludeOnlyTable,
        Section::ExcludeTable,
        Section::ExcludeTableData,
        Section::ExcludeIndex,
        Section::IncludeOnlyExtension,
        Section::ExcludeExtension,
        Section::ExcludeEventTrigger,
    ];

    /// As the file names it.
    pub const fn name(self) -> &'static str {
        match self {
            Section::IncludeOnlySchema => "include-only-schema",
            Section::ExcludeSchema => "exclude-schema",
            Section::IncludeOnlyTable => "include-only-table",
            Section::ExcludeTable => "exclude-table",
            Section::ExcludeTableData => "exclude-table-data",
            Section::ExcludeIndex => "exclude-index",
            Section::IncludeOnlyExtension => "include-only-extension",
            Section::ExcludeExtension => "exclude-extension",
            Section::ExcludeEventTrigger => "exclude-event-trigger",
        }
    }

    /// Whether everything else of its kind is left out.
    pub const fn includes(self) -> bool {
        matches!(
            self,
            Section::IncludeOnlySchema | Section::IncludeOnlyTable | Section::IncludeOnlyExtension
        )
    }

    /// What one entry of it names.
    pub const fn object(self) -> &'static str {
        match self {
            Section::IncludeOnlySchema | Section::ExcludeSchema => "schema",
            Section::IncludeOnlyTable | Section::ExcludeTable | Section::ExcludeTableData => {
                "table"
            }
            Section::ExcludeIndex => "index",
            Section::IncludeOnlyExtension | Section::ExcludeExtension => "extension",
            Section::ExcludeEventTrigger => "event trigger",
        }
    }

    /// Whether its entries name a schema before the name.
    const fn is_qualified(self) -> bool {
        matches!(
            self,
            Section::IncludeOnlyTable
                | Section::ExcludeTable
                | Section::ExcludeTableData
                | Section::ExcludeIndex
        )
    }
}

/// A name, or a pattern for names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// This name, as the catalog has it.
    Exact(String),
    /// Every name that a regular expression of Postgres matches.
    Pattern {
        /// The expression.
        regex: String,
        /// As it stands in the file, with its delimiters.
        written: String,
    },
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Exact(name) => f.write_str(&quote_ident(name)),
            Term::Pattern { written, .. } => f.write_str(written),
        }
    }
}

/// What one line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The section it stands in.
    pub section: Section,
    /// Its line, from 1.
    pub line: usize,
    /// The schema, for what is named with one.
    pub schema: Option<Term>,
    /// The name.
    pub name: Term,
}

impl Entry {
    /// Whether it names one object, and no pattern.
    pub fn is_exact(&self) -> bool {
        let is_exact = |term: &Term| matches!(term, Term::Exact(_));
        is_exact(&self.name) && self.schema.as_ref().is_none_or(is_exact)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing, or a comment.
    Blank,
    /// The head of a section.
    Head(Section),
    /// Names: one, or a schema and one.
    Names(Option<Term>, Term),
}

/// Reads one line; the error says what is wrong with it.
pub(super) fn read_line(line: &str) -> Result<Line, String> {
    let mut rest = Rest(line.trim());
    if rest.is_at_end() {
        return Ok(Line::Blank);
    }
    if let Some(head) = rest.0.strip_prefix('[') {
        return read_head(head).map(Line::Head);
    }
    let first = rest.term()?;
    let second = match rest.0.strip_prefix('.') {
        None => None,
        Some(after) => {
            rest.0 = after;
            Some(rest.term()?)
        }
    };
    if !rest.is_at_end() {
        return Err(format!(
            "\"{}\" follows the name; a name with spaces, dots or quotes in it is written \"like this\"",
            rest.0.trim()
        ));
    }
    Ok(match second {
        None => Line::Names(None, first),
        Some(second) => Line::Names(Some(first), second),
    })
}

fn read_head(head: &str) -> Result<Section, String> {
    let Some((name, after)) = head.split_once(']') else {
        return Err("a section's name ends with ]".to_owned());
    };
    if !Rest(after).is_at_end() {
        return Err(format!("\"{}\" follows the section's name", after.trim()));
    }
    let name = name.trim();
    let known = Section::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| {
        let all = Section::ALL.map(Section::name).join(", ");
        format!("there is no section [{name}]; the sections are {all}")
    })
}

/// Refuses names that are not of the form that `section` takes.
pub(super) fn check_form(section: Section, schema: Option<&Term>) -> Result<(), String> {
    match (section.is_qualified(), schema) {
        (true, None) => Err(format!(
            "[{}] takes names with their schema: schema.name",
            section.name()
        )),
        (false, Some(_)) => Err(format!(
            "[{}] takes names of one part; a name with a dot in it is written \"like.this\"",
            section.name()
        )),
        _ => Ok(()),
    }
}

/// What is not read yet of a line.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn is_at_end(&self) -> bool {
        let rest = self.0.trim_start();
        rest.is_empty() || rest.starts_with([';', '#'])
    }

    fn term(&mut self) -> Result<Term, String> {
        let mut characters = self.0.chars();
        match characters.next() {
            Some('"') => self.quoted(),
            Some('~') => self.pattern(),
            _ => self.plain(),
        }
    }

    fn plain(&mut self) -> Result<Term, String> {
        let ends = |c: char| c.is_whitespace() || matches!(c, '.' | ';' | '#' | '"');
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        match name.is_empty() {
            true => Err("a name is missing".to_owned()),
            false => Ok(Term::Exact(name.to_owned())),
        }
    }

    fn quoted(&mut self) -> Result<Term, String> {
        let mut name = String::new();
        let mut characters = self.0.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character != '"' {
                name.push(character);
            } else if characters.next_if(|(_, next)| *next == '"').is_some() {
                name.push('"');
            } else {
                self.0 = &self.0[at + 1..];
                return match name.is_empty() {
                    true => Err("a name is empty".to_owned()),
                    false => Ok(Term::Exact(name)),
                };
            }
        }
        Err("a quoted name has no closing \"".to_owned())
    }

    /// A pattern ends at its first closing delimiter; brackets may be nested.
    fn pattern(&mut self) -> Result<Term, String> {
        let mut characters = self.0.char_indices().skip(1);
        let Some((_, open)) = characters.next() else {
            return Err("a pattern is missing after ~".to_owned());
        };
        let close = closing(open).ok_or_else(|| {
            format!("a pattern stands between delimiters, as in ~/^tmp_/; {open} is none")
        })?;
        let mut depth = 1;
        for (at, character) in characters {
            if character == close {
                depth -= 1;
            } else if character == open {
                depth += 1;
            }
            if depth == 0 {
                let regex = self.0[1 + open.len_utf8()..at].to_owned();
                let (written, rest) = self.0.split_at(at + close.len_utf8());
                self.0 = rest;
                return match regex.is_empty() {
                    true => Err("a pattern is empty".to_owned()),
                    false => Ok(Term::Pattern {
                        regex,
                        written: written.to_owned(),
                    }),
                };
            }
        }
        Err(format!("a pattern has no closing {close}"))
    }
}

const fn closing(open: char) -> Option<char> {
    Some(match open {
        '[' => ']',
        '{' => '}',
        '(' => ')',
        '<' => '>',
        '/' | '"' | '\'' | '|' | '#' | '$' => open,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(name: &str) -> Term {
        Term::Exact(name.to_owned())
    }

    fn pattern(regex: &str, written: &str) -> Term {
        Term::Pattern {
            regex: regex.to_owned(),
            written: written.to_owned(),
        }
    }

    #[test]
    fn names_are_as_they_are_written() {
        for (line, schema, name) in [
            ("public.Orders", Some("public"), "Orders"),
            (r#" "My Schema"."a.b"  "#, Some("My Schema"), "a.b"),
            (r#""a""b".c"#, Some(r#"a"b"#), "c"),
            ("größe.straße", Some("größe"), "straße"),
            ("app", None, "app"),
            ("a.b;c", Some("a"), "b"),
            ("a.b # comment", Some("a"), "b"),
            (r##""a;#".b;x"##, Some("a;#"), "b"),
        ] {
            let names = Line::Names(schema.map(exact), exact(name));
            assert_eq!(read_line(line), Ok(names), "{line}");
        }
    }

    #[test]
    fn patterns_stand_between_delimiters_and_hold_what_would_be_a_comment() {
        for (line, regex) in [
            ("~/^tmp_/", "^tmp_"),
            ("~[^a]", "^a"),
            ("~{^a{2}}", "^a{2}"),
            ("~(^(a|b))", "^(a|b)"),
            ("~<x>", "x"),
            ("~\"x.y\"", "x.y"),
            ("~'x'", "x"),
            ("~|x|", "x"),
            ("~#a;b#", "a;b"),
            ("~$x$", "x"),
        ] {
            let names = Line::Names(None, pattern(regex, line));
            let commented = format!("{line} ; comment");
            assert_eq!(read_line(&commented), Ok(names), "{line}");
        }
        let both = Line::Names(Some(pattern("a.", "~/a./")), exact("b"));
        assert_eq!(read_line("~/a./.b"), Ok(both));
    }

    #[test]
    fn heads_and_blank_lines_are_told_from_names() {
        for blank in ["", "   ", "; x", "# [exclude-table]"] {
            assert_eq!(read_line(blank), Ok(Line::Blank));
        }
        for section in Section::ALL {
            let head = format!("[{}] ; comment", section.name());
            assert_eq!(read_line(&head), Ok(Line::Head(section)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (line, problem) in [
            ("[exclude-tables]", "no section [exclude-tables]"),
            ("[exclude-table", "ends with ]"),
            ("[exclude-table] x", "follows the section's name"),
            ("public.", "a name is missing"),
            (".orders", "a name is missing"),
            ("public.my table", "\"table\" follows the name"),
            ("a.b.c", "\".c\" follows the name"),
            ("\"open", "no closing \""),
            ("\"\".b", "a name is empty"),
            ("a\"b\".c", "follows the name"),
            ("~", "missing after ~"),
            ("~xabcx", "x is none"),
            ("~/abc", "no closing /"),
            ("~//", "a pattern is empty"),
        ] {
            let error = read_line(line).expect_err(line);
            assert!(error.contains(problem), "{line}: {error}");
        }
    }
}
