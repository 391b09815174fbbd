//! The password file: `host:port:database:user:password`, a line each.
//!
//! Follows `passwordFromFile` of PostgreSQL's `src/interfaces/libpq/fe-connect.c`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::Secret;

/// What a password is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The host as written; `localhost` for the default socket folder.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The database.
    pub dbname: &'a str,
    /// The role.
    pub user: &'a str,
}

/// The file's text, or none if there is none that may be used.
///
/// A file that others may read is ignored with a warning, as by libpq.
pub fn read(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() {
        tracing::warn!("password file {} is not a plain file", path.display());
        return None;
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            "password file {} is ignored because others may read it; run chmod 0600 on it",
            path.display()
        );
        return None;
    }
    match fs::read(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            tracing::warn!("password file {} cannot be read: {error}", path.display());
            None
        }
    }
}

/// The password of the first line that fits.
pub fn find(text: &str, login: Login<'_>) -> Option<Secret> {
    let port = login.port.to_string();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let line = line.trim_end_matches('\r');
            let rest = [login.host, &port, login.dbname, login.user]
                .iter()
                .try_fold(line, |rest, wanted| strip_field(rest, wanted))?;
            Some(Secret::new(unescape(rest)))
        })
        .filter(|password| !password.expose().is_empty())
}

/// What follows the first field and its colon, if that field is `*` or says `wanted`.
fn strip_field<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut wanted = wanted.chars();
    let mut left = line.chars();
    loop {
        let found = match left.next()? {
            ':' => return wanted.next().is_none().then_some(left.as_str()),
            '\\' => left.next()?,
            plain => plain,
        };
        if wanted.next() != Some(found) {
            return None;
        }
    }
}

/// `text` up to the next unescaped colon, without the backslashes that escape.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut left = text.chars();
    while let Some(character) = left.next() {
        match character {
            ':' => break,
            '\\' => plain.push(left.next().unwrap_or('\\')),
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: Login<'_> = Login {
        host: "db1",
        port: 5432,
        dbname: "shop",
        user: "me",
    };

    fn password(text: &str) -> Option<String> {
        find(text, LOGIN).map(|password| password.expose().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        for (text, expected) in [
            ("db1:5432:shop:me:one", Some("one")),
            ("*:*:*:*:any", Some("any")),
            ("db2:*:*:*:no\n*:*:*:me:two\n*:*:*:*:three", Some("two")),
            ("# db1:5432:shop:me:no\ndb1:*:*:*:yes\r\n", Some("yes")),
            (r"db\1:5432:shop:me:a\:b\\c", Some(r"a:b\c")),
            ("db1:5432:shop:you:no", None),
            ("db1:5432:shop", None),
            ("db12:5432:shop:me:no", None),
            ("db:5432:shop:me:no", None),
            ("db1:5432:shop:me:", None),
            ("", None),
        ] {
            assert_eq!(password(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgpass");
        fs::write(&path, "*:*:*:*:x").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        assert_eq!(read(&path), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert!(read(&path).is_some());
    }
}
