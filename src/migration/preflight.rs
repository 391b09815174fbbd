//! Everything that would make a migration fail, looked at before anything is changed anywhere.

use crate::base::Lsn;
use crate::base::Side;
use crate::base::ident::{quote_ident, quote_literal};
use crate::catalog::discovery;
use crate::catalog::filters::{self, Filters, Selection, Strictness};
use crate::catalog::privileges::{self, Kind};
use crate::catalog::server::{self, Server};
use crate::catalog::sizes::Sizes;
use crate::clone::programs::{Programs, ProgramsError};
use crate::clone::roles;
use crate::pg::{Address, Session};
use crate::store::Capture;

use super::base_copy;
use super::capture;
use super::error::{MigrationError, on_source, on_target, to_source, to_target};
use super::lock_room;

/// What will be made and so must not be there.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The slot to make; none without change capture.
    pub slot: Option<&'a str>,
    /// The output plugin it is made for.
    pub plugin: Option<&'a str>,
    /// The publication to make with it.
    pub publication: Option<&'a str>,
    /// The origin that is to stand at the beginning.
    pub origin: Option<&'a str>,
    /// Where streaming is to end; looked at where a slot is to be made.
    pub endpos: Option<Lsn>,
    /// Whether the target may hold tables already: `--drop-if-exists`, or a resume.
    pub target_may_be_filled: bool,
    /// Whether large objects are to be left out.
    pub skip_large_objects: bool,
    /// Whether rows of tables are to be read.
    pub rows: bool,
    /// Whether the passwords of roles are to be read.
    pub role_passwords: bool,
    /// Whether the active sessions of the source are to be counted.
    pub counts_sessions: bool,
    /// What else is to be left out; looked at where a migration begins.
    pub filters: Option<&'a Filters>,
    /// Whether all rows are to be read on a standby of the source.
    pub of_standbys_alone: bool,
}

/// What preflight found out.
#[derive(Debug)]
pub struct Facts {
    /// The source.
    pub source: Server,
    /// The target.
    pub target: Server,
    /// pg_dump and pg_restore.
    pub programs: Programs,
}

/// Which servers these are. Nothing is changed.
pub async fn look_at_servers(
    source: &Address,
    target: &Address,
) -> Result<(Server, Server), MigrationError> {
    let source_session = Session::connect(source, "preflight")
        .await
        .map_err(to_source(source))?;
    let target_session = Session::connect(target, "preflight")
        .await
        .map_err(to_target(target))?;
    let looking = "looking at the server";
    Ok((
        server::look(&source_session)
            .await
            .map_err(on_source(looking))?,
        server::look(&target_session)
            .await
            .map_err(on_target(looking))?,
    ))
}

/// Connects to both and looks, also for the client programs that a copy needs. Nothing is changed.
pub async fn look(
    source: &Address,
    target: &Address,
    wanted: &Wanted<'_>,
) -> Result<Facts, MigrationError> {
    let ((source, target), programs) = look_at_both(source, target, wanted, Programs::find).await?;
    Ok(Facts {
        source,
        target,
        programs,
    })
}

/// As [`look`], for what needs no client programs.
pub async fn look_to_capture(
    source: &Address,
    target: &Address,
    wanted: &Wanted<'_>,
) -> Result<(Server, Server), MigrationError> {
    let no_programs = |_| Ok::<(), ProgramsError>(());
    let (servers, ()) = look_at_both(source, target, wanted, no_programs).await?;
    Ok(servers)
}

async fn look_at_both<P>(
    source: &Address,
    target: &Address,
    wanted: &Wanted<'_>,
    find_programs: impl FnOnce(u32) -> Result<P, ProgramsError>,
) -> Result<((Server, Server), P), MigrationError> {
    let on_source_session = Session::connect(source, "preflight")
        .await
        .map_err(to_source(source))?;
    let on_target_session = Session::connect(target, "preflight")
        .await
        .map_err(to_target(target))?;
    let on_source_server = server::look(&on_source_session)
        .await
        .map_err(on_source("looking at the server"))?;
    let on_target_server = server::look(&on_target_session)
        .await
        .map_err(on_target("looking at the server"))?;
    let programs = find_programs(on_source_session.server_version().major())?;
    if on_source_server.system == on_target_server.system {
        return Err(refused(
            None,
            format!("source {source} and target {target} are the same database"),
            "name another server or database with --target",
        ));
    }
    if on_target_server.is_standby {
        return Err(refused(
            Some(Side::Target),
            "the target is a standby, which takes no writes",
            "connect to its primary, for instance with target_session_attrs=read-write",
        ));
    }
    check_source(&on_source_session, &on_source_server, source, wanted).await?;
    if let Some(origin) = wanted.origin {
        check_origin(&on_target_session, origin).await?;
        check_may_apply(&on_target_session, target).await?;
    }
    check_large_objects(&on_source_session, &on_target_session, wanted).await?;
    if !wanted.target_may_be_filled {
        check_empty(&on_target_session).await?;
    }
    Ok(((on_source_server, on_target_server), programs))
}

/// Connects to the source alone and looks. Nothing is changed.
pub async fn look_at_source(
    source: &Address,
    wanted: &Wanted<'_>,
) -> Result<(Server, Programs), MigrationError> {
    let session = Session::connect(source, "preflight")
        .await
        .map_err(to_source(source))?;
    let server = server::look(&session).await;
    let server = server.map_err(on_source("looking at the server"))?;
    let programs = Programs::find(session.server_version().major())?;
    check_source(&session, &server, source, wanted).await?;
    Ok((server, programs))
}

async fn check_source(
    session: &Session,
    server: &Server,
    address: &Address,
    wanted: &Wanted<'_>,
) -> Result<(), MigrationError> {
    if let Some(slot) = wanted.slot {
        check_capture(session, server, address, slot).await?;
    }
    if let Some(plugin) = wanted.plugin {
        check_plugin(session, plugin).await?;
    }
    if let Some(filters) = wanted.filters {
        let selection = filters::resolve(session, filters, Strictness::Begin).await?;
        for notice in &selection.unmatched {
            tracing::warn!("{notice}");
        }
        lock_room::check(session, selection.schemas()).await?;
        if wanted.rows {
            check_readable(session, &selection, address).await?;
        }
        if wanted.rows && (server.is_standby || wanted.of_standbys_alone) {
            check_unlogged(session, &selection, server.is_standby).await?;
        }
    }
    if let Some(publication) = wanted.publication {
        check_publication(session, publication).await?;
    }
    if let Some(endpos) = wanted.endpos {
        check_endpos(session, endpos).await?;
    }
    if wanted.counts_sessions {
        check_sees_sessions(session, address.user()).await?;
    }
    match wanted.role_passwords {
        true => check_role_passwords(session).await,
        false => Ok(()),
    }
}

fn refused(
    side: Option<Side>,
    problem: impl Into<String>,
    hint: impl Into<String>,
) -> MigrationError {
    MigrationError::Refused {
        side,
        problem: problem.into(),
        hint: hint.into(),
    }
}

async fn check_capture(
    session: &Session,
    server: &Server,
    address: &Address,
    slot: &str,
) -> Result<(), MigrationError> {
    check_primary(server)?;
    check_wal_level(server)?;
    check_replication(server, address)?;
    check_slot_name(session, slot).await?;
    check_slot_room(server)?;
    check_sender_room(server)
}

fn refused_by_source(problem: impl Into<String>, hint: impl Into<String>) -> MigrationError {
    refused(Some(Side::Source), problem, hint)
}

/// A slot for changes can be made on a primary alone.
pub(super) fn check_primary(server: &Server) -> Result<(), MigrationError> {
    match server.is_standby {
        false => Ok(()),
        true => Err(refused_by_source(
            "the source is a standby: change capture needs its primary",
            "connect to the primary, for instance with target_session_attrs=read-write",
        )),
    }
}

/// The WAL must say what changes mean.
pub(super) fn check_wal_level(server: &Server) -> Result<(), MigrationError> {
    match server.wal_level == "logical" {
        true => Ok(()),
        false => Err(refused_by_source(
            format!(
                "the source has wal_level = {}, change capture needs logical",
                server.wal_level
            ),
            "ALTER SYSTEM SET wal_level = logical, then restart the source",
        )),
    }
}

/// The role must be allowed to make slots and to stream.
pub(super) fn check_replication(server: &Server, address: &Address) -> Result<(), MigrationError> {
    match server.may_replicate {
        true => Ok(()),
        false => Err(refused_by_source(
            format!(
                "role \"{}\" may not replicate on the source",
                address.user()
            ),
            format!(
                "have an administrator run: ALTER ROLE {} REPLICATION",
                quote_ident(address.user())
            ),
        )),
    }
}

/// The slot is to be made, and so must not be there.
pub(super) async fn check_slot_name(session: &Session, slot: &str) -> Result<(), MigrationError> {
    let sql = "SELECT coalesce(plugin::text, 'physical replication')
                 FROM pg_replication_slots WHERE slot_name = $1";
    let taken = session.query_opt(sql, &[&slot]).await;
    match taken.map_err(on_source("looking at its slots"))? {
        None => Ok(()),
        Some(taken) => Err(refused_by_source(
            format!(
                "replication slot \"{slot}\" exists on the source already, for {}",
                taken.get::<_, &str>(0)
            ),
            "resume the migration it belongs to, name another with --slot-name, or remove it with pgflit stream cleanup",
        )),
    }
}

/// There must be room for one more slot.
pub(super) fn check_slot_room(server: &Server) -> Result<(), MigrationError> {
    match server.slots.1 < server.slots.0 {
        true => Ok(()),
        false => Err(refused_by_source(
            format!(
                "all {} replication slots of the source are taken",
                server.slots.0
            ),
            "raise max_replication_slots and restart the source, or drop a slot that nobody uses",
        )),
    }
}

/// There must be a WAL sender for the stream.
pub(super) fn check_sender_room(server: &Server) -> Result<(), MigrationError> {
    match server.wal_senders.1 < server.wal_senders.0 {
        true => Ok(()),
        false => Err(refused_by_source(
            format!(
                "all {} WAL senders of the source are in use",
                server.wal_senders.0
            ),
            "raise max_wal_senders and restart the source",
        )),
    }
}

/// SQLSTATE insufficient_privilege.
const NOT_ALLOWED: &str = "42501";

/// Whether the plugin is installed, the source lets it be used, and its text can be read.
pub(super) async fn check_plugin(session: &Session, plugin: &str) -> Result<(), MigrationError> {
    if plugin == "pgoutput" {
        return Ok(());
    }
    // Loaded into this session alone. Others than superusers may not: then the making of the slot
    // tells, which comes before anything else on the servers.
    match session
        .batch(&format!("LOAD {}", quote_literal(plugin)))
        .await
    {
        Err(error) if error.sqlstate() == Some(capture::NO_LIBRARY) => {
            return Err(capture::no_such_plugin(plugin));
        }
        Err(error) if error.sqlstate().is_none() => {
            return Err(on_source("looking for the output plugin")(error));
        }
        _ => {}
    }
    let setting = async |name: &str| {
        let sql = "SELECT current_setting($1, true)";
        let row = session.query_one(sql, &[&name]).await;
        row.map(|row| row.get::<_, Option<String>>(0))
    };
    let encoding = setting("server_encoding").await;
    let encoding = encoding.map_err(on_source("looking at its settings"))?;
    let encoding = encoding.unwrap_or_default();
    if encoding != "UTF8" && encoding != "SQL_ASCII" {
        return Err(refused(
            Some(Side::Source),
            format!("{plugin} sends text in the encoding of the database, {encoding}"),
            "use --plugin pgoutput, which converts",
        ));
    }
    // Minor releases of 2026 let only those be used that an administrator has listed.
    let allowed = match setting("output_plugin_libraries").await {
        // Not for everybody to see: then the making of the slot tells.
        Err(error) if error.sqlstate() == Some(NOT_ALLOWED) => None,
        allowed => allowed.map_err(on_source("looking at its settings"))?,
    };
    let is_allowed = |allowed: &str| {
        let mut names = allowed.split(',').map(|name| name.trim().trim_matches('"'));
        names.any(|name| name == plugin)
    };
    match allowed {
        Some(allowed) if !is_allowed(&allowed) => Err(refused(
            Some(Side::Source),
            format!(
                "the source does not let output plugin {plugin} be used: output_plugin_libraries is {allowed}"
            ),
            format!(
                "have an administrator run: ALTER SYSTEM SET output_plugin_libraries = {allowed}, {plugin}; SELECT pg_reload_conf(); or use --plugin pgoutput"
            ),
        )),
        _ => Ok(()),
    }
}

/// Whether all rows that are copied may be read.
async fn check_readable(
    session: &Session,
    selection: &Selection,
    address: &Address,
) -> Result<(), MigrationError> {
    let barred = privileges::barred(session).await;
    let mut barred = barred.map_err(on_source("looking at privileges"))?;
    barred.retain(|one| one.kind == Kind::Table && selection.copies(one.oid));
    let user = address.user();
    let unreadable: Vec<_> = barred.iter().filter(|one| !one.is_readable).collect();
    if let Some(first) = unreadable.first() {
        return Err(refused_by_source(
            format!(
                "role \"{user}\" may not read {} tables of the source, {} first",
                unreadable.len(),
                first.name
            ),
            "have GRANT USAGE on their schemas and SELECT on the tables run; or leave their schemas out \
             with --filters; pgflit check tells of this and more",
        ));
    }
    let hidden: Vec<_> = barred.iter().filter(|one| one.is_hidden).collect();
    match hidden.first() {
        None => Ok(()),
        Some(first) => Err(refused_by_source(
            format!(
                "row security hides rows of {} tables of the source from role \"{user}\", {} first",
                hidden.len(),
                first.name
            ),
            format!(
                "have an administrator run: ALTER ROLE {} BYPASSRLS; or connect as their owner",
                quote_ident(user)
            ),
        )),
    }
}

/// A standby has the definitions of unlogged tables, and none of their rows.
async fn check_unlogged(
    session: &Session,
    selection: &Selection,
    is_standby: bool,
) -> Result<(), MigrationError> {
    let mut tables = discovery::tables(session, Sizes::Estimated)
        .await
        .map_err(on_source("reading the catalog"))?;
    selection.filter_tables(&mut tables);
    tables.retain(|table| table.capture == Capture::Nothing);
    match tables.first() {
        None => Ok(()),
        Some(first) if !is_standby => Err(base_copy::no_unlogged_rows(first)),
        Some(first) => Err(refused(
            Some(Side::Source),
            format!(
                "the source is a standby, which has no rows of unlogged tables: of {}, {} first",
                tables.len(),
                first.name
            ),
            "connect to the primary; or have them made empty, with [exclude-table-data] in \
             --filters",
        )),
    }
}

/// The longest name that a server keeps whole.
const NAME_BYTES: usize = 63;

/// A publication of that name would be replaced, and whoever subscribes to it would notice.
pub(super) async fn check_publication(
    session: &Session,
    publication: &str,
) -> Result<(), MigrationError> {
    let names = [
        publication.to_owned(),
        capture::inserts_publication(publication),
    ];
    // The server would cut the longer of the two short, and nobody would find it by its name.
    if names.iter().any(|name| name.len() > NAME_BYTES) {
        let suffix = names[1].len() - publication.len();
        return Err(MigrationError::Refused {
            side: None,
            problem: format!("publication name \"{publication}\" is too long"),
            hint: format!(
                "name one of at most {} bytes with --publication",
                NAME_BYTES - suffix
            ),
        });
    }
    let sql = "SELECT pubname::text FROM pg_publication WHERE pubname = ANY ($1) ORDER BY 1";
    let taken = session.query(sql, &[&&names[..]]).await;
    let taken = taken.map_err(on_source("looking at its publications"))?;
    match taken.first() {
        None => Ok(()),
        Some(row) => Err(refused(
            Some(Side::Source),
            format!(
                "publication \"{}\" exists on the source already",
                row.get::<_, String>(0)
            ),
            "name another with --publication, or remove what an earlier migration left with pgflit stream cleanup",
        )),
    }
}

/// A position that another migration has left would have changes skipped as applied.
pub(super) async fn check_origin(session: &Session, origin: &str) -> Result<(), MigrationError> {
    let failed = on_target("looking at its replication origins");
    match capture::applied_until(session, origin)
        .await
        .map_err(failed)?
    {
        None => Ok(()),
        Some(lsn) => Err(refused(
            Some(Side::Target),
            format!("replication origin \"{origin}\" exists on the target already, at {lsn}"),
            "resume the migration it belongs to, name another with --origin, or remove what an \
             earlier migration left with pgflit stream cleanup",
        )),
    }
}

async fn check_may_apply(session: &Session, target: &Address) -> Result<(), MigrationError> {
    let may_apply = capture::may_apply(session).await;
    match may_apply.map_err(on_target("looking whether changes can be applied"))? {
        true => Ok(()),
        false => {
            let user = target.user();
            Err(refused(
                Some(Side::Target),
                format!(
                    "{user} may not set session_replication_role, with which changes are applied"
                ),
                capture::let_apply(user),
            ))
        }
    }
}

/// Change capture begins where the source is, or later.
pub(super) async fn check_endpos(session: &Session, endpos: Lsn) -> Result<(), MigrationError> {
    let current = session.query_one("SELECT pg_current_wal_lsn()::text", &[]);
    let current: String = current
        .await
        .map_err(on_source("asking for its position"))?
        .get(0);
    match current.parse() {
        Ok(begin) if endpos < begin => Err(MigrationError::EndposTooEarly { endpos, begin }),
        _ => Ok(()),
    }
}

/// Passwords are to be copied, and so must be readable.
pub(super) async fn check_role_passwords(session: &Session) -> Result<(), MigrationError> {
    let readable = roles::may_read_passwords(session).await;
    match readable.map_err(on_source("looking for passwords"))? {
        true => Ok(()),
        false => Err(refused(
            Some(Side::Source),
            "this role may not read the passwords of others (pg_authid) on the source",
            "connect as a superuser, or copy roles without their passwords with --no-role-passwords",
        )),
    }
}

/// What sessions of other roles do is not for everybody to see: their count would be none.
pub(super) async fn check_sees_sessions(
    session: &Session,
    user: &str,
) -> Result<(), MigrationError> {
    let sql = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')
                      OR current_setting('is_superuser')::bool";
    let row = session.query_one(sql, &[]).await;
    match row
        .map_err(on_source("looking whether sessions can be counted"))?
        .get(0)
    {
        true => Ok(()),
        false => Err(refused_by_source(
            format!(
                "role \"{user}\" may not see which sessions of the source are active, which \
                 --source-load-limit counts"
            ),
            format!(
                "have an administrator run: GRANT pg_read_all_stats TO {}; or leave \
                 --source-load-limit out",
                quote_ident(user)
            ),
        )),
    }
}

/// Whether all of the source's may be read, and none of the target's has an OID of theirs.
async fn check_large_objects(
    source: &Session,
    target: &Session,
    wanted: &Wanted<'_>,
) -> Result<(), MigrationError> {
    if wanted.skip_large_objects {
        return Ok(());
    }
    check_large_objects_readable(source).await?;
    match wanted.target_may_be_filled {
        true => Ok(()),
        false => check_large_objects_free(source, target).await,
    }
}

/// Whether the role may read all large objects of the source.
pub(super) async fn check_large_objects_readable(source: &Session) -> Result<(), MigrationError> {
    let found = server::unreadable_large_objects(source).await;
    match found.map_err(on_source("looking for large objects"))? {
        None => Ok(()),
        Some((count, first)) => Err(refused_by_source(
            format!(
                "{count} large objects of the source may not be read by this role, {first} first"
            ),
            format!(
                "connect as their owner or a superuser, or have GRANT SELECT ON LARGE OBJECT {first} \
                 and so on run; or leave large objects out with --skip-large-objects"
            ),
        )),
    }
}

/// Whether no large object of the target has the OID of one of the source's.
pub(super) async fn check_large_objects_free(
    source: &Session,
    target: &Session,
) -> Result<(), MigrationError> {
    let failed = on_target("looking at its large objects");
    let there = server::large_objects(target, None).await.map_err(&failed)?;
    if there.is_empty() {
        return Ok(());
    }
    let taken = server::large_objects(source, Some(&there)).await;
    let taken = taken.map_err(on_source("looking at its large objects"))?;
    match taken.first() {
        None => Ok(()),
        Some(first) => Err(refused(
            Some(Side::Target),
            format!(
                "the target has {} large objects already with OIDs that the source has too, {first} first",
                taken.len()
            ),
            "name an empty database, or have pgflit replace them with --drop-if-exists",
        )),
    }
}

/// Whether the target has no relation of the user's.
pub(super) async fn check_empty(session: &Session) -> Result<(), MigrationError> {
    let relations = discovery::user_relations(session).await;
    let relations = relations.map_err(on_target("looking at its tables"))?;
    let Some(first) = relations.first() else {
        return Ok(());
    };
    Err(refused(
        Some(Side::Target),
        format!(
            "the target database is not empty: it has {} relations, {first} first",
            relations.len()
        ),
        "name an empty database, or have pgflit drop what is in the way with --drop-if-exists",
    ))
}
