//! `pgflit sentinel …`.

use clap::{Args, Subcommand};

use super::connection::{SourceArgs, TargetArgs, WorkDirArgs};
use super::list::JsonArg;
use crate::base::Lsn;
use crate::cli::error::UsageError;
use crate::cli::options::{NewEndpos, SentinelCommand, SentinelField, SentinelPlace};
use crate::cli::settings::Settings;

#[derive(Subcommand)]
pub(super) enum SentinelArgs {
    /// Create the sentinel, before anything streams
    Setup {
        /// Where streaming starts; without it, where the slot stands
        #[arg(value_name = "STARTPOS")]
        startpos: Option<Lsn>,
        /// Where streaming ends; without it, nowhere
        #[arg(value_name = "ENDPOS")]
        endpos: Option<Lsn>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Print where streaming starts, stands and ends, or one bare value
    Get {
        #[command(flatten)]
        field: FieldArgs,
        #[command(flatten)]
        json: JsonArg,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Change where streaming starts or ends, and whether changes are applied
    #[command(subcommand)]
    Set(SetArgs),
}

#[derive(Subcommand)]
pub(super) enum SetArgs {
    /// Set where streaming starts
    Startpos {
        /// The position, such as 0/16B3748
        #[arg(value_name = "LSN")]
        startpos: Lsn,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Set where streaming ends, and print that LSN
    #[command(override_usage = "pgflit sentinel set endpos [OPTIONS] <LSN|--current>")]
    Endpos {
        /// The position, such as 0/16B3748
        #[arg(
            value_name = "LSN",
            required_unless_present = "current",
            conflicts_with = "current"
        )]
        endpos: Option<Lsn>,
        /// Take the position up to which the source has flushed its WAL now
        #[arg(long)]
        current: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Allow changes to be applied to the target
    Apply(PlaceArgs),
    /// Capture changes, and apply none
    Prefetch(PlaceArgs),
}

#[derive(Args)]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Args)]
#[group(multiple = false)]
pub(super) struct FieldArgs {
    /// Print only where streaming starts
    #[arg(long)]
    startpos: bool,
    /// Print only where it ends
    #[arg(long)]
    endpos: bool,
    /// Print only whether changes are applied
    #[arg(long)]
    apply: bool,
    /// Print only what has been received
    #[arg(long)]
    write_lsn: bool,
    /// Print only what is safe on disk
    #[arg(long)]
    flush_lsn: bool,
    /// Print only what the target has committed
    #[arg(long)]
    replay_lsn: bool,
}

impl SentinelArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<SentinelCommand, UsageError> {
        Ok(match self {
            SentinelArgs::Setup {
                startpos,
                endpos,
                place,
            } => SentinelCommand::Setup {
                place: place.resolve(settings)?,
                startpos,
                endpos,
            },
            SentinelArgs::Get { field, place, .. } => SentinelCommand::Get {
                place: place.resolve(settings)?,
                field: field.chosen(),
            },
            SentinelArgs::Set(SetArgs::Startpos { startpos, place }) => {
                SentinelCommand::SetStartpos {
                    place: place.resolve(settings)?,
                    startpos,
                }
            }
            SentinelArgs::Set(SetArgs::Endpos { endpos, place, .. }) => {
                SentinelCommand::SetEndpos {
                    place: place.resolve(settings)?,
                    endpos: endpos.map_or(NewEndpos::Current, NewEndpos::At),
                }
            }
            SentinelArgs::Set(SetArgs::Apply(place)) => {
                SentinelCommand::SetApply(place.resolve(settings)?)
            }
            SentinelArgs::Set(SetArgs::Prefetch(place)) => {
                SentinelCommand::SetPrefetch(place.resolve(settings)?)
            }
        })
    }

    /// Whether `-J`, pgcopydb's short form of `--json`, was typed.
    pub(super) fn wants_json(&self) -> bool {
        matches!(self, SentinelArgs::Get { json, .. } if json.typed())
    }
}

impl PlaceArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<SentinelPlace, UsageError> {
        Ok(SentinelPlace {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
        })
    }
}

impl FieldArgs {
    fn chosen(&self) -> Option<SentinelField> {
        [
            (self.startpos, SentinelField::Startpos),
            (self.endpos, SentinelField::Endpos),
            (self.apply, SentinelField::Apply),
            (self.write_lsn, SentinelField::WriteLsn),
            (self.flush_lsn, SentinelField::FlushLsn),
            (self.replay_lsn, SentinelField::ReplayLsn),
        ]
        .into_iter()
        .find_map(|(typed, field)| typed.then_some(field))
    }
}
