//! The file given by `--config`: options by their long names, in TOML.
//!
//! ```toml
//! source = "host=old.example.com dbname=shop"
//! table-jobs = 8
//! drop-if-exists = true
//! ```
//!
//! Only plain values stand for options. Tables, such as `[proxy]` and `[[database]]`, belong to the
//! part of pgflit that reads them and are left alone here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::UsageError;

/// What a configuration file sets; empty when none was given.
#[derive(Debug, Clone, Default)]
pub struct ConfigFile {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
}

/// The options that may be repeated, and may be arrays in the file.
const LISTS: [&str; 3] = ["copy-from", "skip-check", "without-changes-of"];

impl ConfigFile {
    /// Reads `path`; each key must be one of `keys`, long options without dashes.
    pub fn read(path: &Path, keys: &[String]) -> Result<Self, UsageError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| UsageError::ConfigUnreadable {
                path: path.to_owned(),
                source,
            })?;
        let table: toml::Table = text
            .parse()
            .map_err(|error| syntax_error(path, &text, &error))?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            if is_of_tables(&value) {
                continue;
            }
            if !keys.contains(&key) {
                return Err(UsageError::ConfigKey {
                    path: path.to_owned(),
                    line: line_of_key(&text, &key),
                    nearest: nearest(&key, keys),
                    key,
                });
            }
            let texts = texts(&value, LISTS.contains(&key.as_str()));
            let texts = texts.ok_or_else(|| UsageError::Value {
                origin: format!("{key} in {}", path.display()),
                reason: "takes one text, number or boolean".to_owned(),
            })?;
            values.insert(key, texts);
        }
        Ok(ConfigFile {
            path: path.to_owned(),
            values,
        })
    }

    /// What the file says for `option`.
    pub fn get(&self, option: &str) -> Option<&str> {
        self.get_all(option).first().map(String::as_str)
    }

    /// All that the file says for an `option` that may be repeated.
    pub fn get_all(&self, option: &str) -> &[String] {
        self.values.get(option).map_or(&[], Vec::as_slice)
    }

    /// The file's path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether it is one table, or several with one name.
fn is_of_tables(value: &toml::Value) -> bool {
    let items = value.as_array();
    value.is_table() || items.is_some_and(|items| items.iter().any(toml::Value::is_table))
}

/// Counted from 1; the file is valid, so the key is there.
fn line_of_key(text: &str, key: &str) -> usize {
    let root = toml::de::DeTable::parse(text);
    let offset = root.ok().and_then(|root| {
        let (found, _) = root.get_ref().get_key_value(key)?;
        Some(found.span().start)
    });
    line_at(text, offset.unwrap_or(0))
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The key that is spelled most like `wanted`, if any is like it.
fn nearest(wanted: &str, keys: &[String]) -> Option<String> {
    // Below it two words have no more in common than any two.
    const ALIKE: f64 = 0.8;
    let rated = keys
        .iter()
        .map(|key| (strsim::jaro_winkler(wanted, key), key));
    let alike = rated.filter(|(likeness, _)| *likeness > ALIKE);
    let best = alike.max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, key)| key.clone())
}

/// A value as it would have been typed after the option; several if it is a list that may be one.
fn texts(value: &toml::Value, list_allowed: bool) -> Option<Vec<String>> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(on) => on.to_string(),
        toml::Value::Array(items) if list_allowed => {
            let items = items.iter().map(|item| Some(item.as_str()?.to_owned()));
            return items.collect();
        }
        toml::Value::Array(_) | toml::Value::Table(_) | toml::Value::Datetime(_) => return None,
    };
    Some(vec![text])
}

/// The parser's message and the line, without the line's text: it may hold a password.
fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> UsageError {
    UsageError::ConfigSyntax {
        path: path.to_owned(),
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    }
}
