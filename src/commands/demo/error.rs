//! Why the demo could not go on.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::base::Remedy;
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
    /// The traffic ended before it was told to.
    #[error("writing to the source: pgbench ended with {status}")]
    TrafficEnded {
        /// How it ended.
        status: ExitStatus,
    },
    /// The folder for the migration.
    #[error("preparing the folder {path}")]
    Folder {
        /// The folder.
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
            Self::Migration { .. } | Self::Answer { .. } => Remedy::Bug,
        }
    }
}
