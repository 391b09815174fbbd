//! Service files: named sets of connection options.
//!
//! Follows `parseServiceInfo` of PostgreSQL's `src/interfaces/libpq/fe-connect.c`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::conninfo::is_blank;
use super::environment::Environment;
use super::error::AddressError;
use super::keyword::{self, Settings};

/// Where the system's service file is if PGSYSCONFDIR is not set: Debian's place and the one of a
/// server built from source.
const SYSTEM_FOLDERS: [&str; 2] = ["/etc/postgresql-common", "/usr/local/pgsql/etc"];

/// Adds the service's options to `settings` where they have none yet.
pub fn fill(
    settings: &mut Settings,
    service: &str,
    environment: &Environment,
) -> Result<(), AddressError> {
    for path in files(environment) {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Only a file that was asked for by name must be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named(environment) => {
                continue;
            }
            Err(error) => {
                return Err(AddressError::ServiceFile {
                    path,
                    line: None,
                    problem: error.to_string(),
                });
            }
        };
        if let Some(found) = section(&text, service, &path)? {
            for (keyword, value) in found {
                settings.entry(keyword).or_insert(value);
            }
            return Ok(());
        }
    }
    Err(AddressError::NoService(service.to_owned()))
}

fn named(environment: &Environment) -> bool {
    environment.variable("PGSERVICEFILE").is_some()
}

/// The files to look into, in order.
fn files(environment: &Environment) -> Vec<PathBuf> {
    let own = match environment.variable("PGSERVICEFILE") {
        Some(path) => Some(PathBuf::from(path)),
        None => environment.in_home(".pg_service.conf"),
    };
    let system = match environment.variable("PGSYSCONFDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => SYSTEM_FOLDERS.iter().map(PathBuf::from).collect(),
    };
    let system = system
        .into_iter()
        .map(|folder| folder.join("pg_service.conf"));
    own.into_iter()
        .chain(system.filter(|path| path.exists()))
        .collect()
}

/// The options of `[service]` in `text`, if it is there.
fn section(text: &str, service: &str, path: &Path) -> Result<Option<Settings>, AddressError> {
    let mut found: Option<Settings> = None;
    for (at, line) in text.lines().enumerate() {
        let wrong = |problem: String| AddressError::ServiceFile {
            path: path.to_owned(),
            line: Some(at + 1),
            problem,
        };
        let line = line.trim_matches(is_blank);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if name
                .split_once(']')
                .is_some_and(|(name, _)| name == service)
            {
                found = Some(Settings::new());
            }
            continue;
        }
        let Some(options) = &mut found else { continue };
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| wrong("no \"=\" in this line".to_owned()))?;
        if name == "service" {
            return Err(wrong("a service cannot name another service".to_owned()));
        }
        let keyword = keyword::find(name).map_err(|error| wrong(error.to_string()))?;
        // The first one wins in a file, unlike in a string.
        options
            .entry(keyword.name)
            .or_insert_with(|| value.to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\n[a]\nhost=one\n\n[b]\n  port=6\nuser=u \nport=7\n[c]\nhost=three\n";

    #[test]
    fn only_the_named_section_is_read() {
        let read = |service| section(FILE, service, Path::new("f")).expect("a service file");
        let b: Vec<_> = read("b").expect("section b").into_iter().collect();
        assert_eq!(b, [("port", "6".to_owned()), ("user", "u".to_owned())]);
        assert_eq!(read("d"), None);
    }

    #[test]
    fn errors_name_file_and_line() {
        for (text, line) in [
            ("[a]\nhost", 2),
            ("[a]\n\nhots=x", 3),
            ("[a]\nservice=b", 2),
        ] {
            let error = section(text, "a", Path::new("f")).expect_err(text);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("service file f, line {line}:")),
                "{error}"
            );
        }
        assert_eq!(section("[a]\nhost", "b", Path::new("f")), Ok(None));
    }
}
