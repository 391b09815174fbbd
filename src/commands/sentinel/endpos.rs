//! `sentinel set endpos`.

use std::thread;
use std::time::{Duration, Instant};

use crate::base::Lsn;
use crate::base::Side;
use crate::base::shutdown::POLL;
use crate::cli::ExitCode;
use crate::cli::options::{NewEndpos, SentinelPlace};
use crate::commands::{CommandError, place, runtime};
use crate::pg::{Address, Error, Session};
use crate::store::{self, EndposError, Lock, Store};

/// How long a running apply may take to say that it has seen the new endpos. It looks every 50 ms;
/// past this it is busy with one large group, and will look before it commits.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// What is committed, whether it is flushed or not; a standby's present is what it has replayed.
const CURRENT_SQL: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
    THEN pg_catalog.pg_last_wal_replay_lsn()
    ELSE pg_catalog.pg_current_wal_insert_lsn() END::text, pg_catalog.pg_is_in_recovery(),
    pg_catalog.current_setting('wal_block_size')::bigint,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))";

const FLUSHED_SQL: &str = "SELECT pg_catalog.pg_current_wal_flush_lsn()::text";

/// How long commits that do not wait for the disk (`synchronous_commit = off`) may take to get there: a
/// little more than the longest `wal_writer_delay`.
const FLUSHED_MAX: Duration = Duration::from_secs(12);

/// How WAL is cut. A position that is asked for before anything is written to a new page lies just
/// behind its header, and what is flushed ends before it.
#[derive(Debug, Clone, Copy)]
struct Pages {
    bytes: u64,
    segment_bytes: u64,
}

impl Pages {
    /// Of the first page of a segment, and of any other. A record that goes on in a page has at least
    /// 8 bytes there, so a position this far into it is behind the header and nothing else.
    const HEADER_BYTES: [u64; 2] = [40, 24];

    /// Whether everything before `present` is before `flushed`.
    fn have_all(self, flushed: Lsn, present: Lsn) -> bool {
        let present = present.as_u64();
        let in_page = present % self.bytes;
        let page = present - in_page;
        let is_first = page.is_multiple_of(self.segment_bytes);
        let header = Self::HEADER_BYTES[usize::from(!is_first)];
        flushed.as_u64() >= present || (in_page == header && flushed.as_u64() >= page)
    }
}

/// Sets the endpos, and says where it is in the end.
pub(super) fn set(
    store: &mut Store,
    place: &SentinelPlace,
    endpos: NewEndpos,
) -> Result<Lsn, CommandError> {
    match endpos {
        NewEndpos::At(lsn) => {
            store.set_endpos(lsn, false)?;
            let apply_lock = place::work_dir(&place.work_dir).role_lock_path("apply");
            Ok(kept(store, lsn, || Lock::is_held(&apply_lock))?)
        }
        NewEndpos::Current => set_current(store, place),
    }
}

fn set_current(store: &mut Store, place: &SentinelPlace) -> Result<Lsn, CommandError> {
    // Without a word about it, the source that the migration was begun with; its password then
    // comes from where libpq looks for one.
    let begun_with = store.run()?.map(|run| run.source);
    let source = place.source.clone().or(begun_with);
    let source = place::address(Side::Source, source.as_deref())?;
    let current = runtime::block_on(current(&source))?
        .map_err(|error| CommandError::of_server(ExitCode::Source, error))?;
    store.set_endpos(current, true)?;
    let apply_lock = place::work_dir(&place.work_dir).role_lock_path("apply");
    Ok(settled(store, || Lock::is_held(&apply_lock))?)
}

async fn current(source: &Address) -> Result<Lsn, Error> {
    let session = Session::connect(source, "sentinel").await?;
    let read = |text: String| {
        text.parse()
            .map_err(|error: crate::base::lsn::LsnParseError| Error::Protocol(error.to_string()))
    };
    let row = session.query_one(CURRENT_SQL, &[]).await?;
    let present: Lsn = read(row.get(0))?;
    if row.get(1) {
        return Ok(present);
    }
    let bytes = |at| row.get::<_, i64>(at).unsigned_abs().max(1);
    let pages = Pages {
        bytes: bytes(2),
        segment_bytes: bytes(3),
    };
    // Only what is flushed is decoded, and the end is noticed on an idle source only if it is.
    let deadline = Instant::now() + FLUSHED_MAX;
    loop {
        let flushed: Lsn = read(session.query_one(FLUSHED_SQL, &[]).await?.get(0))?;
        if pages.have_all(flushed, present) {
            return Ok(flushed);
        }
        if Instant::now() >= deadline {
            return Ok(present);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Waits as [`settled`] does; an error if apply was past `endpos` and has taken it back.
fn kept(
    store: &Store,
    endpos: Lsn,
    apply_is_running: impl Fn() -> bool,
) -> Result<Lsn, EndposError> {
    match settled(store, apply_is_running)?.is_zero() && !endpos.is_zero() {
        true => Err(EndposError::Passed {
            endpos,
            replayed: store.sentinel()?.replay_lsn,
        }),
        false => Ok(endpos),
    }
}

/// Waits until a running apply acts on the endpos in the store. It may have been past it when it looked; then it
/// has made the end where it is.
fn settled(store: &Store, apply_is_running: impl Fn() -> bool) -> Result<Lsn, store::Error> {
    let deadline = Instant::now() + SEEN_MAX;
    loop {
        let sentinel = store.sentinel()?;
        let is_seen = sentinel.seen_endpos == sentinel.endpos;
        if is_seen || Instant::now() >= deadline || !apply_is_running() {
            return Ok(sentinel.endpos);
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_behind_the_header_of_an_empty_page_is_flushed_with_the_page_before() {
        const SEGMENT: u64 = 1 << 20;
        let pages = Pages {
            bytes: 8192,
            segment_bytes: SEGMENT,
        };
        for (flushed, present, all) in [
            (100, 100, true),
            (99, 100, false),
            (8192, 8192 + 24, true),
            (8191, 8192 + 24, false),
            // The end of a record that began in the page before.
            (8192, 8192 + 32, false),
            (8192, 8192 + 40, false),
            (8192, 8192 + 41, false),
            (SEGMENT, SEGMENT + 40, true),
            (SEGMENT, SEGMENT + 24, false),
            (SEGMENT, SEGMENT + 48, false),
        ] {
            let (flushed, present) = (Lsn::new(flushed), Lsn::new(present));
            assert_eq!(pages.have_all(flushed, present), all, "{flushed} {present}");
        }
    }

    #[test]
    fn an_end_that_apply_had_passed_is_told_as_apply_has_moved_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let mut store = Store::create(&path).expect("made");
        let endpos = Lsn::new(100);
        store.set_endpos(endpos, true).expect("set");
        let apply = thread::spawn(move || {
            let mut apply = Store::open(&path).expect("opened");
            apply.raise_endpos(Lsn::new(120)).expect("raised");
            apply
                .report_replayed(Lsn::new(120), Lsn::new(120), Lsn::new(120))
                .expect("reported");
        });
        let settled = settled(&store, || true).expect("settled");
        apply.join().expect("apply");
        assert_eq!(settled, Lsn::new(120));
    }

    #[test]
    fn an_end_that_apply_had_passed_and_may_not_move_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let mut store = Store::create(&path).expect("made");
        let endpos = Lsn::new(100);
        store.set_endpos(endpos, false).expect("set");
        let apply = thread::spawn(move || {
            let mut apply = Store::open(&path).expect("opened");
            apply
                .take_back_endpos(endpos, Lsn::new(120))
                .expect("taken back");
        });
        let refused = kept(&store, endpos, || true).expect_err("refused");
        apply.join().expect("apply");
        assert_eq!(
            refused.to_string(),
            "endpos 0/64 is before 0/78, which the target has already reached"
        );
    }

    #[test]
    fn without_a_running_apply_nobody_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        store.set_endpos(Lsn::new(100), true).expect("set");
        let begun = Instant::now();
        let settled = settled(&store, || false).expect("settled");
        assert_eq!(settled, Lsn::new(100));
        assert!(begun.elapsed() < SEEN_MAX);
    }
}
