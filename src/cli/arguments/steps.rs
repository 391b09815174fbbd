//! `pgflit copy …`, `pgflit dump …`, `pgflit restore …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::connection::{FilterArgs, SourceArgs, TargetArgs, WorkDirArgs};
use super::copying::{RestoreJobsArgs, RolePasswordArgs, SchemaArgs};
use super::migration::CloneArgs;
use super::resume::{SnapshotArg, StartArgs};
use crate::cli::error::UsageError;
use crate::cli::invocation::Command;
use crate::cli::options::{
    CopyStep, DumpOptions, DumpSubject, RestoreCommand, RestoreOptions, RestoreStep,
};
use crate::cli::settings::Settings;

#[derive(Subcommand)]
pub(super) enum CopyStepArgs {
    /// Copy the whole database; the same as clone
    Db(CloneArgs),
    /// Copy the roles of the instance
    Roles(CloneArgs),
    /// Create the extensions on the target
    Extensions(CloneArgs),
    /// Create what rows need: schemas, types, functions, tables, views
    Schema(CloneArgs),
    /// Copy rows, large objects and sequences, then build indexes and constraints
    Data(CloneArgs),
    /// Copy the rows of all tables
    TableData(CloneArgs),
    /// Copy the large objects
    Blobs(CloneArgs),
    /// Set the sequences of the target to the values on the source
    Sequences(CloneArgs),
    /// Build indexes, primary keys and unique constraints on the target; VACUUM, ANALYZE
    Indexes(CloneArgs),
    /// Create foreign keys, triggers and what else needs rows; refresh materialized views
    Constraints(CloneArgs),
}

impl CopyStepArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Command, UsageError> {
        let (step, clone) = match self {
            CopyStepArgs::Db(clone) => (CopyStep::Db, clone),
            CopyStepArgs::Roles(clone) => (CopyStep::Roles, clone),
            CopyStepArgs::Extensions(clone) => (CopyStep::Extensions, clone),
            CopyStepArgs::Schema(clone) => (CopyStep::Schema, clone),
            CopyStepArgs::Data(clone) => (CopyStep::Data, clone),
            CopyStepArgs::TableData(clone) => (CopyStep::TableData, clone),
            CopyStepArgs::Blobs(clone) => (CopyStep::Blobs, clone),
            CopyStepArgs::Sequences(clone) => (CopyStep::Sequences, clone),
            CopyStepArgs::Indexes(clone) => (CopyStep::Indexes, clone),
            CopyStepArgs::Constraints(clone) => (CopyStep::Constraints, clone),
        };
        Ok(Command::Copy {
            step,
            options: clone.resolve(settings)?,
        })
    }
}

#[derive(Subcommand)]
pub(super) enum DumpSubjectArgs {
    /// Dump the definitions of the source into the work directory, by pg_dump
    Schema(DumpArgs),
    /// Dump the roles of the source's instance into the work directory, by pg_dumpall
    Roles(DumpArgs),
}

#[derive(Args)]
pub(super) struct DumpArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    passwords: RolePasswordArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    snapshot: SnapshotArg,
}

impl DumpSubjectArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<DumpOptions, UsageError> {
        let (subject, dump) = match self {
            DumpSubjectArgs::Schema(dump) => (DumpSubject::Schema, dump),
            DumpSubjectArgs::Roles(dump) => (DumpSubject::Roles, dump),
        };
        Ok(DumpOptions {
            subject,
            work_dir: dump.work_dir.resolve(settings)?,
            source: dump.source.resolve(settings)?,
            target: dump.target.resolve(settings)?,
            schema: dump.schema.resolve(settings)?,
            no_role_passwords: dump.passwords.resolve(settings)?,
            snapshot: dump.snapshot.resolve(settings)?,
            filters: dump.filters.resolve(settings)?,
        })
    }
}

#[derive(Subcommand)]
pub(super) enum RestoreStepArgs {
    /// Restore all definitions from the dump, pre-data and post-data
    Schema(RestoreArgs),
    /// Restore what rows need: schemas, types, functions, tables
    PreData(RestoreArgs),
    /// Restore what needs rows: indexes, constraints, triggers
    PostData(RestoreArgs),
    /// Create the dumped roles on the target
    Roles(RestoreArgs),
    /// Print the list of objects that pg_restore would restore under the filters
    ParseList {
        /// List to read, as pg_restore --list prints it; without it, the dump's own
        #[arg(value_name = "LIST")]
        list: Option<PathBuf>,
        #[command(flatten)]
        restore: RestoreArgs,
    },
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    restore_jobs: RestoreJobsArgs,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    start: StartArgs,
}

impl RestoreStepArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<RestoreCommand, UsageError> {
        let (step, restore) = match self {
            RestoreStepArgs::Schema(restore) => (RestoreStep::Schema, restore),
            RestoreStepArgs::PreData(restore) => (RestoreStep::PreData, restore),
            RestoreStepArgs::PostData(restore) => (RestoreStep::PostData, restore),
            RestoreStepArgs::Roles(restore) => (RestoreStep::Roles, restore),
            RestoreStepArgs::ParseList { list, restore } => {
                return Ok(RestoreCommand::ParseList {
                    list,
                    options: restore.resolve(settings)?,
                });
            }
        };
        Ok(RestoreCommand::Step(step, restore.resolve(settings)?))
    }
}

impl RestoreArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<RestoreOptions, UsageError> {
        Ok(RestoreOptions {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            schema: self.schema.resolve(settings)?,
            restore_jobs: self.restore_jobs.resolve_alone(settings)?,
            start: self.start.resolve(settings)?,
            filters: self.filters.resolve(settings)?,
        })
    }
}
