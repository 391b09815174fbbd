//! Who clients may be: `[[user]]`, with passwords by reference.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::Given;
use super::databases::{ANY, Database};
use super::reader::{At, File, Section};
use crate::base::Secret;
use crate::pg::address::passfile::{self, Login};
use crate::wire::scram::ScramSecret;

/// A longer password is a mistake: the wrong file was named.
const PASSWORD_BYTES_MAX: u64 = 16 * 1024;

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The role, the same on the servers.
    pub name: String,
    /// What is known of the password.
    pub stored: Stored,
    /// The name in the client certificate, if it is not the role's.
    pub certificate_name: Option<String>,
}

/// What is known of a user's password, as `pg_authid.rolpassword` would hold it or plainer.
#[derive(Clone, PartialEq, Eq)]
pub enum Stored {
    /// Nothing: certificates or trust must do.
    Nothing,
    /// The password.
    Password(Secret),
    /// A SCRAM secret.
    Scram(ScramSecret),
    /// `md5` and 32 digits: the hash of password and role.
    Md5(Secret),
}

impl Stored {
    /// What `text` is. PostgreSQL takes no password that looks like a secret, so this is sure.
    pub fn of(text: &str) -> Stored {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if let Ok(secret) = ScramSecret::parse(text) {
            return Stored::Scram(secret);
        }
        match text.strip_prefix("md5") {
            Some(rest) if rest.len() == 32 && rest.bytes().all(is_digit) => {
                Stored::Md5(Secret::new(text))
            }
            _ => Stored::Password(Secret::new(text)),
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stored::Nothing => "nothing",
            Stored::Password(_) => "a password",
            Stored::Scram(_) => "a SCRAM secret",
            Stored::Md5(_) => "an md5 hash",
        })
    }
}

/// The users of the file, each name once.
pub(super) fn read(
    file: &File<'_>,
    tables: Vec<Section<'_>>,
    databases: &[Database],
    given: &Given,
) -> Vec<User> {
    let mut names = HashSet::new();
    let mut users = Vec::with_capacity(tables.len());
    for table in tables {
        let name = table.text("name");
        let stored = stored(file, &table, name.as_ref(), databases, given);
        let certificate_name = table.text("certificate_name");
        match &name {
            None => table.problem("name", "is missing: the role that clients log in as"),
            Some(name) if !names.insert(name.value) => {
                file.wrong(name, "is the name of another user, too");
            }
            Some(_) => {}
        }
        table.finish();
        if let Some(name) = name {
            users.push(User {
                name: name.value.to_owned(),
                stored: stored.unwrap_or(Stored::Nothing),
                certificate_name: certificate_name.map(|name| name.value.to_owned()),
            });
        }
    }
    users
}

/// What the one key that says it says of the password.
fn stored(
    file: &File<'_>,
    table: &Section<'_>,
    name: Option<&At<&str>>,
    databases: &[Database],
    given: &Given,
) -> Option<Stored> {
    let in_file = table.text("password_file");
    let in_variable = table.text("password_env");
    let in_passfile = table.text("passfile");
    let secret = table.text("scram_secret");
    let all = [&in_file, &in_variable, &in_passfile, &secret];
    if let Some(second) = all.into_iter().flatten().nth(1) {
        file.wrong(
            second,
            "one of password_file, password_env, passfile and scram_secret is enough",
        );
    }
    if let Some(at) = in_file {
        let path = file.beside(at.value);
        return tell(file, &at, read_password_file(&path));
    }
    if let Some(at) = in_variable {
        let value = given.environment.variable(at.value);
        let value = value.filter(|value| !value.is_empty());
        let missing = || format!("the environment has no variable {}", at.value);
        return tell(file, &at, value.map(Stored::of).ok_or_else(missing));
    }
    if let Some(at) = in_passfile {
        let path = file.beside(at.value);
        let user = name.map_or("", |name| name.value);
        return tell(file, &at, look_up(&path, user, databases, given));
    }
    let at = secret?;
    let parsed = ScramSecret::parse(at.value);
    let parsed = parsed.map(Stored::Scram);
    tell(file, &at, parsed.map_err(|error| error.to_string()))
}

fn tell(file: &File<'_>, at: &At<&str>, found: Result<Stored, String>) -> Option<Stored> {
    found.map_err(|reason| file.wrong(at, reason)).ok()
}

/// A file with the password, or a secret, and maybe a line end.
fn read_password_file(path: &Path) -> Result<Stored, String> {
    let told = |error: io::Error| format!("reading {}: {error}", path.display());
    let mode = fs::metadata(path).map_err(told)?.permissions().mode();
    if mode & 0o007 != 0 {
        let path = path.display();
        return Err(format!("everybody may read {path}; run chmod 0600 on it"));
    }
    let text = Zeroizing::new(read_bounded(path, PASSWORD_BYTES_MAX).map_err(told)?);
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{} is empty", path.display())),
        text if text.contains(['\n', '\0']) => {
            Err(format!("{} has more than one line", path.display()))
        }
        text => Ok(Stored::of(text)),
    }
}

/// The password that libpq's password file has for `user` on the servers of `databases`. It must
/// be the same for all: a client shows one.
fn look_up(
    path: &Path,
    user: &str,
    databases: &[Database],
    given: &Given,
) -> Result<Stored, String> {
    let Some(text) = passfile::read(path).map(Zeroizing::new) else {
        return Err(format!(
            "{} is not there, or others may read it; run chmod 0600 on it",
            path.display()
        ));
    };
    let mut found: Option<Secret> = None;
    let servers = databases
        .iter()
        .flat_map(|one| [Some(&one.source), one.target.as_ref()].map(|server| (one, server)));
    for (database, server) in servers {
        let Some(server) = server else { continue };
        let address = server.address(&database.name);
        for host in address.hosts() {
            let login = Login {
                host: &host.passfile_name(given.environment.socket_folder()),
                port: host.port,
                dbname: address.dbname(),
                user,
            };
            let Some(password) = passfile::find(&text, login) else {
                continue;
            };
            if found.as_ref().is_some_and(|other| *other != password) {
                return Err(format!(
                    "{} has different passwords of \"{user}\" for the servers",
                    path.display()
                ));
            }
            found = Some(password);
        }
    }
    let missing = || {
        let any = match databases.iter().any(|one| one.name == ANY) {
            true => "; for databases of any name, its line needs * in the third place",
            false => "",
        };
        let path = path.display();
        format!("{path} has no line for \"{user}\" and the servers{any}")
    };
    let password = found.ok_or_else(missing)?;
    Ok(Stored::Password(password))
}

/// The text of a file of at most `bytes_max`.
pub(super) fn read_bounded(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(path)?
        .take(bytes_max + 1)
        .read_to_string(&mut text)?;
    match read as u64 > bytes_max {
        true => Err(io::Error::other(format!(
            "it has more than {bytes_max} bytes"
        ))),
        false => Ok(text),
    }
}
