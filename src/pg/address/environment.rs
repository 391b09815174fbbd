//! What a connection string's meaning depends on besides itself.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment variables, home folder and user of a process, as a value.
#[derive(Clone, Default)]
pub struct Environment {
    /// Environment variables by name: those of libpq, and those that a configuration names.
    pub variables: HashMap<String, String>,
    /// Where `.pgpass`, `.pg_service.conf` and `.postgresql` are looked for.
    pub home: Option<PathBuf>,
    /// The default user name.
    pub os_user: Option<String>,
}

/// Without the variables' values: some are passwords.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Environment {
    /// That of this process. Variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
            .ok()
            .flatten();
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .or_else(|| user.as_ref().map(|user| user.dir.clone()));
        Self {
            variables,
            home,
            os_user: user.map(|user| user.name),
        }
    }

    /// The variable's value, an empty one included.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// `name` in the home folder, if there is one.
    pub fn in_home(&self, name: &str) -> Option<PathBuf> {
        self.home.as_deref().map(|home| home.join(name))
    }

    /// The folder that a local connection's socket is in by default: the one of Debian's and Red
    /// Hat's packages where that exists, else the one of a server built from source.
    pub fn socket_folder(&self) -> &'static str {
        match Path::new("/var/run/postgresql").is_dir() {
            true => "/var/run/postgresql",
            false => "/tmp",
        }
    }
}
