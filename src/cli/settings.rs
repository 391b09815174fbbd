//! An option beats the environment, the environment beats the configuration file.
//!
//! clap sees only what was typed. Every option that may come from elsewhere passes through
//! [`Settings`] once, which knows the other two places and names the right one when a value is
//! wrong.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use super::config_file::ConfigFile;
use super::environment::Environment;
use super::error::UsageError;
use super::redaction::redact;
use crate::base::quantity::parse_duration;

/// Under which name the program was called, which decides the names it gives to a slot and an
/// origin: a script written for pgcopydb looks for `pgcopydb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalledAs {
    /// `pgflit`, or any other name.
    Pgflit,
    /// `pgcopydb`, usually a symlink.
    Pgcopydb,
}

impl CalledAs {
    /// What a slot or an origin is called unless an option says otherwise.
    pub const fn default_name(self) -> &'static str {
        match self {
            CalledAs::Pgflit => "pgflit",
            CalledAs::Pgcopydb => "pgcopydb",
        }
    }
}

/// Where the value of an option may come from when it was not typed.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// The process's variables.
    pub environment: &'a Environment,
    /// What `--config` named; empty without it.
    pub file: ConfigFile,
    /// The program's name.
    pub called_as: CalledAs,
}

/// A value that was not typed and the place it was found in.
struct Found {
    origin: String,
    text: String,
}

impl Settings<'_> {
    /// The value of `option`, or none if nobody set it.
    pub fn value<T>(&self, option: &str, typed: Option<T>) -> Result<Option<T>, UsageError>
    where
        T: FromStr,
        T::Err: ToString,
    {
        self.resolve(option, typed, |text| {
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// The value of an `option` that has a closed set of words.
    pub fn choice<T: ValueEnum>(
        &self,
        option: &str,
        typed: Option<T>,
    ) -> Result<Option<T>, UsageError> {
        self.resolve(option, typed, |text| {
            T::from_str(text, true).map_err(|_| {
                let words = T::value_variants().iter();
                let words =
                    words.filter_map(|word| Some(word.to_possible_value()?.get_name().to_owned()));
                let words: Vec<_> = words.collect();
                format!("\"{text}\" is not one of {}", words.join(", "))
            })
        })
    }

    /// The value of an `option` that is a length of time.
    pub fn duration(
        &self,
        option: &str,
        typed: Option<Duration>,
    ) -> Result<Option<Duration>, UsageError> {
        self.resolve(option, typed, |text| {
            parse_duration(text).map_err(|error| error.to_string())
        })
    }

    /// Whether the flag `option` is on.
    pub fn switch(&self, option: &str, typed: bool) -> Result<bool, UsageError> {
        let on = self.resolve(option, typed.then_some(true), parse_boolean)?;
        Ok(on.unwrap_or(false))
    }

    /// The values of an `option` that may be repeated; in the file, an array.
    pub fn list(&self, option: &str, typed: Vec<String>) -> Vec<String> {
        match typed.is_empty() {
            true => self.file.get_all(option).to_vec(),
            false => typed,
        }
    }

    fn resolve<T>(
        &self,
        option: &str,
        typed: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, UsageError> {
        if typed.is_some() {
            return Ok(typed);
        }
        let Some(found) = self.find(option)? else {
            return Ok(None);
        };
        let value = parse(&found.text).map_err(|reason| UsageError::Value {
            origin: found.origin,
            reason: redact(&reason),
        })?;
        Ok(Some(value))
    }

    fn find(&self, option: &str) -> Result<Option<Found>, UsageError> {
        if let Some((origin, value)) = self.environment.for_option(option) {
            return match value.to_str() {
                Some(text) => Ok(Some(Found {
                    origin,
                    text: text.to_owned(),
                })),
                None => Err(UsageError::Value {
                    origin,
                    reason: "the value is not UTF-8".to_owned(),
                }),
            };
        }
        let found = self.file.get(option).map(|text| Found {
            origin: format!("{} in {}", option, self.file.path().display()),
            text: text.to_owned(),
        });
        Ok(found)
    }
}

/// Reads a boolean as PostgreSQL does: `parse_bool_with_len` in `src/backend/utils/adt/bool.c`.
fn parse_boolean(text: &str) -> Result<bool, String> {
    let word = text.trim().to_ascii_lowercase();
    let starts = |of: &str| !word.is_empty() && of.starts_with(&word);
    // "o" alone could be either.
    if word == "1" || word == "on" || starts("true") || starts("yes") {
        Ok(true)
    } else if word == "0" || starts("false") || starts("no") || (word.len() > 1 && starts("off")) {
        Ok(false)
    } else {
        Err(format!(
            "\"{text}\" is not a boolean: on, off, true, false, yes, no, 1 or 0"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_as_postgres_reads_them() {
        for text in ["1", "on", "ON", "t", "tru", "yes", "y", " true "] {
            assert_eq!(parse_boolean(text), Ok(true), "{text}");
        }
        for text in ["0", "of", "off", "f", "FALSE", "n", "no"] {
            assert_eq!(parse_boolean(text), Ok(false), "{text}");
        }
        for text in ["o", "", "maybe", "2", "truely", "nope"] {
            assert!(
                parse_boolean(text).is_err(),
                "{text:?} was taken for a boolean"
            );
        }
    }

    #[test]
    fn our_variable_beats_pgcopydbs_and_an_option_beats_both() {
        let environment = Environment::from_iter([
            ("PGFLIT_TABLE_JOBS", "3"),
            ("PGCOPYDB_TABLE_JOBS", "5"),
            ("PGCOPYDB_INDEX_JOBS", "7"),
        ]);
        let settings = Settings {
            environment: &environment,
            file: ConfigFile::default(),
            called_as: CalledAs::Pgflit,
        };
        let value = |option, typed| settings.value::<u16>(option, typed).ok().flatten();
        assert_eq!(value("table-jobs", None), Some(3));
        assert_eq!(value("table-jobs", Some(9)), Some(9));
        assert_eq!(value("index-jobs", None), Some(7));
        assert_eq!(value("restore-jobs", None), None);
    }
}
