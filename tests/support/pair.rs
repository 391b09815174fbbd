//! A source and a target, made for one test.

use std::env;
use std::path::PathBuf;

use pgflit::worker::cluster::{Cluster, ClusterOptions};
use tempfile::TempDir;

use super::Database;
use super::explained::assert_logs_explained;

/// The database that tests fill and migrate.
const DATABASE: &str = "app";

/// Two clusters with an empty database each, and an empty folder for pgflit's work.
///
/// `PGFLIT_TEST_SOURCE_BIN` and `PGFLIT_TEST_TARGET_BIN` name the server programs to use instead
/// of the newest installed, to try one version against another.
pub(crate) struct Pair {
    /// The database to move.
    pub(crate) source: Database,
    /// The database to move it to; exists and is empty.
    pub(crate) target: Database,
    /// To stop, restart or kill the source's server.
    pub(crate) source_cluster: Cluster,
    /// To stop, restart or kill the target's server.
    pub(crate) target_cluster: Cluster,
    folder: TempDir,
}

impl Pair {
    /// Two clusters with the defaults.
    pub(crate) fn new() -> Self {
        Self::with(source_options(), target_options())
    }

    /// Two clusters with these options, see [`source_options`] and [`target_options`].
    pub(crate) fn with(source: ClusterOptions, target: ClusterOptions) -> Self {
        let create = |options| Cluster::create(&options).unwrap_or_else(|error| fail(&error));
        let (source_cluster, target_cluster) = (create(source), create(target));
        let database = |cluster| {
            Database::of(cluster, "postgres").sql(&format!("CREATE DATABASE {DATABASE}"));
            Database::of(cluster, DATABASE)
        };
        Self {
            source: database(&source_cluster),
            target: database(&target_cluster),
            source_cluster,
            target_cluster,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The work directory for `--dir`; does not exist yet.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// A path in a folder that goes with the pair, for what else a test writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Pair {
    /// Whoever had no stderr that a test reads, such as the stream of a cutover, has a log.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_logs_explained(self.folder.path());
        }
    }
}

/// What [`Pair::new`] makes the source of.
pub(crate) fn source_options() -> ClusterOptions {
    options("source", "PGFLIT_TEST_SOURCE_BIN")
}

/// What [`Pair::new`] makes the target of.
pub(crate) fn target_options() -> ClusterOptions {
    options("target", "PGFLIT_TEST_TARGET_BIN")
}

fn options(name: &str, variable: &str) -> ClusterOptions {
    ClusterOptions {
        bin_dir: env::var_os(variable).map(PathBuf::from),
        ..ClusterOptions::new(name)
            .volatile()
            .setting("shared_buffers", "64MB")
    }
}

/// A missing server fails the test, with every cause: a skipped test proves nothing.
fn fail(error: &dyn std::error::Error) -> ! {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    panic!("{message}")
}
