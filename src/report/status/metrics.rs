//! The same for Prometheus, in its text format.
//!
//! The number of series is bounded: tables are counted, never named.

use crate::base::Side;
use crate::migration::status::Status;
use crate::migration::status::model::{Mode, State, Stream};
use crate::proxy::metrics::exposition::{Exposition, Type};

const SIDES: [Side; 2] = [Side::Source, Side::Target];

/// All of it.
pub fn metrics(status: &Status) -> String {
    // Several migrations may be told of on one machine.
    let mut out = Exposition::labelled("work_dir", &status.work_dir);
    whole(&mut out, status);
    copy(&mut out, status);
    streams(&mut out, status);
    slots(&mut out, status);
    servers(&mut out, status);
    rest(&mut out, status);
    out.into_text()
}

/// One sample without labels, if there is a value.
fn one(
    out: &mut Exposition,
    name: &'static str,
    kind: Type,
    help: &str,
    value: Option<impl std::fmt::Display>,
) {
    if let Some(value) = value {
        out.family(name, kind, help).sample(&[], value);
    }
}

fn whole(out: &mut Exposition, status: &Status) {
    let mut family = out.family(
        "pgflit_migration_state",
        Type::Gauge,
        "1 for the state that the migration is in.",
    );
    for state in State::ALL {
        family.sample(
            &[("state", state.as_str())],
            u8::from(state == status.state),
        );
    }
    let gauge = Type::Gauge;
    one(
        out,
        "pgflit_migration_begun_timestamp_seconds",
        gauge,
        "When the migration was begun.",
        status.begun_at,
    );
    one(
        out,
        "pgflit_migration_finished_timestamp_seconds",
        gauge,
        "When the migration was finished.",
        status.finished_at,
    );
    let mut family = out.family(
        "pgflit_migration_stalls",
        gauge,
        "Sessions of pgflit that wait for somebody else.",
    );
    for side in SIDES {
        let stalls = status.stalls.iter().filter(|stall| stall.side == side);
        family.sample(&[("side", side.as_str())], stalls.count());
    }
    if let Some(serves) = status.serves {
        let mut family = out.family(
            "pgflit_migration_serves",
            gauge,
            "1 for the side that traffic goes to.",
        );
        for side in SIDES {
            family.sample(&[("side", side.as_str())], u8::from(side == serves));
        }
    }
}

fn copy(out: &mut Exposition, status: &Status) {
    let Some(copy) = &status.copy else { return };
    let gauge = Type::Gauge;
    type Value = (&'static str, &'static str, u64);
    let count = |count: usize| count as u64;
    let values: [Value; 8] = [
        (
            "pgflit_copy_tables",
            "Tables to copy.",
            count(copy.tables.total),
        ),
        (
            "pgflit_copy_tables_done",
            "Tables that are copied.",
            count(copy.tables.done),
        ),
        (
            "pgflit_copy_tables_in_progress",
            "Tables, or parts of them, that are being copied.",
            count(copy.tables.in_progress.len()),
        ),
        (
            "pgflit_copy_indexes",
            "Indexes to build.",
            count(copy.indexes.total),
        ),
        (
            "pgflit_copy_indexes_done",
            "Indexes that are built.",
            count(copy.indexes.done),
        ),
        (
            "pgflit_copy_indexes_in_progress",
            "Indexes that are being built.",
            count(copy.indexes.in_progress.len()),
        ),
        (
            "pgflit_copy_bytes",
            "Size of the tables on the source.",
            copy.total_bytes,
        ),
        (
            "pgflit_copy_done_bytes",
            "Of these, what is on the target.",
            copy.done_bytes,
        ),
    ];
    for (name, help, value) in values {
        out.family(name, gauge, help).sample(&[], value);
    }
    one(
        out,
        "pgflit_copy_bytes_per_second",
        gauge,
        "Of the size of tables, copied lately.",
        copy.bytes_per_second,
    );
    one(
        out,
        "pgflit_copy_eta_seconds",
        gauge,
        "Until all rows are copied, as it goes now.",
        copy.eta.map(|eta| eta.as_secs_f64()),
    );
}

/// The directions that are not at their end, each once.
fn open(status: &Status) -> Vec<(&'static str, &Stream)> {
    let mut open: Vec<(&'static str, &Stream)> = Vec::new();
    // The newest of a direction; an earlier one has ended.
    for stream in status.streams.iter().rev() {
        let name = stream.from.as_str();
        let is_known = open.iter().any(|(known, _)| *known == name);
        if stream.state != State::Finished && !is_known {
            open.push((name, stream));
        }
    }
    open
}

fn streams(out: &mut Exposition, status: &Status) {
    let open = open(status);
    if open.is_empty() {
        return;
    }
    type Family = (&'static str, Type, &'static str, fn(&Stream) -> Option<f64>);
    let families: [Family; 8] = [
        (
            "pgflit_stream_running",
            Type::Gauge,
            "1 while somebody streams changes from this side.",
            |stream| Some(f64::from(u8::from(stream.state == State::Running))),
        ),
        (
            "pgflit_stream_live",
            Type::Gauge,
            "1 in live replay, 0 where changes go over this disk.",
            |stream| Some(f64::from(u8::from(stream.mode == Some(Mode::LiveReplay)))),
        ),
        (
            "pgflit_stream_apply_enabled",
            Type::Gauge,
            "1 if changes may be applied.",
            |stream| Some(f64::from(u8::from(stream.apply))),
        ),
        (
            "pgflit_stream_lag_bytes",
            Type::Gauge,
            "WAL from what is applied to where the server is.",
            |stream| Some(stream.lag_bytes as f64),
        ),
        (
            "pgflit_stream_lag_seconds",
            Type::Gauge,
            "Age of the oldest change that is received and not applied.",
            |stream| stream.lag_seconds,
        ),
        (
            "pgflit_stream_replayed_bytes_total",
            Type::Counter,
            "Position in the WAL up to which changes are applied, in bytes.",
            |stream| Some(stream.replayed_lsn.as_u64() as f64),
        ),
        (
            "pgflit_stream_fallbacks_total",
            Type::Counter,
            "How often live replay was left for the disk.",
            |stream| Some(stream.fallbacks as f64),
        ),
        (
            "pgflit_stream_conflicts_total",
            Type::Counter,
            "Changes that found the other side otherwise than expected and were passed over.",
            |stream| Some(stream.conflicts as f64),
        ),
    ];
    for (name, kind, help, value) in families {
        let told = open.iter();
        let told = told.filter_map(|(from, stream)| Some((*from, value(stream)?)));
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            continue;
        }
        let mut family = out.family(name, kind, help);
        for (from, value) in told {
            family.sample(&[("from", from)], value);
        }
    }
}

fn slots(out: &mut Exposition, status: &Status) {
    let open = open(status).into_iter();
    let slots = open.filter_map(|(from, stream)| Some((from, stream.slot.as_ref()?)));
    let slots: Vec<_> = slots.collect();
    if slots.is_empty() {
        return;
    }
    let mut family = out.family(
        "pgflit_slot_active",
        Type::Gauge,
        "1 while somebody receives from the slot on this side.",
    );
    for (side, slot) in &slots {
        family.sample(&[("side", side)], u8::from(slot.active));
    }
    let mut family = out.family(
        "pgflit_slot_retained_bytes",
        Type::Gauge,
        "WAL that the slot on this side keeps.",
    );
    for (side, slot) in &slots {
        family.sample(&[("side", side)], slot.retained_bytes);
    }
    if slots.iter().any(|(_, slot)| slot.safe_bytes.is_some()) {
        let mut family = out.family(
            "pgflit_slot_safe_bytes",
            Type::Gauge,
            "What may be written until WAL that the slot needs is removed.",
        );
        for (side, slot) in &slots {
            if let Some(safe) = slot.safe_bytes {
                family.sample(&[("side", side)], safe);
            }
        }
    }
    let mut family = out.family(
        "pgflit_slot_lost",
        Type::Gauge,
        "1 if WAL that the slot needs is gone.",
    );
    for (side, slot) in &slots {
        let is_lost = slot.wal_status.as_deref() == Some("lost");
        family.sample(&[("side", side)], u8::from(is_lost));
    }
}

fn servers(out: &mut Exposition, status: &Status) {
    let mut family = out.family(
        "pgflit_server_up",
        Type::Gauge,
        "1 if the server has answered.",
    );
    for (side, server) in SIDES.into_iter().zip([&status.source, &status.target]) {
        family.sample(&[("side", side.as_str())], u8::from(server.reachable));
    }
}

fn rest(out: &mut Exposition, status: &Status) {
    let gauge = Type::Gauge;
    let disk = &status.disk;
    one(
        out,
        "pgflit_segment_bytes",
        gauge,
        "What segments take on this disk.",
        Some(disk.segment_bytes),
    );
    one(
        out,
        "pgflit_disk_free_bytes",
        gauge,
        "What is free on the disk of segments.",
        disk.free_bytes,
    );
    if let Some(cutover) = &status.cutover {
        let attempt = Some(cutover.attempt);
        let help = "Number of the last attempt to move traffic.";
        one(out, "pgflit_cutover_attempt", gauge, help, attempt);
        let help = "1 while traffic is being moved.";
        let moving = Some(u8::from(cutover.in_progress));
        one(out, "pgflit_cutover_in_progress", gauge, help, moving);
    }
    if let Some(proxy) = &status.proxy {
        let help = "1 if the proxy of this work directory has answered.";
        let up = Some(u8::from(proxy.serves.is_some()));
        one(out, "pgflit_migration_proxy_up", gauge, help, up);
        let help = "Clients of that proxy.";
        let clients = Some(proxy.clients);
        one(out, "pgflit_migration_proxy_clients", gauge, help, clients);
        let help = "1 while its new transactions wait.";
        let paused = Some(u8::from(proxy.paused_seconds.is_some()));
        one(out, "pgflit_migration_proxy_paused", gauge, help, paused);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::samples;
    use super::*;

    /// Every family once, with a type, and every series once.
    fn check(text: &str) {
        let (mut families, mut series) = (HashSet::new(), HashSet::new());
        let mut current = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a type");
                assert!(families.insert(name), "twice: {line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                current = name;
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').expect("a value");
                assert!(series.insert(name), "twice: {line}");
                assert_eq!(name.split('{').next(), Some(current), "{line}");
                value.parse::<f64>().expect("a number");
            }
        }
        assert!(series.len() < 60, "{} series", series.len());
    }

    #[test]
    fn every_sample_belongs_to_its_family_and_none_is_there_twice() {
        for status in samples::all() {
            check(&metrics(&status));
        }
    }

    #[test]
    fn a_stream_that_stalls_is_told() {
        let text = metrics(&samples::stalled());
        for line in [
            "pgflit_migration_state{state=\"running\",work_dir=\"/work/dir\"} 1",
            "pgflit_migration_stalls{side=\"target\",work_dir=\"/work/dir\"} 1",
            "pgflit_stream_live{from=\"source\",work_dir=\"/work/dir\"} 1",
            "pgflit_stream_lag_bytes{from=\"source\",work_dir=\"/work/dir\"} 65536",
            "pgflit_stream_lag_seconds{from=\"source\",work_dir=\"/work/dir\"} 0.25",
            "pgflit_server_up{side=\"target\",work_dir=\"/work/dir\"} 1",
            "pgflit_migration_proxy_clients{work_dir=\"/work/dir\"} 12",
        ] {
            assert!(
                text.lines().any(|one| one == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn after_a_cutover_the_way_back_is_told() {
        let text = metrics(&samples::moved());
        assert!(
            text.contains("pgflit_stream_running{from=\"target\",work_dir=\"/work/dir\"} 1"),
            "{text}"
        );
        assert!(!text.contains("from=\"source\""), "{text}");
        assert!(
            text.contains("pgflit_migration_serves{side=\"target\",work_dir=\"/work/dir\"} 1"),
            "{text}"
        );
    }
}
