//! The texts that servers are asked by, at both ends of a move.
//!
//! Everything in them is qualified: the session's `search_path` may lead anywhere.

/// What every text begins with by which a session is asked what it holds: `pg_stat_activity` tells these
/// from its client's.
pub const MARK: &str = "/* pgflit moving */ ";

/// Takes back what was made on a connection, as far as a server lets go of it.
pub(super) const DISCARD: &[u8] = b"DISCARD ALL";

/// Begins a transaction that waits for nobody, as one that is serializable and deferrable would.
pub(super) const BEGIN: &[u8] = b"BEGIN ISOLATION LEVEL READ COMMITTED";

/// Ends it, whether it has failed or not. Local settings end with it.
pub(super) const COMMIT: &[u8] = b"COMMIT";

/// Turns off, for the transaction, those timeouts that are shorter than ten seconds; gives their
/// names and what they were. Afterwards nobody can tell any more whether the session had set them,
/// so those that do not matter are left alone.
pub(super) const WITHOUT_TIMEOUTS: &[u8] = b"SELECT t.name, t.value, \
     pg_catalog.set_config(t.name, '0', true) \
     FROM (SELECT n AS name, pg_catalog.current_setting(n, true) AS value \
         FROM pg_catalog.unnest('{statement_timeout,transaction_timeout}'::pg_catalog.text[]) AS n \
         OFFSET 0) AS t \
     WHERE t.value OPERATOR(pg_catalog.~) '^([0-9]+ms|[0-9]s)$'";

/// The settings that [`WITHOUT_TIMEOUTS`] is about, and its like.
pub(super) fn is_timeout(name: &[u8]) -> bool {
    name.ends_with(b"_timeout")
}

/// Rows of five columns, the first of which says what the others are.
///
/// `pg_settings` is what takes the time: half a millisecond. Settings with a dot in their names are
/// told whatever their source is, so that they are not taken for custom ones. Of types, those are
/// told that are not [`OIDS_KEPT`]'s; a type that was dropped has no name.
pub(super) const HOLDINGS: &[u8] = b"\
SELECT 'setting', s.name, s.setting, s.source, NULL::pg_catalog.text \
 FROM pg_catalog.pg_settings AS s \
 WHERE s.source OPERATOR(pg_catalog.=) 'session' \
  AND s.context OPERATOR(pg_catalog.<>) 'internal' \
  OR pg_catalog.strpos(s.name, '.') OPERATOR(pg_catalog.>) 0 \
UNION ALL SELECT 'user', session_user::pg_catalog.text, pg_catalog.current_setting('role'), \
  NULL, NULL \
UNION ALL SELECT 'statement', p.name, p.statement, p.from_sql::pg_catalog.text, \
  p.parameter_types::pg_catalog.oid[]::pg_catalog.text \
 FROM pg_catalog.pg_prepared_statements AS p \
UNION ALL SELECT 'type', t.oid::pg_catalog.text, \
  CASE WHEN (SELECT y.typlen FROM pg_catalog.pg_type AS y \
    WHERE y.oid OPERATOR(pg_catalog.=) t.oid) IS NOT NULL \
   THEN (pg_catalog.pg_identify_object('1247'::pg_catalog.oid, t.oid, 0)).identity END, \
  NULL, NULL \
 FROM (SELECT DISTINCT pg_catalog.unnest(p.parameter_types::pg_catalog.oid[]) AS oid \
  FROM pg_catalog.pg_prepared_statements AS p) AS t \
 WHERE t.oid OPERATOR(pg_catalog.>=) '10000'::pg_catalog.oid \
UNION ALL SELECT 'channel', c, NULL, NULL, NULL \
 FROM pg_catalog.pg_listening_channels() AS c \
UNION ALL SELECT 'lock', l.objsubid::pg_catalog.text, l.classid::pg_catalog.text, \
  l.objid::pg_catalog.text, l.mode \
 FROM pg_catalog.pg_locks AS l \
 WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
  AND l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted \
UNION ALL SELECT 'cursor', c.name, NULL, NULL, NULL \
 FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable \
UNION ALL (SELECT 'temporary', pg_catalog.pg_describe_object(d.classid, d.objid, 0), \
  NULL, NULL, NULL \
 FROM pg_catalog.pg_depend AS d \
 WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) '0'::pg_catalog.oid \
  AND d.refclassid OPERATOR(pg_catalog.=) '2615'::pg_catalog.oid \
  AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() LIMIT 100)";

/// OIDs below are the same in every version: `FirstGenbkiObjectId` of PostgreSQL's
/// `src/include/access/transam.h`.
pub(super) const OIDS_KEPT: std::ops::Range<u32> = 0..10_000;

/// The value of a setting that may not be there.
pub(super) const SETTING: &[u8] = b"SELECT pg_catalog.current_setting($1, true)";

/// Sets one for the session.
pub(super) const SET: &[u8] = b"SELECT pg_catalog.set_config($1, $2, false)";

/// Becomes another user, if it is another.
pub(super) const SET_SESSION_USER: &[u8] = b"\
SELECT pg_catalog.set_config('session_authorization', $1, false) \
 WHERE session_user::pg_catalog.text OPERATOR(pg_catalog.<>) $1";

/// Takes another role, if it is another.
pub(super) const SET_ROLE: &[u8] = b"\
SELECT pg_catalog.set_config('role', $1, false) \
 WHERE pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) $1";

/// The OID of a type by its name.
pub(super) const TYPE: &[u8] = b"SELECT pg_catalog.to_regtype($1)::pg_catalog.oid";

/// The settings that the server reports: those in `reported` whose version it has reached.
pub(super) fn reported(reported: &[(&str, u32)]) -> Vec<u8> {
    let rows: Vec<_> = reported
        .iter()
        .map(|(name, version)| format!("('{name}', {version})"))
        .collect();
    let sql = format!(
        "SELECT 'reported', r.name, pg_catalog.current_setting(r.name, true), \
             NULL::pg_catalog.text, NULL::pg_catalog.text \
         FROM (VALUES {}) AS r(name, version) \
         WHERE r.version OPERATOR(pg_catalog.<=) \
             pg_catalog.current_setting('server_version_num')::pg_catalog.int4",
        rows.join(", ")
    );
    sql.into_bytes()
}
