//! `pgflit stream receive`.

use super::begin;
use crate::base::Side;
use crate::cdc::positions;
use crate::cdc::receive::{Config, Ended, Pipe, Plugin, receive};
use crate::cli::ExitCode;
use crate::cli::options::{Ack, ReceiveOptions};
use crate::commands::{CommandError, place, runtime};
use crate::store::{Store, WorkDir};

/// Receives until endpos or a signal.
pub(in crate::commands) fn run(options: &ReceiveOptions) -> Result<ExitCode, CommandError> {
    let supervised = begin::supervised()?;
    let shutdown = place::shutdown()?;
    let work_dir = place::work_dir(&options.follow.work_dir);
    let mut store = work_dir.open_store()?;
    begin::check_filters(&options.follow, &store)?;
    let config = config(options, supervised, &work_dir, &store)?;
    let _lock = begin::role(&work_dir, "receive")?;
    begin::set_endpos(&mut store, options.follow.cdc.endpos)?;
    let ended = runtime::block_on(receive(config, &shutdown))??;
    let flushed = store.sentinel()?.flush_lsn;
    Ok(match ended {
        Ended::Endpos => {
            tracing::info!("received everything up to endpos; safe on disk up to {flushed}");
            ExitCode::Done
        }
        Ended::ReaderGone => {
            tracing::info!("stopped: nobody reads the pipe; safe on disk up to {flushed}");
            ExitCode::Stopped
        }
        Ended::Asked => {
            tracing::info!("stopped receiving as asked; safe on disk up to {flushed}");
            ExitCode::Stopped
        }
    })
}

fn config(
    options: &ReceiveOptions,
    supervised: bool,
    work_dir: &WorkDir,
    store: &Store,
) -> Result<Config, CommandError> {
    let run = begin::known_run(work_dir, store)?;
    // Runs of versions that knew no other plugin do not name it.
    let plugin = run.plugin.as_deref().unwrap_or(Plugin::Pgoutput.name());
    let plugin = begin::known(Plugin::named(plugin), "a known output plugin", work_dir)?;
    let pipe = match supervised {
        true => Pipe::Live,
        false => Pipe::Patient,
    };
    Ok(Config {
        source: place::address(Side::Source, options.follow.source.as_deref())?,
        slot: begin::known(run.slot, "the slot", work_dir)?,
        publication: match plugin {
            Plugin::Pgoutput => begin::known(run.publication, "the publication", work_dir)?,
            Plugin::TestDecoding | Plugin::Wal2json => String::new(),
        },
        plugin,
        slot_lsn: begin::known(run.slot_lsn, "the slot's position", work_dir)?,
        wal_segment_bytes: begin::known(
            run.wal_segment_bytes,
            "the source's WAL segment size",
            work_dir,
        )?,
        work_dir: work_dir.clone(),
        ack: match options.follow.cdc.ack {
            Ack::Spill => positions::Ack::Spill,
            Ack::Apply => positions::Ack::Apply,
        },
        compress: options.follow.cdc.compress_segments,
        disk_limit: options.follow.cdc.disk_limit,
        to_stdout: options.to_stdout.then_some(pipe),
    })
}
