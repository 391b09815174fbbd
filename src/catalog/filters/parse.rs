//! The whole file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::entry::{Entry, Line, Section, Term, check_form, read_line};
use super::error::FilterError;

/// Sections that say opposite things.
const CONTRADICTIONS: [(Section, Section); 3] = [
    (Section::IncludeOnlySchema, Section::ExcludeSchema),
    (Section::IncludeOnlyTable, Section::ExcludeTable),
    (Section::IncludeOnlyExtension, Section::ExcludeExtension),
];

/// What is left out, as the operator wrote it. Without an entry nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// The file, for messages.
    pub(super) file: String,
    /// In the order of the file.
    pub(super) entries: Vec<Entry>,
}

impl Filters {
    /// As if a file said to leave out this table, or without one this schema.
    pub fn excluding(schema: &str, table: Option<&str>) -> Self {
        let exact = |name: &str| Term::Exact(name.to_owned());
        let (section, schema, name) = match table {
            Some(table) => (Section::ExcludeTable, Some(exact(schema)), exact(table)),
            None => (Section::ExcludeSchema, None, exact(schema)),
        };
        Self {
            file: "the command line".to_owned(),
            entries: vec![Entry {
                section,
                line: 1,
                schema,
                name,
            }],
        }
    }

    /// Reads `file`.
    ///
    /// # Errors
    /// It cannot be read; a line is malformed; two sections contradict each other.
    pub fn read(file: &Path) -> Result<Self, FilterError> {
        let unreadable = |source| FilterError::Unreadable {
            file: file.to_owned(),
            source,
        };
        let bytes = fs::read(file).map_err(unreadable)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Self::parse(&file.display().to_string(), &text)
    }

    /// Reads `text`, which is called `file` in messages.
    ///
    /// # Errors
    /// As [`Filters::read`].
    pub fn parse(file: &str, text: &str) -> Result<Self, FilterError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut entries = Vec::new();
        let mut section = None;
        for (line, written) in (1..).zip(text.lines()) {
            let wrong = |problem| FilterError::Line {
                file: file.to_owned(),
                line,
                problem,
            };
            match read_line(written).map_err(wrong)? {
                Line::Blank => {}
                Line::Head(head) => section = Some(head),
                Line::Names(schema, name) => {
                    let section = section.ok_or_else(|| {
                        wrong("this stands in no section, such as [exclude-table]".to_owned())
                    })?;
                    check_form(section, schema.as_ref()).map_err(wrong)?;
                    entries.push(Entry {
                        section,
                        line,
                        schema,
                        name,
                    });
                }
            }
        }
        let filters = Self {
            file: file.to_owned(),
            entries,
        };
        filters.check()?;
        Ok(filters)
    }

    fn check(&self) -> Result<(), FilterError> {
        for (include, exclude) in CONTRADICTIONS {
            if let (Some(first), Some(second)) = (self.first(include), self.first(exclude)) {
                return Err(self.wrong(
                    second,
                    format!(
                        "[{}] contradicts [{}] (line {}): what is not included is left out already",
                        exclude.name(),
                        include.name(),
                        first.line
                    ),
                ));
            }
        }
        Ok(())
    }

    fn first(&self, section: Section) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.section == section)
    }

    pub(super) fn has(&self, section: Section) -> bool {
        self.first(section).is_some()
    }

    pub(super) fn wrong(&self, entry: &Entry, problem: String) -> FilterError {
        FilterError::Line {
            file: self.file.clone(),
            line: entry.line,
            problem,
        }
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same filters in one fixed form, to be kept and compared; none if nothing is left out.
    pub fn text(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut text = String::new();
        for section in Section::ALL {
            let entries = self.entries.iter().filter(|entry| entry.section == section);
            let entries: BTreeSet<_> = entries.map(ToString::to_string).collect();
            if !entries.is_empty() {
                text.push_str(&format!("[{}]\n", section.name()));
            }
            for entry in entries {
                text.push_str(&entry);
                text.push('\n');
            }
        }
        Some(text)
    }

    /// What differs first between the filters that a run was begun with and those of `now`, each
    /// as [`Filters::text`] gives them.
    pub fn difference(begun: Option<&str>, now: Option<&str>) -> Option<String> {
        let (begun, now) = (entries_of(begun), entries_of(now));
        let lost = begun.difference(&now).next();
        let new = now.difference(&begun).next();
        match (lost, new) {
            (Some((section, entry)), _) => Some(format!(
                "this migration was begun with filters that have {entry} in {section}, these have not"
            )),
            (None, Some((section, entry))) => Some(format!(
                "this migration was begun with filters that have no {entry} in {section}, these have"
            )),
            (None, None) => None,
        }
    }
}

/// Each entry with its section's head.
fn entries_of(text: Option<&str>) -> BTreeSet<(&str, &str)> {
    let mut section = "";
    let mut entries = BTreeSet::new();
    for line in text.unwrap_or_default().lines() {
        match line.starts_with('[') {
            true => section = line,
            false => {
                entries.insert((section, line));
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Filters, FilterError> {
        Filters::parse("f.ini", text)
    }

    #[test]
    fn every_entry_knows_its_section_and_line() {
        let text = "\u{feff}; head\r\n[exclude-schema]\r\naudit\r\n\r\n[exclude-index]\r\n\
                    public.~/_old$/ # gone\r\n[exclude-schema]\r\n\"A.B\"";
        let filters = parse(text).expect("filters");
        let entries = filters.entries.iter().map(|entry| {
            (
                entry.section,
                entry.line,
                entry.to_string(),
                entry.is_exact(),
            )
        });
        let entries: Vec<_> = entries.collect();
        assert_eq!(
            entries,
            [
                (Section::ExcludeSchema, 3, "\"audit\"".to_owned(), true),
                (
                    Section::ExcludeIndex,
                    6,
                    "\"public\".~/_old$/".to_owned(),
                    false
                ),
                (Section::ExcludeSchema, 8, "\"A.B\"".to_owned(), true),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_line() {
        for (text, line, problem) in [
            ("public.a", 1, "in no section"),
            ("[exclude-table]\n\npublic", 3, "with their schema"),
            ("[exclude-schema]\na.b", 2, "of one part"),
            ("[exclude-extension]\na.b", 2, "of one part"),
            ("# x\n[nonsense]", 2, "no section [nonsense]"),
            ("[exclude-table]\na.b c", 2, "follows the name"),
            (
                "[include-only-table]\na.b\n[exclude-table]\n~/x/.~/y/",
                4,
                "contradicts [include-only-table] (line 2)",
            ),
            (
                "[exclude-schema]\na\n[include-only-schema]\n~/b/",
                2,
                "contradicts [include-only-schema] (line 4)",
            ),
            (
                "[include-only-extension]\na\n[exclude-extension]\nb",
                4,
                "contradicts",
            ),
        ] {
            match parse(text) {
                Err(FilterError::Line {
                    file,
                    line: found,
                    problem: said,
                }) => {
                    assert_eq!((file.as_str(), found), ("f.ini", line), "{text}: {said}");
                    assert!(said.contains(problem), "{text}: {said}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_section_without_entries_contradicts_nothing() {
        assert!(parse("[include-only-table]\n[exclude-table]\na.b").is_ok());
        assert_eq!(
            parse("[exclude-table]\n# a.b").expect("filters").text(),
            None
        );
    }

    #[test]
    fn the_same_filters_are_the_same_however_they_are_written() {
        let one = parse("[exclude-table]\na.b\na.c\n[exclude-schema]\nx").expect("filters");
        let other = parse(
            "[exclude-schema]\n\"x\" ; comment\n[exclude-table]\na.\"c\"\na.b\n[exclude-table]\na.b",
        );
        let (one, other) = (one.text(), other.expect("filters").text());
        assert_eq!(one, other);
        assert_eq!(Filters::difference(one.as_deref(), other.as_deref()), None);
        let again = Filters::parse("store", one.as_deref().unwrap_or_default());
        assert_eq!(again.expect("filters").text(), one);
    }

    #[test]
    fn the_first_difference_is_named() {
        let begun = Some("[exclude-table]\n\"a\".\"b\"\n");
        let lost = Filters::difference(begun, None).expect("a difference");
        assert!(lost.contains("have \"a\".\"b\" in [exclude-table], these have not"));
        let new = Filters::difference(None, begun).expect("a difference");
        assert!(new.contains("have no \"a\".\"b\" in [exclude-table], these have"));
    }
}
