//! Reading tables of TOML so that every fault is found at once, with its line.
//!
//! A [`Section`] is one table. Each getter asks for one key, which is thereby known; what nobody
//! has asked for is unknown in the end. A value is told of only where it cannot be a password.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::quantity::{display_duration, parse_duration};

/// How alike two keys are, from 0 to 1, for the one to be meant by the other.
const ALIKE: f64 = 0.75;

/// One thing that is wrong in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1; none if it is about no line.
    pub line: Option<usize>,
    /// The key, with its tables before it: `limits.login_timeout`, `user[2].name`.
    pub key: String,
    /// What is wrong with it and what it may be; no password in it.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match self.key.is_empty() {
            true => write!(f, ": {}", self.reason),
            false => write!(f, ": {}: {}", self.key, self.reason),
        }
    }
}

/// The text of a file, and what was found wrong in it so far.
pub(super) struct File<'a> {
    path: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
    pub(super) key: String,
}

impl<'a> File<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        let problems = RefCell::default();
        File {
            path,
            text,
            problems,
        }
    }

    /// The root table, with what the parser could make of it.
    pub(super) fn parse(&self) -> Spanned<DeTable<'a>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = self.line_of(error.span().map_or(0, |span| span.start));
            // The parser's words only: the line's text may hold a password.
            self.problem(Some(line), String::new(), error.message());
        }
        root
    }

    pub(super) fn problem(&self, line: Option<usize>, key: String, reason: impl fmt::Display) {
        self.problems.borrow_mut().push(Problem {
            file: self.path.to_owned(),
            line,
            key,
            reason: reason.to_string(),
        });
    }

    /// A fault of a value that was read.
    pub(super) fn wrong<T>(&self, at: &At<T>, reason: impl fmt::Display) {
        self.problem(Some(at.line), at.key.clone(), reason);
    }

    /// A fault of an option that was typed.
    pub(super) fn typed(&self, option: &str, reason: impl fmt::Display) {
        self.problems.borrow_mut().push(Problem {
            file: "the command line".into(),
            line: None,
            key: option.to_owned(),
            reason: reason.to_string(),
        });
    }

    /// `path` as the file means it: beside the file, unless it is absolute.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// All that was found, in the file's order.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.problems.borrow().is_empty()
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

/// One table of a file.
pub(super) struct Section<'f> {
    file: &'f File<'f>,
    table: &'f DeTable<'f>,
    /// The tables around it and itself, with a dot at the end; nothing for the root.
    prefix: String,
    /// Where it begins.
    pub(super) line: usize,
    known: RefCell<Vec<&'static str>>,
}

impl<'f> Section<'f> {
    pub(super) fn root(file: &'f File<'f>, table: &'f Spanned<DeTable<'f>>) -> Self {
        Section {
            file,
            table: table.get_ref(),
            prefix: String::new(),
            line: 1,
            known: RefCell::default(),
        }
    }

    /// The full name of `key`.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// A fault of the table itself, or of a key that is missing in it.
    pub(super) fn problem(&self, key: &str, reason: impl fmt::Display) {
        self.file.problem(Some(self.line), self.name(key), reason);
    }

    /// The table `key`; none if it is not there.
    pub(super) fn table(&self, key: &'static str) -> Option<Section<'f>> {
        let (value, line) = self.value(key)?;
        match value.as_table() {
            Some(table) => Some(self.child(format!("{}.", self.name(key)), table, line)),
            None => self.refuse(key, line, format!("takes a table: [{}]", self.name(key))),
        }
    }

    /// The tables of the array `key`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'f>> {
        let Some((value, line)) = self.value(key) else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            let reason = format!("takes tables with two brackets each: [[{key}]]");
            self.refuse::<()>(key, line, reason);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let line = self.file.line_of(item.span().start);
            match item.get_ref().as_table() {
                Some(table) => {
                    let prefix = format!("{}[{}].", self.name(key), index + 1);
                    tables.push(self.child(prefix, table, line));
                }
                None => {
                    self.refuse::<()>(key, line, "takes tables only");
                }
            }
        }
        tables
    }

    /// The text of `key`; an empty one is a fault.
    pub(super) fn text(&self, key: &'static str) -> Option<At<&'f str>> {
        let (value, line) = self.value(key)?;
        match value.as_str() {
            Some(text) if !text.is_empty() => Some(self.at(key, line, text)),
            Some(_) => self.refuse(key, line, "may not be empty"),
            None => self.refuse(key, line, "takes a text in quotes"),
        }
    }

    /// The texts of `key`: one, or several as an array.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<At<&'f str>>> {
        let (value, line) = self.value(key)?;
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            return Some(vec![self.at(key, line, text)]);
        }
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            return self.refuse(
                key,
                line,
                "takes a text in quotes, or several as [\"…\", \"…\"]",
            );
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            let line = self.file.line_of(item.span().start);
            match item.get_ref().as_str().filter(|text| !text.is_empty()) {
                Some(text) => texts.push(self.at(key, line, text)),
                None => {
                    self.refuse::<()>(key, line, "takes texts only, none of them empty");
                }
            }
        }
        Some(texts)
    }

    /// What `key` says in one of `words`.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<At<T>> {
        let given = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == given.value);
        if let Some((_, value)) = found {
            return Some(self.at(key, given.line, *value));
        }
        let words = words.iter().map(|(word, _)| *word);
        let all: Vec<_> = words.clone().collect();
        let reason = match nearest(given.value, words) {
            Some(word) => format!("did you mean \"{word}\"? It takes {}", all.join(", ")),
            None => format!("takes one of {}", all.join(", ")),
        };
        self.refuse(key, given.line, reason)
    }

    /// Whether `key` is on.
    pub(super) fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        let (value, line) = self.value(key)?;
        match value.as_bool() {
            Some(on) => Some(self.at(key, line, on)),
            None => self.refuse(key, line, "takes true or false"),
        }
    }

    /// The whole number of `key`, within `bounds`.
    pub(super) fn number(&self, key: &'static str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let (value, line) = self.value(key)?;
        let number = value
            .as_integer()
            .and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| bounds.contains(number));
        let (low, high) = (bounds.start(), bounds.end());
        number.or_else(|| self.refuse(key, line, format!("takes a number from {low} to {high}")))
    }

    /// The share that `key` says, from 0 to 1.
    pub(super) fn fraction(&self, key: &'static str) -> Option<f64> {
        let (value, line) = self.value(key)?;
        let integer = value.as_integer().map(|integer| integer.as_str());
        let text = value.as_float().map(|float| float.as_str()).or(integer);
        let share = text.and_then(|text| text.parse().ok());
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.or_else(|| self.refuse(key, line, "takes a number from 0 to 1, such as 0.1"))
    }

    /// The length of time of `key`, within `bounds`.
    pub(super) fn duration(
        &self,
        key: &'static str,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let (value, line) = self.value(key)?;
        // A bare number would be read as seconds by one and as milliseconds by another.
        let has_unit = |text: &&str| text.ends_with(|last: char| last.is_ascii_alphabetic());
        let duration = value
            .as_str()
            .filter(has_unit)
            .and_then(|text| parse_duration(text).ok())
            .filter(|duration| bounds.contains(duration));
        let (low, high) = (
            display_duration(*bounds.start()),
            display_duration(*bounds.end()),
        );
        duration.or_else(|| {
            let reason = format!("takes a duration from {low} to {high}, such as \"30s\"");
            self.refuse(key, line, reason)
        })
    }

    /// Everything has been asked for: what is left is unknown.
    pub(super) fn finish(self) {
        self.finish_but(|_| false);
    }

    /// The same, where what `is_other` is known elsewhere.
    pub(super) fn finish_but(self, is_other: impl Fn(&DeValue<'_>) -> bool) {
        let known = self.known.borrow();
        for (key, value) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) || is_other(value.get_ref()) {
                continue;
            }
            let line = self.file.line_of(key.span().start);
            let reason = match nearest(name, known.iter().copied()) {
                Some(near) => format!("unknown key; did you mean \"{near}\"?"),
                None => format!("unknown key; there are {}", known.join(", ")),
            };
            self.file.problem(Some(line), self.name(name), reason);
        }
    }

    fn child(&self, prefix: String, table: &'f DeTable<'f>, line: usize) -> Section<'f> {
        Section {
            file: self.file,
            table,
            prefix,
            line,
            known: RefCell::default(),
        }
    }

    fn value(&self, key: &'static str) -> Option<(&'f DeValue<'f>, usize)> {
        self.known.borrow_mut().push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some((value.get_ref(), self.file.line_of(name.span().start)))
    }

    fn at<T>(&self, key: &str, line: usize, value: T) -> At<T> {
        let key = self.name(key);
        At { value, line, key }
    }

    fn refuse<T>(&self, key: &str, line: usize, reason: impl fmt::Display) -> Option<T> {
        self.file.problem(Some(line), self.name(key), reason);
        None
    }
}

/// The word that is spelled most like `wanted`, if any is like it.
fn nearest(wanted: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let rated = words.map(|word| (strsim::jaro_winkler(wanted, word), word));
    let alike = rated.filter(|(likeness, _)| *likeness > ALIKE);
    alike
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, word)| word)
}
