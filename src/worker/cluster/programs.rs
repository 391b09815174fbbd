//! Where PostgreSQL's programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ClusterError;

/// Folders in which distributions keep one folder a major version.
const VERSIONED: [(&str, &str); 2] = [("/usr/lib/postgresql", "bin"), ("/usr", "bin")];

/// One installation of PostgreSQL's server and client programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The first installation with a server: `explicit` if given, and then nothing else; else the
    /// one that the environment's `PG_CONFIG` names, the one in `PATH`, and the newest of those
    /// that distributions install out of `PATH`.
    pub fn find(explicit: Option<&Path>) -> Result<Self, ClusterError> {
        let candidates = match explicit {
            Some(folder) => vec![folder.to_owned()],
            None => candidates(),
        };
        match candidates.iter().find(|folder| has_server(folder)) {
            Some(folder) => Ok(Self {
                folder: folder.clone(),
            }),
            None => {
                let names: Vec<_> = candidates
                    .iter()
                    .map(|folder| folder.display().to_string())
                    .collect();
                Err(ClusterError::NoServer {
                    searched: names.join(", "),
                })
            }
        }
    }

    /// The program of this name, or the bare name, to be looked up in `PATH`, if this installation
    /// does not have it.
    pub fn path(&self, program: &str) -> PathBuf {
        let here = self.folder.join(program);
        match here.is_file() {
            true => here,
            false => PathBuf::from(program),
        }
    }

    /// The folder that holds the server's programs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `postgres --version` says after the name, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub fn version(&self) -> Result<String, ClusterError> {
        let program = self.path("postgres");
        match output_line(&program, "--version") {
            Some(line) => Ok(line.replace("postgres (PostgreSQL) ", "")),
            None => Err(ClusterError::Program {
                program,
                message: "--version printed nothing".to_owned(),
            }),
        }
    }
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(pg_config) = env::var_os("PG_CONFIG") {
        folders.extend(output_line(Path::new(&pg_config), "--bindir").map(PathBuf::from));
    }
    if let Some(path) = env::var_os("PATH") {
        folders.extend(env::split_paths(&path).filter(|folder| has_server(folder)));
    }
    for (parent, below) in VERSIONED {
        let names = fs::read_dir(parent).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        folders.extend(
            newest_first(names)
                .into_iter()
                .map(|name| Path::new(parent).join(name).join(below)),
        );
    }
    folders
}

/// Those of `names` that are a major version, as Debian (`15`) or Red Hat (`pgsql-15`) write it;
/// 9.6 is older than 10.
fn newest_first(names: impl Iterator<Item = String>) -> Vec<String> {
    let major = |name: &str| -> Option<f64> {
        let number = name.strip_prefix("pgsql-").unwrap_or(name);
        number.parse().ok()
    };
    let mut versions: Vec<_> = names
        .filter_map(|name| Some((major(&name)?, name)))
        .collect();
    versions.sort_by(|left, right| right.0.total_cmp(&left.0));
    versions.into_iter().map(|(_, name)| name).collect()
}

/// The first line that `program argument` prints.
fn output_line(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let names = ["9.6", "15", "pgsql-18", "share", "10"].map(str::to_owned);
        let newest = newest_first(names.into_iter());
        assert_eq!(newest, ["pgsql-18", "15", "10", "9.6"]);
    }

    #[test]
    fn an_explicit_folder_without_a_server_is_refused_by_name() {
        let error = Programs::find(Some(Path::new("/nowhere"))).expect_err("no server there");
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }
}
