//! Made-up migrations, to be shown in tests.

use std::time::Duration;

use crate::base::{Lsn, QualifiedName, Side};
use crate::migration::status::Status;
use crate::migration::status::model::{
    Cutover, Disk, Held, Mirror, Mode, Proxy, Running, Server, Slot, Stall, State, Stream, Warning,
    Working,
};
use crate::report::progress::{Building, Copying, Count, Picture, Stage};

pub(in crate::report) const COPYING_TEXT: &str = "\
/work/dir
running: copying rows, 26% (pid 4711: pgflit clone)
copy      [######..................] 26%  312 MB of 1.2 GB, 45 MB/s, ETA 20s
          tables 3 of 12, indexes 1 of 20, 40000 rows
          public.orders 2/4              [#######.........]  48%  120 MB, 1m05s
          sales.a_table_...able_of_names [................]   3%  500 MB, 12s
          public.orders_pkey             index, 34 MB, 34s
changes   source to target: prefetching, applied once the rows are copied
          lag 8.0 MB
          source at 0/1800000, received 0/1800000, replayed 0/0
          slot pgflit keeps 24 MB of WAL
source    PostgreSQL 15.4 at 0/1800000; busy: 2 copy
          postgresql://app@source.example:5432/shop
target    connecting to target.example: connection refused
          postgresql://app@target.example:5432/shop
disk      segments 24 MB, 4.0 GB free of 80 GB
warnings  2026-11-22 21:00:01 clone: slot pgflit keeps 24 MB of WAL on the
          source, and max_slot_wal_keep_size sets no limit
";

fn server(name: &str) -> Server {
    Server {
        address: Some(format!("postgresql://app@{name}.example:5432/shop")),
        reachable: true,
        version: Some("15.4".to_owned()),
        current_lsn: Some(Lsn::new(0x180_0000)),
        ..Server::default()
    }
}

fn working(purpose: &str) -> Working {
    Working {
        pid: 12,
        purpose: purpose.to_owned(),
        wait_event_type: None,
        wait_event: None,
        seconds: 1.0,
    }
}

fn stream(from: Side) -> Stream {
    Stream {
        from,
        work_dir: "/work/dir".to_owned(),
        state: State::Running,
        mode: Some(Mode::LiveReplay),
        held: None,
        slot_name: "pgflit".to_owned(),
        slot: Some(Slot {
            active: true,
            restart_lsn: Some(Lsn::new(0x10)),
            confirmed_lsn: Some(Lsn::new(0x180_0000)),
            retained_bytes: 24 << 20,
            wal_status: Some("reserved".to_owned()),
            safe_bytes: None,
        }),
        apply: true,
        start_lsn: Lsn::new(0x100_0000),
        end_lsn: None,
        current_lsn: Some(Lsn::new(0x180_0000)),
        received_lsn: Lsn::new(0x180_0000),
        replayed_lsn: Lsn::new(0x17F_0000),
        lag_bytes: 0x1_0000,
        lag_seconds: Some(0.25),
        apply_bytes_per_second: Some(3 << 20),
        fallbacks: 2,
        conflicts: 0,
    }
}

pub(in crate::report) fn empty() -> Status {
    Status {
        at: 1_795_384_800.0,
        work_dir: "/work/dir".to_owned(),
        state: State::Empty,
        running: None,
        begun_at: None,
        finished_at: None,
        copy: None,
        streams: Vec::new(),
        serves: None,
        cutover: None,
        source: Server {
            problem: Some("the source is not known yet".to_owned()),
            ..Server::default()
        },
        target: Server {
            problem: Some("the target is not known yet".to_owned()),
            ..Server::default()
        },
        disk: Disk::default(),
        proxy: None,
        stalls: Vec::new(),
        warnings: Vec::new(),
    }
}

fn picture() -> Picture {
    let table = |schema, name, part, parts, total_bytes, percent, seconds| Copying {
        oid: 1,
        name: (&QualifiedName::new(schema, name)).into(),
        part,
        parts,
        total_bytes,
        done_bytes: 0,
        percent,
        elapsed: Duration::from_secs(seconds),
    };
    Picture {
        stage: Stage::Step("rows".to_owned()),
        percent: 26,
        tables: Count {
            total: 12,
            done: 3,
            in_progress: vec![
                table("public", "orders", 2, 4, 120 << 20, 48, 65),
                table(
                    "sales",
                    "a_table_with_the_longest_of_all_imaginable_of_names",
                    1,
                    1,
                    500 << 20,
                    3,
                    12,
                ),
            ],
        },
        indexes: Count {
            total: 20,
            done: 1,
            in_progress: vec![Building {
                oid: 2,
                name: (&QualifiedName::new("public", "orders_pkey")).into(),
                bytes: 34 << 20,
                elapsed: Duration::from_secs(34),
            }],
        },
        tidied: None,
        total_bytes: 1_288_490_188,
        done_bytes: 312 << 20,
        moved_bytes: 312 << 20,
        rows: 40_000,
        bytes_per_second: Some(45 << 20),
        eta: Some(Duration::from_secs(20)),
        stream: None,
    }
}

pub(in crate::report) fn copying() -> Status {
    Status {
        state: State::Running,
        running: Some(Running {
            pid: 4711,
            command: "pgflit clone".to_owned(),
        }),
        begun_at: Some(1_795_384_700.0),
        copy: Some(picture()),
        streams: vec![Stream {
            mode: Some(Mode::Prefetching),
            held: Some(Held::Copy),
            apply: false,
            replayed_lsn: Lsn::ZERO,
            lag_bytes: 8 << 20,
            lag_seconds: None,
            apply_bytes_per_second: None,
            fallbacks: 0,
            ..stream(Side::Source)
        }],
        source: Server {
            sessions: vec![working("copy"), working("copy")],
            ..server("source")
        },
        target: Server {
            reachable: false,
            problem: Some("connecting to target.example: connection refused".to_owned()),
            ..server("target")
        },
        disk: Disk {
            segment_bytes: 24 << 20,
            free_bytes: Some(4 << 30),
            size_bytes: Some(80 << 30),
        },
        warnings: vec![Warning {
            time: "2026-11-22 21:00:01".to_owned(),
            process: "clone".to_owned(),
            level: "WARN".to_owned(),
            text: "slot pgflit keeps 24 MB of WAL on the source, and max_slot_wal_keep_size sets no limit"
                .to_owned(),
        }],
        ..empty()
    }
}

pub(in crate::report) fn stalled() -> Status {
    Status {
        copy: Some(Picture {
            stage: Stage::BetweenSteps,
            percent: 100,
            tables: Count {
                total: 12,
                done: 12,
                in_progress: Vec::new(),
            },
            indexes: Count {
                total: 20,
                done: 20,
                in_progress: Vec::new(),
            },
            ..picture()
        }),
        streams: vec![stream(Side::Source)],
        target: Server {
            sessions: vec![working("apply")],
            ..server("target")
        },
        stalls: vec![Stall {
            side: Side::Target,
            pid: 12,
            what: "apply".to_owned(),
            why: "waits for a lock on public.t held by pid 123 (app, user x, idle in transaction for 4m10s)"
                .to_owned(),
            hint: "end its transaction where it was begun, or on the target: SELECT pg_terminate_backend(123)"
                .to_owned(),
            seconds: 72.0,
        }],
        proxy: Some(Proxy {
            problem: None,
            serves: Some("source".to_owned()),
            processes: 1,
            paused_seconds: None,
            clients: 12,
            busy: 3,
            held: 0,
            transactions: 123_456,
            mirrors: vec![Mirror {
                name: "new \"one\"\\\n".to_owned(),
                completed: 100,
                dropped: 2,
                compared: 90,
                differences: 1,
            }],
        }),
        serves: Some(Side::Source),
        ..copying()
    }
}

pub(in crate::report) fn interrupted() -> Status {
    Status {
        state: State::Interrupted,
        running: None,
        ..copying()
    }
}

pub(in crate::report) fn moved() -> Status {
    Status {
        state: State::Finished,
        running: None,
        serves: Some(Side::Target),
        cutover: Some(Cutover {
            attempt: 2,
            to: Side::Target,
            state: "done",
            in_progress: false,
            has_way_back: true,
            begun_at: 1_795_384_790.0,
            problem: None,
        }),
        streams: vec![
            Stream {
                state: State::Finished,
                mode: None,
                end_lsn: Some(Lsn::new(0x180_0000)),
                slot: None,
                ..stream(Side::Source)
            },
            Stream {
                slot_name: "pgflit_reverse".to_owned(),
                ..stream(Side::Target)
            },
        ],
        stalls: Vec::new(),
        ..stalled()
    }
}

/// Each of them.
pub(in crate::report) fn all() -> Vec<Status> {
    vec![empty(), copying(), stalled(), interrupted(), moved()]
}
