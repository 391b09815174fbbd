//! One arm a command.

use super::{endpos, print};
use crate::base::Lsn;
use crate::cli::ExitCode;
use crate::cli::options::{SentinelCommand, SentinelPlace};
use crate::commands::{CommandError, place};
use crate::report::stdout;
use crate::store::Store;

/// Does what `command` says, and prints what it is there to print.
pub(in crate::commands) fn run(
    command: SentinelCommand,
    json: bool,
) -> Result<ExitCode, CommandError> {
    match command {
        SentinelCommand::Setup {
            place,
            startpos,
            endpos,
        } => set_up(&place, startpos, endpos)?,
        SentinelCommand::Get { place, field } => {
            let sentinel = open(&place)?.sentinel()?;
            let text = match (field, json) {
                (Some(field), _) => print::value(&sentinel, field) + "\n",
                (None, true) => print::json(&sentinel)?,
                (None, false) => print::columns(&sentinel),
            };
            stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
        }
        SentinelCommand::SetStartpos { place, startpos } => {
            set_startpos(&mut open(&place)?, startpos)?;
            stdout::write_line(&startpos.to_string()).map_err(CommandError::stdout)?;
        }
        SentinelCommand::SetEndpos { place, endpos } => {
            let mut store = open(&place)?;
            let endpos = endpos::set(&mut store, &place, endpos)?;
            stdout::write_line(&endpos.to_string()).map_err(CommandError::stdout)?;
        }
        SentinelCommand::SetApply(place) => open(&place)?.set_apply(true)?,
        SentinelCommand::SetPrefetch(place) => open(&place)?.set_apply(false)?,
    }
    Ok(ExitCode::Done)
}

/// It says where streaming begins; once there is a slot, the slot does.
#[derive(Debug, thiserror::Error)]
#[error(
    "streaming begins at {begin}, where replication slot \"{slot}\" was made, not at {startpos}"
)]
struct StartposOfSlot {
    begin: Lsn,
    slot: String,
    startpos: Lsn,
}

/// Remembers where streaming is to begin, until a slot says it.
fn set_startpos(store: &mut Store, startpos: Lsn) -> Result<(), CommandError> {
    let run = store.run()?.unwrap_or_default();
    match (run.slot_lsn, run.slot) {
        (Some(begin), Some(slot)) if begin != startpos => {
            let refused = StartposOfSlot {
                begin,
                slot,
                startpos,
            };
            Err(CommandError::usage(refused).with_hint(
                "leave it as it is: where streaming goes on is known from the disk and the target",
            ))
        }
        _ => Ok(store.set_startpos(startpos)?),
    }
}

fn open(place: &SentinelPlace) -> Result<Store, CommandError> {
    Ok(place::work_dir(&place.work_dir).open_store()?)
}

/// Makes the work directory and the store where they are missing; what is there is kept.
fn set_up(
    place: &SentinelPlace,
    startpos: Option<Lsn>,
    endpos: Option<Lsn>,
) -> Result<(), CommandError> {
    let work_dir = place::work_dir(&place.work_dir);
    let mut store = match work_dir.has_begun() {
        true => work_dir.open_store()?,
        false => {
            work_dir.create()?;
            Store::create(&work_dir.store_path())?
        }
    };
    if let Some(startpos) = startpos.filter(|startpos| !startpos.is_zero()) {
        set_startpos(&mut store, startpos)?;
    }
    if let Some(endpos) = endpos {
        store.set_endpos(endpos, false)?;
    }
    Ok(())
}
