//! Every database of an instance, one after the other, each a migration of its own.
//!
//! | in the work directory | what |
//! |---|---|
//! | `pgflit.lock`, `log/` | the lock and the log of the whole |
//! | `databases/<name>/` | the work directory of one; bytes that are no letters, digits, `_` or `-` as `%XX` |
//!
//! # Crash story
//! Each database has its own store and ledger, so an interrupted run goes on with the databases
//! that are not finished. Databases that are missing on the target are made when their turn comes.
//! Roles are made in one transaction; those that are there are kept.

use std::path::Path;
use std::sync::Arc;

use crate::base::Shutdown;
use crate::base::cause::chain;
use crate::catalog::databases::{self, Database};
use crate::clone::programs::Programs;
use crate::pg::Session;
use crate::report::log_file;
use crate::store::WorkDir;

use super::base_copy;
use super::begin::{self, Start};
use super::clone::{Config, Outcome, clone};
use super::error::{MigrationError, on_source, on_target, to_source, to_target};

/// Some databases could not be copied; each was logged.
#[derive(Debug, thiserror::Error)]
pub enum AllDatabasesError {
    /// Before the first one.
    #[error(transparent)]
    Before(#[from] MigrationError),
    /// In some of them.
    #[error("{failed} of {all} databases could not be copied; the first, {name}")]
    Some {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
        /// The first.
        name: String,
        /// Why.
        #[source]
        first: MigrationError,
    },
}

/// What became of one database.
#[derive(Debug)]
pub struct Done {
    /// Its name.
    pub name: String,
    /// Its work directory.
    pub work_dir: WorkDir,
    /// How it ended.
    pub outcome: Outcome,
}

/// Copies every database that the source's instance has to one of the same name on the target's.
/// `config` names one database of each, to connect to. What `show` gives is held while one is
/// copied; what is done is told to `tell`. Gives false when asked to stop before the end.
pub fn clone_all<S>(
    config: &Config,
    shutdown: &Shutdown,
    show: impl Fn(&Config) -> S,
    tell: &dyn Fn(&Done),
) -> Result<bool, AllDatabasesError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    check_place(config)?;
    let found = runtime.block_on(async {
        tokio::select! {
            found = look(config) => found.map(Some),
            () = shutdown.wait() => Ok(None),
        }
    })?;
    let Some((programs, all)) = found else {
        return Ok(false);
    };
    config.work_dir.create().map_err(MigrationError::from)?;
    let _lock = config.work_dir.lock().map_err(MigrationError::from)?;
    let logs = config.work_dir.log_path();
    log_file::keep_in(&logs, "clone").map_err(|source| MigrationError::Io {
        doing: "making the log in",
        path: logs,
        source,
    })?;
    runtime.block_on(roles(config, &programs, shutdown))?;
    let count = all.len();
    let mut failed: Vec<(String, MigrationError)> = Vec::new();
    for (at, database) in all.iter().enumerate() {
        if shutdown.asked() {
            return Ok(false);
        }
        tracing::info!("database {} ({} of {count})", database.name, at + 1);
        let one = for_database(config, database);
        let shown = show(&one);
        let done = runtime
            .block_on(create_if_missing(config, database))
            .and_then(|()| clone(&one, shutdown));
        drop(shown);
        match done {
            Ok(Outcome::Stopped) => return Ok(false),
            Ok(outcome) => tell(&Done {
                name: database.name.clone(),
                work_dir: one.work_dir,
                outcome,
            }),
            Err(error) => {
                tracing::error!("database {}: {}", database.name, chain(&error));
                failed.push((database.name.clone(), error));
                if config.copy.fail_fast {
                    break;
                }
            }
        }
    }
    let some = failed.len();
    match failed.into_iter().next() {
        None => Ok(true),
        Some((name, first)) => Err(AllDatabasesError::Some {
            failed: some,
            all: count,
            name,
            first,
        }),
    }
}

/// Whether the work directory may be used like this.
fn check_place(config: &Config) -> Result<(), MigrationError> {
    let work_dir = &config.work_dir;
    work_dir.check()?;
    if work_dir.has_begun() {
        return Err(MigrationError::Refused {
            side: None,
            problem: format!(
                "a migration of one database is in {}",
                work_dir.root.display()
            ),
            hint: "name another work directory with --dir".to_owned(),
        });
    }
    match config.start {
        Start::Fresh if work_dir.root.join(FOLDER).exists() => Err(begin::interrupted(work_dir)),
        _ => Ok(()),
    }
}

/// The folder of the databases' work directories.
const FOLDER: &str = "databases";

async fn look(config: &Config) -> Result<(Programs, Vec<Database>), MigrationError> {
    let source = Session::connect(&config.source, "all databases")
        .await
        .map_err(to_source(&config.source))?;
    Session::connect(&config.target, "all databases")
        .await
        .map_err(to_target(&config.target))?;
    let programs = Programs::find(source.server_version().major())?;
    let all = databases::databases(&source).await;
    Ok((programs, all.map_err(on_source("listing databases"))?))
}

async fn roles(
    config: &Config,
    programs: &Programs,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let Some(passwords) = config.copy.roles else {
        return Ok(());
    };
    let target = Session::connect(&config.target, "roles")
        .await
        .map_err(to_target(&config.target))?;
    let (source, work_dir) = (&config.source, &config.work_dir);
    base_copy::copy_roles(programs, source, &target, work_dir, passwords, shutdown).await
}

async fn create_if_missing(config: &Config, database: &Database) -> Result<(), MigrationError> {
    let target = Session::connect(&config.target, "all databases")
        .await
        .map_err(to_target(&config.target))?;
    let there = databases::names(&target).await;
    let there = there.map_err(on_target("listing databases"))?;
    if there.contains(&database.name) {
        return Ok(());
    }
    let leave = &config.copy.leave;
    let sql = databases::create_sql(
        database,
        target.server_version().major(),
        !leave.has("--no-owner"),
        !leave.has("--no-tablespaces"),
    );
    let made = target.batch(&sql).await;
    made.map_err(on_target("making a database"))?;
    tracing::info!("made database {} on the target", database.name);
    Ok(())
}

/// The migration of one database.
fn for_database(config: &Config, database: &Database) -> Config {
    let root = config
        .work_dir
        .root
        .join(FOLDER)
        .join(folder_name(&database.name));
    let mut copy = config.copy.clone();
    copy.roles = None;
    Config {
        source: config.source.with_dbname(&database.name),
        target: config.target.with_dbname(&database.name),
        work_dir: WorkDir::new(root.clone(), root.join(Path::new("cdc"))),
        copy,
        progress: Arc::default(),
        ..config.clone()
    }
}

/// `name` as the name of a folder, whatever it holds.
fn folder_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'_' | b'-' => safe.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => safe.push(char::from(byte)),
            byte => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder_or_shares_one() {
        assert_eq!(folder_name("app_1-x"), "app_1-x");
        assert_eq!(folder_name("../a%2F"), "%2E%2E%2Fa%252F");
        assert_eq!(folder_name("ü"), "%C3%BC");
    }
}
