//! pg_dump, pg_restore and pg_dumpall.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions keep one folder a major version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// The client programs of one PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// pg_dump's path.
    pub pg_dump: PathBuf,
    /// pg_restore's path.
    pub pg_restore: PathBuf,
    /// pg_dumpall's path; whether it is there is not looked at.
    pub pg_dumpall: PathBuf,
    /// Their major version.
    pub major: u32,
}

/// There are no usable client programs.
#[derive(Debug, thiserror::Error)]
pub enum ProgramsError {
    /// None at all.
    #[error("pg_dump and pg_restore were not found (looked in {searched})")]
    Missing {
        /// The folders, or the pg_config that names none.
        searched: String,
    },
    /// Only older ones: pg_dump cannot read a server newer than itself.
    #[error("pg_dump {found} is older than the source, which is PostgreSQL {needed}")]
    TooOld {
        /// The newest found.
        found: u32,
        /// The source's major version.
        needed: u32,
    },
}

impl Programs {
    /// The first installation of at least `needed`, the source's major version: `PG_CONFIG`'s and
    /// no other if it is set, else `PATH`'s, else the newest that distributions keep elsewhere.
    pub fn find(needed: u32) -> Result<Self, ProgramsError> {
        let folders = match std::env::var_os("PG_CONFIG") {
            Some(pg_config) => bin_dir(&pg_config).into_iter().collect(),
            None => usual_folders(),
        };
        let mut newest = None;
        for folder in &folders {
            match Self::in_folder(folder) {
                Some(programs) if programs.major >= needed => return Ok(programs),
                Some(programs) => newest = newest.max(Some(programs.major)),
                None => {}
            }
        }
        match newest {
            Some(found) => Err(ProgramsError::TooOld { found, needed }),
            None => {
                let mut names: Vec<_> = folders
                    .iter()
                    .map(|folder| folder.display().to_string())
                    .collect();
                if let (true, Some(pg_config)) = (names.is_empty(), std::env::var_os("PG_CONFIG")) {
                    names.push(format!(
                        "PG_CONFIG={}, which cannot be run",
                        pg_config.display()
                    ));
                }
                Err(ProgramsError::Missing {
                    searched: names.join(", "),
                })
            }
        }
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        let (pg_dump, pg_restore) = (folder.join("pg_dump"), folder.join("pg_restore"));
        if !pg_restore.is_file() {
            return None;
        }
        let line = first_line(Command::new(&pg_dump).arg("--version"))?;
        let version = line
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
        let major = digits.parse().ok()?;
        Some(Self {
            pg_dumpall: folder.join("pg_dumpall"),
            pg_dump: folder.join("pg_dump"),
            pg_restore: folder.join("pg_restore"),
            major,
        })
    }
}

fn bin_dir(pg_config: &OsString) -> Option<PathBuf> {
    first_line(Command::new(pg_config).arg("--bindir")).map(PathBuf::from)
}

fn usual_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path)
        .filter(|folder| folder.join("pg_dump").is_file())
        .filter(|folder| !is_wrapper(&folder.join("pg_dump")))
        .collect();
    let entries = std::fs::read_dir(VERSIONED).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    let versioned = |major: u32| Path::new(VERSIONED).join(major.to_string()).join("bin");
    folders.extend(versions.into_iter().map(versioned));
    folders
}

/// Whether the program is Debian's script that looks for the real one, in the versioned folders: it
/// takes longer to do so than most calls of ours take.
fn is_wrapper(program: &Path) -> bool {
    let real = program.canonicalize();
    real.is_ok_and(|real| real.file_name().is_some_and(|name| name == "pg_wrapper"))
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    output.status.success().then_some(line)
}
