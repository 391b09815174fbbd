//! Data folders as copies of one that `initdb` made.
//!
//! `initdb` takes about a second of CPU, a copy some hundredths. There is a template for each
//! name a cluster may have, so that a source and a target do not share a system identifier, as
//! two real clusters never do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::Registry;
use super::{ClusterError, Programs};

/// The superuser of every throw-away cluster.
pub(super) const SUPERUSER: &str = "postgres";

/// Makes `data`, which does not exist yet, a fresh data folder.
pub(super) fn make_data_folder(
    registry: &Registry,
    programs: &Programs,
    name: &str,
    data: &Path,
) -> Result<(), ClusterError> {
    let template = template(registry, programs, name)?;
    registry.user().run(
        Path::new("cp"),
        &[
            OsStr::new("-a"),
            OsStr::new("--reflink=auto"),
            template.as_os_str(),
            data.as_os_str(),
        ],
        registry.path(),
    )
}

/// The template for `name`, made now if there is none of this version.
///
/// It gets its name only when it is whole: a killed `initdb` leaves a folder that ends in `.new`,
/// which the next one removes.
fn template(registry: &Registry, programs: &Programs, name: &str) -> Result<PathBuf, ClusterError> {
    let id = format!("template-{name}-{}", file_name_of(&programs.version()?));
    let path = registry.path().join(&id);
    let _lock = registry.lock(&format!("{id}.lock"))?;
    if path.is_dir() {
        return Ok(path);
    }
    let unfinished = registry.path().join(format!("{id}.new"));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(ClusterError::io("removing", &unfinished))?;
    }
    registry.user().run(
        &programs.path("initdb"),
        &[
            OsStr::new("--pgdata"),
            unfinished.as_os_str(),
            OsStr::new("--username"),
            OsStr::new(SUPERUSER),
            OsStr::new("--auth=trust"),
            OsStr::new("--encoding=UTF8"),
            OsStr::new("--locale=C"),
            OsStr::new("--no-sync"),
        ],
        registry.path(),
    )?;
    fs::rename(&unfinished, &path).map_err(ClusterError::io("renaming", &unfinished))?;
    Ok(path)
}

/// `version` without what does not belong in a file name.
fn file_name_of(version: &str) -> String {
    version
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => character,
            _ => '_',
        })
        .collect()
}
