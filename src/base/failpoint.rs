//! Named places in the crash stories, where a test ends everything with SIGKILL, or has time to end
//! something else.
//!
//! In a build with debug assertions, a process that passes the place named by `PGFLIT_KILL_AT` (for
//! the nth time, with `PGFLIT_KILL_AT=name:n`) kills its supervisor, if it has one, and itself: what
//! `kill -9` of the whole tree does, at a moment of the test's choice. At the place named by
//! `PGFLIT_STOP_AT` it stops as by SIGSTOP, until the test sends it SIGCONT. In a release build
//! nothing of this is there.

/// The places, about in the order in which `clone --follow` passes them. Each stands between two
/// things that a crash may part: what a server or the disk has by then, and who is told of it after.
pub const PLACES: &[&str] = &[
    // Setting up.
    "run written",
    "publications made",
    "slot made",
    "slot known",
    // The base copy; "begun" and "done" of a step are this side of what the store says.
    "ledger made",
    "catalog begun",
    "epoch opened",
    "dump made",
    "catalog done",
    "drop begun",
    "drop done",
    "pre-data begun",
    "definitions made",
    "pre-data done",
    "extension rows begun",
    "extension rows done",
    "large objects begun",
    "large objects copied",
    "rows begun",
    "part copied",
    "index built",
    "constraint added",
    "table vacuumed",
    "rows done",
    "large objects done",
    "indexes done",
    "post-data begun",
    "post-data done",
    "foreign-keys begun",
    "foreign keys added",
    "foreign-keys done",
    "matviews begun",
    "view refreshed",
    "matviews done",
    "last begun",
    "last done",
    "sequences begun",
    "sequences done",
    "copy complete",
    "apply allowed",
    // Change capture.
    "lines written",
    "lines synced",
    "JSON segment synced",
    "SQL segment synced",
    "transaction spilled",
    "transaction released",
    "SQL written",
    "group sent",
    "group committed",
    "segment compressed",
    "enter CatchingUp",
    "enter Quieting",
    "enter SettlingTransform",
    "enter SettlingApply",
    "enter Replaying",
    // The end.
    "enter Finished",
    "large objects compared",
    "sequences set",
    "run finished",
];

/// The same for what takes everything away: `stream cleanup`, `--restart`.
pub const PLACES_OF_CLEANUP: &[&str] = &[
    "slot dropped",
    "publications dropped",
    "origin dropped",
    "ledger dropped",
    "folder removed",
    "file removed",
];

/// The same where rows are read on standbys: between the store and a standby.
pub const PLACES_OF_STANDBYS: &[&str] = &["standby noted", "standby paused", "standby resumed"];

/// The same where replica identities of the source are changed and put back.
pub const PLACES_OF_IDENTITIES: &[&str] =
    &["identity noted", "identity changed", "identity put back"];

/// The same where traffic is moved.
pub const PLACES_OF_CUTOVERS: &[&str] = &[
    "cutover begun",
    "clients held",
    "proxies promised",
    "fence raised",
    "fence proven",
    "stream drained",
    "about to decide",
    "decided",
    "switched",
    "record written",
    "old stream ended",
    "old slot dropped",
    "way back set",
    "way back begun",
];

/// The same where there is no way back any more.
pub const PLACES_OF_FINALIZE: &[&str] = &[
    "way back ended",
    "way back dropped",
    "way back forgotten",
    "fence lifted",
];

/// The same where the proxy's configuration is written anew.
pub const PLACES_OF_EXCHANGES: &[&str] = &[
    "exchange begun",
    "configuration kept",
    "configuration written",
];

/// The same where source and target are compared.
pub const PLACES_OF_COMPARES: &[&str] = &["about to count", "table known", "apply held"];

/// The process is at `place`; it ends or stops here if a test says so.
#[cfg(debug_assertions)]
pub fn reach(place: &str) {
    debug_assert!(
        [
            PLACES,
            PLACES_OF_CLEANUP,
            PLACES_OF_STANDBYS,
            PLACES_OF_IDENTITIES,
            PLACES_OF_CUTOVERS,
            PLACES_OF_FINALIZE,
            PLACES_OF_EXCHANGES,
            PLACES_OF_COMPARES
        ]
        .iter()
        .any(|places| places.contains(&place)),
        "no such place: {place}"
    );
    wanted::strike_if(|name| name == place);
}

/// The process is at `place` of `step`; it ends or stops here if a test says so.
#[cfg(debug_assertions)]
pub fn reach_of(step: &str, place: &str) {
    wanted::strike_if(|name| {
        let rest = name.strip_prefix(step);
        rest.and_then(|rest| rest.strip_prefix(' ')) == Some(place)
    });
}

/// Whether a test wants to see what goes wrong without `part`, named by `PGFLIT_WITHOUT`: a check of
/// the tests, which must fail then.
#[cfg(debug_assertions)]
pub fn is_without(part: &str) -> bool {
    std::env::var("PGFLIT_WITHOUT").is_ok_and(|without| without == part)
}

/// No.
#[cfg(not(debug_assertions))]
pub fn is_without(_: &str) -> bool {
    false
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn reach(_: &str) {}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn reach_of(_: &str, _: &str) {}

#[cfg(debug_assertions)]
mod wanted {
    use std::env;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use nix::sys::signal::{Signal, kill, raise};
    use nix::unistd::{Pid, getpid, getppid};

    #[derive(Clone, Copy)]
    enum Fault {
        Kill,
        Stop,
    }

    struct Wanted {
        fault: Fault,
        place: String,
        times: AtomicU32,
    }

    static WANTED: OnceLock<Vec<Wanted>> = OnceLock::new();

    fn read() -> Vec<Wanted> {
        let faults = [
            ("PGFLIT_KILL_AT", Fault::Kill),
            ("PGFLIT_STOP_AT", Fault::Stop),
        ];
        let wanted = faults.into_iter().filter_map(|(variable, fault)| {
            let text = env::var(variable).ok()?;
            let (place, times) = match text.rsplit_once(':') {
                Some((place, times)) => (place, times.parse().ok()?),
                None => (text.as_str(), 1),
            };
            Some(Wanted {
                fault,
                place: place.to_owned(),
                times: AtomicU32::new(times),
            })
        });
        wanted.collect()
    }

    pub(super) fn strike_if(is: impl Fn(&str) -> bool) {
        for wanted in WANTED.get_or_init(read) {
            if !is(&wanted.place) || wanted.times.fetch_sub(1, Ordering::SeqCst) != 1 {
                continue;
            }
            match wanted.fault {
                Fault::Kill => kill_all(&wanted.place),
                // Before this returns, all threads have stopped.
                Fault::Stop => {
                    let _ = raise(Signal::SIGSTOP);
                }
            }
        }
    }

    fn kill_all(place: &str) {
        tracing::error!("killed at {place}");
        if env::var_os("PGFLIT_SUPERVISED").is_some() {
            let _ = kill(getppid(), Signal::SIGKILL);
        }
        let _ = kill(getpid(), Signal::SIGKILL);
        // Nothing may happen after this place while the signal is on its way.
        loop {
            let _: Pid = getppid();
            std::thread::park();
        }
    }
}
