//! The proxy's configuration is written anew once there is no way back: what was the target is the source.
//!
//! # Crash story
//! The order is that of [`crate::proxy::authority::record`], and whoever is killed in between runs
//! `finalize` again:
//! 1. Before *begun*: nothing has happened.
//! 2. *Begun*, the old file: there may be a backup too many.
//! 3. *Begun*, the new file: only the record is to be completed.
//! 4. *Done*: nothing.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::CutoverError;
use crate::base::{durable_file, failpoint};
use crate::pg::address::Environment;
use crate::proxy::authority::{Exchange, Record};
use crate::proxy::config::{self, ExchangeError};
use crate::store::WorkDir;

/// Copies of earlier configurations that are looked past for a free name.
const BACKUPS_MAX: u32 = 1000;

/// Why a configuration was not written anew.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It cannot be read or written.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is wrong, or would be.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

/// Writes the proxy's configuration at `path` anew, if it asks for that and has a target. Gives the copy of
/// the old one.
///
/// # Errors
/// It is not written; or it is, and the record of that is not: then run it again.
pub(super) fn exchange(work_dir: &WorkDir, path: &Path) -> Result<Option<PathBuf>, CutoverError> {
    let not_written = |source| CutoverError::NotWritten {
        path: path.to_owned(),
        source,
    };
    let record_path = work_dir.authority_path();
    let note = |exchange| {
        let known = Record::read(&record_path)?;
        let record = Record {
            exchange: Some(exchange),
            ..known
        };
        record.write(&record_path)
    };
    // Where a link leads to, so that the link stays.
    let file = fs::canonicalize(path).map_err(failed("finding", path));
    let file = file.map_err(not_written)?;
    let old = config::read_file(&file).map_err(failed("reading", &file));
    let old = old.map_err(not_written)?;
    let new = config::exchanged(&file, &old, &Environment::of_process());
    let new = new.map_err(|error| not_written(error.into()))?;
    let mut kept = None;
    if let Some(new) = new {
        note(Exchange::Begun)?;
        failpoint::reach("exchange begun");
        let copy = back_up(&file, &old).map_err(not_written)?;
        failpoint::reach("configuration kept");
        let replaced = durable_file::replace_like(&file, new.as_bytes());
        replaced
            .map_err(failed("writing", &file))
            .map_err(not_written)?;
        failpoint::reach("configuration written");
        kept = Some(copy);
    } else if Record::read(&record_path)?.exchange != Some(Exchange::Begun) {
        return Ok(None);
    }
    note(Exchange::Done)?;
    Ok(kept)
}

/// Keeps the old text beside the file under the first name that is free, for the same eyes. Durable when
/// this returns.
fn back_up(file: &Path, text: &str) -> Result<PathBuf, WriteError> {
    let name = |number: u32| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".before-{number}"));
        PathBuf::from(name)
    };
    for copy in (1..=BACKUPS_MAX).map(name) {
        let made = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&copy);
        match made {
            Ok(_) => {
                let written = durable_file::copy_like(file, &copy, text.as_bytes());
                written.map_err(failed("writing", &copy))?;
                return Ok(copy);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("making", &copy)(error)),
        }
    }
    let taken = io::ErrorKind::AlreadyExists.into();
    Err(failed("making", &name(BACKUPS_MAX))(taken))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError::Io {
        doing,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    const FILE: &str = "[[database]]\nname = \"x\"\nsource = \"host=a\" # old\ntarget = \"host=b\"\n\
                        [cutover]\nuser = \"migrator\"\nsave_config = true\n";

    fn place() -> (tempfile::TempDir, WorkDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let work_dir = WorkDir::new(folder.path().to_owned(), folder.path().join("cdc"));
        let file = folder.path().join("proxy.toml");
        fs::write(&file, FILE).expect("written");
        (folder, work_dir, file)
    }

    #[test]
    fn the_old_file_is_kept_and_the_new_one_is_for_the_same_eyes() {
        let (folder, work_dir, file) = place();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
        let earlier = folder.path().join("proxy.toml.before-1");
        fs::write(&earlier, "earlier").expect("written");
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let kept = exchange(&work_dir, &link).expect("done").expect("kept");
        assert_eq!(kept, folder.path().join("proxy.toml.before-2"));
        assert_eq!(fs::read_to_string(&earlier).expect("there"), "earlier");
        assert_eq!(fs::read_to_string(&kept).expect("there"), FILE);
        let new = fs::read_to_string(&file).expect("there");
        assert!(
            new.contains("# old\nsource = \"host=b\"\n[cutover]"),
            "{new}"
        );
        for path in [&file, &kept] {
            assert_eq!(fs::metadata(path).expect("there").mode() & 0o777, 0o640);
        }
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let record = Record::read(&work_dir.authority_path()).expect("read");
        assert_eq!(record.exchange, Some(Exchange::Done));
        assert_eq!(exchange(&work_dir, &file).expect("done"), None);
    }

    #[test]
    fn what_was_interrupted_is_completed() {
        let (_folder, work_dir, file) = place();
        let without = "[[database]]\nname = \"x\"\nsource = \"host=b\"\n\
                       [cutover]\nuser = \"migrator\"\nsave_config = true\n";
        fs::write(&file, without).expect("written");
        let record = work_dir.authority_path();
        // Nobody has exchanged anything here.
        assert_eq!(exchange(&work_dir, &file).expect("done"), None);
        assert_eq!(Record::read(&record).expect("read").exchange, None);
        let begun = Record {
            exchange: Some(Exchange::Begun),
            ..Record::default()
        };
        begun.write(&record).expect("written");
        assert_eq!(exchange(&work_dir, &file).expect("done"), None);
        let done = Record::read(&record).expect("read").exchange;
        assert_eq!(done, Some(Exchange::Done));
    }
}
