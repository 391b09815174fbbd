//! Which servers these are: versions, encryption, clocks, primaries.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::Side;
use crate::base::quantity::display_duration;
use crate::migration::error::MigrationError;
use crate::pg::version::ServerVersion;

use super::finding::{Findings, Place, Verdict};
use super::look::{Looked, Scene};

/// The major versions that pgflit knows.
const OLDEST_SOURCE: u32 = 11;
const OLDEST_TARGET: u32 = 12;
const NEWEST: u32 = 18;

/// Clocks that differ by more than this make times of logs, statistics and `now()` hard to compare.
const SKEW_MAX: Duration = Duration::from_secs(2);

/// Whether this version can be spoken to; a line about it.
pub(super) fn version(side: Side, version: ServerVersion, found: &mut Findings) -> bool {
    let oldest = match side {
        Side::Source => OLDEST_SOURCE,
        Side::Target => OLDEST_TARGET,
    };
    match version.major() {
        major if major < oldest => {
            let text = format!(
                "PostgreSQL {version} is not supported as a {side}: {oldest} is the oldest"
            );
            let hint = match side {
                Side::Source => {
                    "upgrade it first, or move by pg_dump; nothing else was looked at there"
                }
                Side::Target => "name a newer server; nothing else was looked at there",
            };
            found.fail("version", side, text, hint);
            false
        }
        major if major > NEWEST => {
            found.warn(
                "version",
                side,
                format!("PostgreSQL {version} is newer than this pgflit, which knows {NEWEST}"),
                "look for a newer pgflit, and rehearse",
            );
            true
        }
        _ => {
            found.pass("version", side, format!("PostgreSQL {version}"));
            true
        }
    }
}

/// Whether they are one database; and which is newer.
pub(super) fn compare(source: &Looked, target: &Looked, found: &mut Findings) -> bool {
    let is_same = source.server.system == target.server.system;
    match is_same {
        true => found.fail(
            "distinct",
            Place::Both,
            "source and target are the same database",
            "name another server or database with --target",
        ),
        false => found.pass("distinct", Place::Both, "two different databases"),
    }
    let (from, to) = (source.major(), target.major());
    match to < from {
        true => found.warn(
            "version-order",
            Place::Both,
            format!("the target is older ({to}) than the source ({from})"),
            "it may refuse what only the newer one knows: rehearse, or name a newer target",
        ),
        false => found.pass(
            "version-order",
            Place::Both,
            format!("the target is not older than the source ({from} to {to})"),
        ),
    }
    is_same
}

/// What is left to be said of each.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    primaries(scene, found);
    for looked in scene.both() {
        encryption(looked, found).await?;
    }
    for looked in scene.both() {
        clock(looked, found).await?;
    }
    Ok(())
}

fn primaries(scene: &Scene<'_>, found: &mut Findings) {
    let hint = "connect to the primary, for instance with target_session_attrs=read-write";
    let follows = scene.config.follow.is_some();
    match (scene.source.server.is_standby, follows) {
        (false, _) => found.pass("primary", Side::Source, "a primary"),
        (true, true) => found.fail(
            "primary",
            Side::Source,
            "the source is a standby: change capture needs its primary",
            hint,
        ),
        (true, false) => found.warn(
            "primary",
            Side::Source,
            "the source is a standby: what its primary has done last may be missing, and unlogged \
             tables have no rows there",
            hint,
        ),
    }
    match scene.target.server.is_standby {
        false => found.pass("primary", Side::Target, "a primary"),
        true => found.fail(
            "primary",
            Side::Target,
            "the target is a standby, which takes no writes",
            hint,
        ),
    }
}

async fn encryption(looked: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    let sql = "SELECT coalesce(s.ssl, false), host(inet_client_addr()), s.version
                 FROM (SELECT pg_backend_pid() AS pid) AS own
                 LEFT JOIN pg_stat_ssl s ON s.pid = own.pid";
    let row = looked.session.query_one(sql, &[]).await;
    let row = row.map_err(looked.on("asking whether the connection is encrypted"));
    let Some(row) = found.seen("encryption", looked.side, row)? else {
        return Ok(());
    };
    let (is_encrypted, client): (bool, Option<String>) = (row.get(0), row.get(1));
    match of_connection(is_encrypted, client.as_deref()) {
        (Verdict::Pass, text) => found.pass("encryption", looked.side, text),
        (_, text) => found.warn(
            "encryption",
            looked.side,
            text,
            "add sslmode=verify-full to its connection string, with sslrootcert for its certificate",
        ),
    }
    Ok(())
}

/// What to say of a connection that comes from `client`; none by a Unix socket.
fn of_connection(is_encrypted: bool, client: Option<&str>) -> (Verdict, &'static str) {
    let is_local = match client {
        None => true,
        Some(client) => client
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    };
    match (is_encrypted, is_local) {
        (true, _) => (Verdict::Pass, "connections are encrypted"),
        (false, true) => (
            Verdict::Pass,
            "connections are not encrypted, and stay on this machine",
        ),
        (false, false) => (
            Verdict::Warn,
            "connections are not encrypted: rows and passwords go over the network as they are",
        ),
    }
}

async fn clock(looked: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    let sql = "SELECT extract(epoch FROM clock_timestamp())::float8";
    let begun = Instant::now();
    let row = looked.session.query_one(sql, &[]).await;
    let row = row.map_err(looked.on("asking for the time"));
    let Some(row) = found.seen("clock", looked.side, row)? else {
        return Ok(());
    };
    let round_trip = begun.elapsed();
    let here = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // The answer was given somewhere in between.
    let apart = (row.get::<_, f64>(0) - here.as_secs_f64()).abs();
    let apart = Duration::try_from_secs_f64(apart).unwrap_or(Duration::MAX);
    match is_skewed(apart, round_trip) {
        false => found.pass("clock", looked.side, "its clock is that of this machine"),
        true => found.warn(
            "clock",
            looked.side,
            format!(
                "its clock and that of this machine are {} apart",
                display_duration(apart)
            ),
            "have both follow NTP: lag in seconds, and the times of logs, are wrong by as much",
        ),
    }
    Ok(())
}

fn is_skewed(apart: Duration, round_trip: Duration) -> bool {
    apart > SKEW_MAX + round_trip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_11_on_are_spoken_to_and_unknown_ones_with_a_warning() {
        for (number, is_spoken_to, verdict) in [
            (90_624, false, Verdict::Fail),
            (100_022, false, Verdict::Fail),
            (110_000, true, Verdict::Pass),
            (150_018, true, Verdict::Pass),
            (180_001, true, Verdict::Pass),
            (190_000, true, Verdict::Warn),
        ] {
            let mut found = Findings::default();
            let answer = version(Side::Source, ServerVersion(number), &mut found);
            let found = found.into_vec();
            assert_eq!(
                (answer, found[0].verdict),
                (is_spoken_to, verdict),
                "{number}"
            );
        }
    }

    #[test]
    fn what_goes_over_the_network_should_be_encrypted() {
        let verdict = |is_encrypted, client| of_connection(is_encrypted, client).0;
        assert_eq!(verdict(false, None), Verdict::Pass);
        assert_eq!(verdict(false, Some("127.0.0.1")), Verdict::Pass);
        assert_eq!(verdict(false, Some("::1")), Verdict::Pass);
        assert_eq!(verdict(false, Some("10.0.0.7")), Verdict::Warn);
        assert_eq!(verdict(true, Some("10.0.0.7")), Verdict::Pass);
    }

    #[test]
    fn a_slow_answer_is_no_skewed_clock() {
        let seconds = Duration::from_secs;
        assert!(!is_skewed(seconds(1), seconds(0)));
        assert!(is_skewed(seconds(3), seconds(0)));
        assert!(!is_skewed(seconds(3), seconds(2)));
    }
}
