//! Options of change capture.

use std::num::NonZeroUsize;

use clap::Args;

use crate::base::Lsn;
use crate::base::quantity::ByteSize;
use crate::cli::error::UsageError;
use crate::cli::options::{
    Ack, ApplyJobs, CdcSettings, NewTables, OnConflict, Plugin, ProgressTracking,
};
use crate::cli::settings::Settings;

#[derive(Args)]
#[command(next_help_heading = "Change capture")]
pub(super) struct FollowArg {
    /// Capture changes while copying and apply them until --endpos, or for ever
    #[arg(short = 'f', long)]
    follow: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Change capture")]
pub(super) struct CdcArgs {
    /// Logical decoding plugin on the source [default: pgoutput]
    #[arg(short = 'p', long, value_name = "PLUGIN")]
    plugin: Option<Plugin>,

    /// Have wal2json print numbers as strings, where it can; no digit is lost either way
    #[arg(short = 'w', long)]
    wal2json_numeric_as_string: bool,

    /// Replication slot on the source [default: pgflit; pgcopydb if called so]
    #[arg(short = 's', long, value_name = "NAME")]
    slot_name: Option<String>,

    /// Create the replication slot if it is missing
    #[arg(short = 't', long)]
    create_slot: bool,

    /// Replication origin on the target, which remembers what is applied [default: pgflit;
    /// pgcopydb if called so]
    #[arg(short = 'o', long, value_name = "NAME")]
    origin: Option<String>,

    /// Publication on the source, for pgoutput [default: pgflit]
    #[arg(long, value_name = "NAME")]
    publication: Option<String>,

    /// Stop after the last transaction that ends at or before this LSN
    #[arg(short = 'E', long, value_name = "LSN")]
    endpos: Option<Lsn>,

    /// What the source may recycle: what is on this disk, or what the target has committed
    /// [default: spill]
    #[arg(long, value_name = "WHEN")]
    ack: Option<Ack>,

    /// Where the target keeps how far changes are applied [default: auto]
    #[arg(long, value_name = "WHERE")]
    progress_tracking: Option<ProgressTracking>,

    /// What to do when a row on the target is not as the change expects [default: stop]
    #[arg(long, value_name = "WHAT")]
    on_conflict: Option<OnConflict>,

    /// Apply over this many connections at a time, at most 32 [default: 1]
    #[arg(long, value_name = "N")]
    apply_jobs: Option<ApplyJobs>,

    /// Apply updates that change nothing too, for the triggers that they fire
    #[arg(long)]
    replay_no_op_updates: bool,

    /// Compress closed segments with zstd
    #[arg(long)]
    compress_segments: bool,

    /// Receive no more while the captured changes take this much disk, at least 64 MB [default: no
    /// limit]
    #[arg(long, value_name = "SIZE")]
    cdc_disk_limit: Option<ByteSize>,

    /// What to do about a table created on the source meanwhile [default: stop]
    #[arg(long, value_name = "WHAT")]
    new_tables: Option<NewTables>,

    /// Warn when the target is this many bytes of WAL behind, and tell when it is near again
    #[arg(long, value_name = "SIZE", help_heading = "Notifications")]
    notify_lag: Option<ByteSize>,
}

#[derive(Args)]
#[command(next_help_heading = "Change capture")]
pub(super) struct YesArg {
    /// Change on the source what capturing needs, and put it back at the end: tables without a
    /// replica identity get one
    #[arg(long)]
    pub(super) yes: bool,
}

impl FollowArg {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<bool, UsageError> {
        settings.switch("follow", self.follow)
    }
}

impl CdcArgs {
    pub(super) fn resolve(
        self,
        follow: bool,
        yes: bool,
        settings: &Settings<'_>,
    ) -> Result<CdcSettings, UsageError> {
        let default_name = || settings.called_as.default_name().to_owned();
        let slot_name = settings.value("slot-name", self.slot_name)?;
        let origin = settings.value("origin", self.origin)?;
        let publication = settings.value("publication", self.publication)?;
        Ok(CdcSettings {
            follow,
            plugin: settings
                .choice("plugin", self.plugin)?
                .unwrap_or(Plugin::Pgoutput),
            wal2json_numeric_as_string: settings.switch(
                "wal2json-numeric-as-string",
                self.wal2json_numeric_as_string,
            )?,
            slot_name: slot_name.unwrap_or_else(default_name),
            create_slot: settings.switch("create-slot", self.create_slot)?,
            origin: origin.unwrap_or_else(default_name),
            publication: publication.unwrap_or_else(|| "pgflit".to_owned()),
            endpos: settings.value("endpos", self.endpos)?,
            ack: settings.choice("ack", self.ack)?.unwrap_or(Ack::Spill),
            progress_tracking: settings
                .choice("progress-tracking", self.progress_tracking)?
                .unwrap_or(ProgressTracking::Auto),
            on_conflict: settings
                .choice("on-conflict", self.on_conflict)?
                .unwrap_or(OnConflict::Stop),
            apply_jobs: settings
                .value("apply-jobs", self.apply_jobs)?
                .unwrap_or(ApplyJobs(NonZeroUsize::MIN)),
            replay_no_op_updates: settings
                .switch("replay-no-op-updates", self.replay_no_op_updates)?,
            compress_segments: settings.switch("compress-segments", self.compress_segments)?,
            disk_limit: disk_limit(settings.value("cdc-disk-limit", self.cdc_disk_limit)?)?,
            new_tables: settings
                .choice("new-tables", self.new_tables)?
                .unwrap_or(NewTables::Stop),
            change_source: settings.switch("yes", yes)?,
            notify_lag: settings.value("notify-lag", self.notify_lag)?,
        })
    }
}

/// Four segments of the usual size: one that grows and one that is replayed, as JSON and as SQL.
const DISK_LIMIT_MIN: ByteSize = ByteSize(64 << 20);

fn disk_limit(asked: Option<ByteSize>) -> Result<Option<ByteSize>, UsageError> {
    match asked.filter(|asked| asked.0 < DISK_LIMIT_MIN.0) {
        None => Ok(asked),
        Some(small) => Err(UsageError::Value {
            origin: "--cdc-disk-limit".to_owned(),
            reason: format!("{small} is too little to work in: at least {DISK_LIMIT_MIN}"),
        }),
    }
}
