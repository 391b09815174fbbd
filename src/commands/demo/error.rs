//! Why the demo could not go on.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::base::{Lsn, Remedy};
use crate::worker::cluster::ClusterError;

/// Why the demo could not go on. That the databases differ in the end is no error but an
/// [`super::Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// One of the two clusters.
    #[error("making the {name} cluster")]
    Cluster {
        /// Which one.
        name: &'static str,
        /// What failed.
        #[source]
        source: ClusterError,
    },
    /// A program could not be started.
    #[error("starting {program}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("running {program}: {message}")]
    Program {
        /// The program and what it was to do.
        program: String,
        /// What it printed.
        message: String,
    },
    /// An answer that does not look as it should.
    #[error("reading the answer of {program}: {answer:?} is not what was asked for")]
    Answer {
        /// The program that was asked.
        program: &'static str,
        /// What it said.
        answer: String,
    },
    /// The migration ended before it was told to, or with an error.
    #[error("running the migration: it ended with {status}; its own lines above say why")]
    Migration {
        /// How it ended.
        status: ExitStatus,
    },
    /// Traffic was moved, and the stream that it was moved along with did not end, or badly.
    #[error("ending the migration, whose traffic was moved: it did not end within {limit:?}")]
    DoesNotEnd {
        /// How long was waited.
        limit: Duration,
    },
    /// What was written on the target last does not come to the source.
    #[error("waiting {limit:?} for the way back to bring {position} to the source")]
    WayBack {
        /// How long was waited.
        limit: Duration,
        /// The target's position.
        position: Lsn,
    },
    /// The traffic ended before it was told to.
    #[error("writing through the proxy: pgbench ended with {status}")]
    TrafficEnded {
        /// How it ended.
        status: ExitStatus,
    },
    /// A folder or a file of the demo's own.
    #[error("using {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The system refused to tell about signals.
    #[error("listening to signals")]
    Signals(#[source] io::Error),
    /// What there is to tell could not be printed.
    #[error("printing")]
    Print(#[from] io::Error),
}

impl DemoError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Cluster { source, .. } => source.remedy(),
            Self::Spawn { .. }
            | Self::Program { .. }
            | Self::TrafficEnded { .. }
            | Self::Folder { .. }
            | Self::Signals(_)
            | Self::Print(_) => Remedy::AskOperator,
            // Nothing was in its way on two fresh clusters.
            Self::Migration { .. }
            | Self::DoesNotEnd { .. }
            | Self::WayBack { .. }
            | Self::Answer { .. } => Remedy::Bug,
        }
    }
}
