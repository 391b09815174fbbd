//! What stands against moving traffic, looked at while it flows.

use std::time::{Duration, Instant};

use super::carried;
use super::config::{Config, FenceMode};
use super::error::{CutoverError, on};
use super::fence::{self, Spared};
use super::leg::{Leg, NO_WAY_BACK};
use super::proxies::{Proxies, Via, is_nobody};
use super::shadow;
use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Side};
use crate::migration::check::{self, End, Verdict};
use crate::migration::{base_copy, capture};
use crate::pg::Session;
use crate::proxy::control::{Client, Status};
use crate::proxy::coordination::tables::{self, Member};
use crate::store::{CATALOG_STEP, FOLLOWING_STEP};

/// How long a stream that is behind is given to come near, before anybody is held.
const NEAR_MAX: Duration = Duration::from_secs(10);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long proxies are given to end what an earlier attempt has left.
const OPEN_MAX: Duration = Duration::from_secs(3);

/// A moment in which the stream is so near is a good one: some tens of small transactions.
const GOOD_LAG: u64 = 32 * 1024;

/// How long one is waited for, and how often it is looked.
const GOOD_MOMENT_MAX: Duration = Duration::from_secs(1);
const LOOK_EVERY_MOMENT: Duration = Duration::from_millis(2);

/// How long sessions may take to say what they hold.
const SURVEY_MAX: Duration = Duration::from_secs(10);

/// Clients that are named.
const UNMOVABLE_MAX: usize = 50;

/// What was found, and is needed later.
#[derive(Debug, Default)]
pub struct Found {
    /// Superusers that must be kept out by name.
    pub superusers: Vec<String>,
    /// Clients of the proxies that would be ended, and why.
    pub unmovable: Vec<String>,
}

/// Looks at everything but the lag, and what a mirror has fed where there is no stream.
///
/// # Errors
/// Something stands against it.
pub async fn look(
    config: &Config,
    (current, from, to): (Option<&Leg>, &Session, &Session),
    proxies: &mut Proxies,
) -> Result<Found, CutoverError> {
    let side = config.to.other();
    if let Some(current) = current {
        check_stream(current).await?;
        carried::check(config, current).await?;
    }
    fence::check_rights(from, side).await?;
    check_prepared(from, side).await?;
    check_subscriptions(from, side).await?;
    if config.reverse {
        check_way_back(&Leg::back(config), to).await?;
        check_may_apply(from, side, config.address(side).user()).await?;
    }
    check_servers(config, from, to).await?;
    let via = (from, side);
    proxies.find(via).await?;
    check_members(proxies, to, config.to).await?;
    let clients = match until_open(proxies, via).await {
        Ok(statuses) => {
            for (name, status) in &statuses {
                check_proxy((name, status), side)?;
            }
            proxies.survey(SURVEY_MAX, via).await?
        }
        Err(error) if is_nobody(&error) => {
            return Err(CutoverError::not_ready(
                "no proxy runs in this work directory, and none of another machine takes part"
                    .to_owned(),
                "start pgflit proxy with the same --dir, or name its socket with --socket; to move \
                 the application by other means, say --no-proxy",
            ));
        }
        Err(CutoverError::Member { name, source }) => {
            return Err(CutoverError::not_ready(
                format!("the proxy {name} does not answer: {source}"),
                "see its log; end it if it hangs",
            ));
        }
        Err(error) => return Err(error),
    };
    shadow::check(config, proxies, via).await?;
    check_place(from, side, &clients).await?;
    let superusers = check_roles(config, (from, to), &clients).await?;
    let unmovable = unmovable(&clients);
    for one in &unmovable {
        tracing::warn!("cannot be moved, will be ended, and connect anew: {one}");
    }
    Ok(Found {
        superusers,
        unmovable,
    })
}

/// Who would be ended, and why.
fn unmovable(clients: &[Client]) -> Vec<String> {
    let to_move = || clients.iter().filter(|client| client.is_to_move);
    let cannot = || to_move().filter(|client| !client.can_move);
    let named = cannot().take(UNMOVABLE_MAX).map(|client| {
        let name = match client.application_name.as_str() {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let why = match client.holds.as_deref() {
            None | Some([]) => "its login is not the proxy's, or it replicates".to_owned(),
            Some(holds) => format!("it holds {}", holds.join(", ")),
        };
        let (id, user, address) = (client.id, &client.user, &client.address);
        format!("client {id}, {user} from {address}{name}: {why}")
    });
    let more = cannot().count().saturating_sub(UNMOVABLE_MAX);
    let more = (more > 0).then(|| format!("{more} more clients"));
    let silent = to_move().filter(|client| client.can_move && client.holds.is_none());
    let silent = match silent.count() {
        0 => None,
        count => Some(format!(
            "perhaps {count} clients that could not be asked in time what they hold: they are in a \
             transaction, or too many"
        )),
    };
    named.chain(more).chain(silent).collect()
}

async fn check_stream(current: &Leg) -> Result<(), CutoverError> {
    let run = current.run()?;
    let store = current.store()?;
    if run.finished {
        return Err(CutoverError::not_ready(
            format!("the stream in {} has ended", current.root().display()),
            match current.from {
                Side::Source => {
                    "changes made since are on one side only: begin anew with pgflit clone --follow \
                     --restart"
                }
                Side::Target => NO_WAY_BACK,
            },
        ));
    }
    if !store.copy_allows_apply()? || base_copy::lacks_definitions(&store)? {
        return Err(CutoverError::not_ready(
            "the base copy is not complete",
            "wait until pgflit clone --follow has copied everything; see pgflit list progress",
        ));
    }
    if !store.sentinel()?.apply {
        return Err(CutoverError::not_ready(
            "changes are captured and not applied",
            "let them be applied with pgflit sentinel set apply",
        ));
    }
    if store.sentinel()?.endpos().is_some() {
        return Err(CutoverError::not_ready(
            "an endpos is set: the stream would end before traffic is moved",
            "take it back with pgflit sentinel set endpos 0/0",
        ));
    }
    match current.is_running() {
        true => Ok(()),
        // One that an attempt has just started takes a moment; a copy it has not.
        false if store.step_is_begun(FOLLOWING_STEP)? || store.step_is_begun(CATALOG_STEP)? => {
            Err(CutoverError::not_ready(
                format!("nobody streams in {}", current.root().display()),
                format!("go on with it: {}", current.resume_hint()),
            ))
        }
        false => current.until_running().await,
    }
}

/// What `pgflit check` would say of the server that traffic goes to, as far as it matters by now.
async fn check_servers(config: &Config, from: &Session, to: &Session) -> Result<(), CutoverError> {
    let is_fenced = fence::is_up(to, config.to).await?;
    let end = |side, session| End { side, session };
    let ends = (end(config.to.other(), from), end(config.to, to));
    let segments = config.reverse.then(|| Leg::back(config).work_dir.cdc);
    let found = check::look_before_traffic(ends, is_fenced, segments.as_deref()).await?;
    for one in found {
        let hint = one.hint.unwrap_or_default();
        match one.verdict {
            Verdict::Pass => {}
            Verdict::Warn => tracing::warn!("{}: {}: {hint}", one.id, one.text),
            Verdict::Fail => return Err(CutoverError::not_ready(one.text, hint)),
        }
    }
    Ok(())
}

async fn check_prepared(from: &Session, side: Side) -> Result<(), CutoverError> {
    let sql = "SELECT coalesce(string_agg(gid, ', '), '') FROM pg_catalog.pg_prepared_xacts
                WHERE database = pg_catalog.current_database()";
    let row = from.query_one(sql, &[]).await;
    let row = row.map_err(on(side, "looking for prepared transactions"))?;
    match row.get::<_, String>(0).as_str() {
        "" => Ok(()),
        gids => Err(CutoverError::not_ready(
            format!("prepared transactions are open on the {side}: {gids}"),
            "end them with COMMIT PREPARED or ROLLBACK PREPARED",
        )),
    }
}

/// What a subscription brings is fenced by nobody.
async fn check_subscriptions(from: &Session, side: Side) -> Result<(), CutoverError> {
    let sql = "SELECT coalesce(string_agg(subname, ', '), '') FROM pg_catalog.pg_subscription
                WHERE subenabled AND subdbid = (SELECT oid FROM pg_catalog.pg_database
                                                 WHERE datname = pg_catalog.current_database())";
    let row = from.query_one(sql, &[]).await;
    let row = row.map_err(on(side, "looking for subscriptions"))?;
    match row.get::<_, String>(0).as_str() {
        "" => Ok(()),
        names => Err(CutoverError::not_ready(
            format!("subscriptions write to the {side}: {names}"),
            "disable them (ALTER SUBSCRIPTION … DISABLE), and subscribe on the other side",
        )),
    }
}

/// How the proxies do, once none of them is paused, or waits for the end of an earlier attempt; or after a
/// while.
async fn until_open(
    proxies: &Proxies,
    via: Via<'_>,
) -> Result<Vec<(String, Status)>, CutoverError> {
    let deadline = Instant::now() + OPEN_MAX;
    loop {
        let statuses = proxies.statuses(via).await?;
        let is_paused = statuses.iter().any(|(_, status)| status.paused);
        if !is_paused || Instant::now() >= deadline {
            return Ok(statuses);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Proxies of other machines must be of this version, and hear the server that decides, too.
async fn check_members(proxies: &Proxies, to: &Session, side: Side) -> Result<(), CutoverError> {
    let there = tables::members(to).await;
    let there = there.map_err(on(side, "looking for proxies of other machines"))?;
    if let Some(member) = there
        .iter()
        .find(|one| one.is_there() && !proxies.knows(one.id))
    {
        return Err(CutoverError::not_ready(
            format!(
                "the proxy {} has no session on the {}",
                member.name,
                side.other()
            ),
            "its log says why; end it if its clients are served by others",
        ));
    }
    for member in proxies.members() {
        let own = env!("CARGO_PKG_VERSION");
        if member.version != own {
            return Err(CutoverError::not_ready(
                format!(
                    "the proxy {} is of version {}, and this is {own}",
                    member.name, member.version
                ),
                "let all proxies be of the version that moves traffic",
            ));
        }
        if !member.is_own_role {
            return Err(CutoverError::not_ready(
                format!(
                    "the proxy {} has another role than pgflit here",
                    member.name
                ),
                "user in its [cutover] must be the role that pgflit cutover connects as: the fence lets in \
                 no other",
            ));
        }
        let is_same = |one: &&Member| one.id == member.id && one.is_there();
        if !there.iter().any(|one| is_same(&one)) {
            return Err(CutoverError::not_ready(
                format!("the proxy {} has no session on the {side}", member.name),
                "its log says why; see the target and [cutover] in its configuration",
            ));
        }
    }
    Ok(())
}

/// The server that traffic goes to must be able to send changes back.
async fn check_way_back(back: &Leg, to: &Session) -> Result<(), CutoverError> {
    let side = back.from;
    let sql = "SELECT pg_catalog.current_setting('wal_level'),
                      pg_catalog.current_setting('max_replication_slots')::bigint,
                      (SELECT count(*) FROM pg_catalog.pg_replication_slots)";
    let row = to.query_one(sql, &[]).await;
    let row = row.map_err(on(side, "looking whether changes can go back"))?;
    let (level, most, taken): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
    if level != "logical" {
        return Err(CutoverError::not_ready(
            format!("no changes can go back: wal_level of the {side} is {level}"),
            "set wal_level = logical there and restart it; or give up the way back with --no-reverse",
        ));
    }
    // One that was armed has its slot.
    match taken < most || back.is_open()? {
        true => Ok(()),
        false => Err(CutoverError::not_ready(
            format!("no changes can go back: all {most} replication slots of the {side} are taken"),
            "drop one that nobody uses, or raise max_replication_slots there and restart it; or give up \
             the way back with --no-reverse",
        )),
    }
}

/// What comes back is applied on the side that traffic leaves.
async fn check_may_apply(from: &Session, side: Side, user: &str) -> Result<(), CutoverError> {
    let may_apply = capture::may_apply(from).await;
    match may_apply.map_err(on(side, "looking whether changes can be applied"))? {
        true => Ok(()),
        false => Err(CutoverError::not_ready(
            format!(
                "no changes can go back: {user} may not set session_replication_role on the {side}"
            ),
            format!(
                "{}; or give up the way back with --no-reverse",
                capture::let_apply(user)
            ),
        )),
    }
}

/// The proxy must serve the side that traffic is to leave, and know the other one.
fn check_proxy((name, status): (&str, &Status), from: Side) -> Result<(), CutoverError> {
    let proxy = match name {
        "" => "the proxy".to_owned(),
        name => format!("the proxy {name}"),
    };
    if !status.silent.is_empty() {
        return Err(CutoverError::not_ready(
            format!("processes of {proxy} do not answer: {:?}", status.silent),
            "end those that hang, and try again",
        ));
    }
    if status.serves != from.as_str() {
        return Err(CutoverError::not_ready(
            format!("{proxy} serves the {} already", status.serves),
            "for the way back there is pgflit rollback; for the end pgflit finalize",
        ));
    }
    if status.movable.is_empty() {
        return Err(CutoverError::not_ready(
            format!("{proxy} knows no target of any database"),
            "name it: target in [[database]], or --target; then pgflit proxy reload",
        ));
    }
    if status.movable.len() > 1 {
        return Err(CutoverError::not_ready(
            format!(
                "{proxy} would move several databases at once: {}",
                status.movable.join(", ")
            ),
            "run a proxy for each migration, or take target away from what is not moved now",
        ));
    }
    match status.paused {
        false => Ok(()),
        true => Err(CutoverError::not_ready(
            format!("{proxy} is paused already"),
            "end that with pgflit proxy resume, or MAINTENANCE OFF in its console",
        )),
    }
}

/// The proxy's clients must be on the very database that the migration leaves.
async fn check_place(from: &Session, side: Side, clients: &[Client]) -> Result<(), CutoverError> {
    let pids = Spared::of(clients).pids;
    let sql = "SELECT count(*) FROM pg_catalog.unnest($1::int[]) AS pid
                WHERE EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = pid.pid
                                 AND a.datname = pg_catalog.current_database())";
    let row = from.query_one(sql, &[&pids]).await;
    let row = row.map_err(on(side, "looking for the proxy's sessions"))?;
    // Some may have gone meanwhile; if none is there, it is another server or database.
    match pids.is_empty() || row.get::<_, i64>(0) > 0 {
        true => Ok(()),
        false => Err(CutoverError::not_ready(
            format!("none of the proxy's clients is on the {side} of this migration"),
            "see that the proxy's source and target are those of the migration",
        )),
    }
}

/// Whether those who are connected can be on the other side, and be kept out of this one; the
/// superusers among them.
async fn check_roles(
    config: &Config,
    (from, to): (&Session, &Session),
    clients: &[Client],
) -> Result<Vec<String>, CutoverError> {
    let (from_side, to_side) = (config.to.other(), config.to);
    let spared = Spared::of(clients);
    let bypassers = fence::bypassers(from, from_side, &spared).await?;
    for one in &bypassers {
        tracing::warn!(
            "connected past the proxy, and to be ended: {}",
            one.describe()
        );
    }
    let mut roles: Vec<String> = clients.iter().map(|client| client.user.clone()).collect();
    roles.extend(bypassers.iter().map(|one| one.role.clone()));
    roles.sort();
    roles.dedup();
    let sql = "SELECT role, r.rolname IS NOT NULL,
                      coalesce(r.rolcanlogin, false)
                      AND pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CONNECT')
                 FROM pg_catalog.unnest($1::text[]) AS role
                 LEFT JOIN pg_catalog.pg_roles r ON r.rolname = role";
    let rows = to.query(sql, &[&roles]).await;
    for row in rows.map_err(on(to_side, "looking at roles"))? {
        let (role, is_there, may_connect): (String, bool, bool) =
            (row.get(0), row.get(1), row.get(2));
        let up_there = fence::is_up(to, to_side).await?;
        if !is_there || (!may_connect && !up_there) {
            return Err(CutoverError::not_ready(
                match is_there {
                    true => format!("role {role} may not connect to the {to_side}"),
                    false => format!("role {role} is connected, and is not on the {to_side}"),
                },
                "make it there (pgflit copy roles), or grant it CONNECT and LOGIN",
            ));
        }
    }
    if config.fence != FenceMode::Connections {
        return Ok(Vec::new());
    }
    let own: String = from
        .query_one("SELECT CURRENT_USER::text", &[])
        .await
        .map_err(on(from_side, "asking for the role"))?
        .get(0);
    if clients.iter().any(|client| client.user == own) {
        return Err(CutoverError::not_ready(
            format!(
                "the application connects to the {from_side} as {own}, as pgflit does: the fence cannot \
                 keep one out and let the other in"
            ),
            "let one of them connect as another role; or be content with a fence that sessions can undo: \
             --fence read-only",
        ));
    }
    fence::superusers(from, from_side, &roles).await
}

/// Waits until the stream is near: at most `max_lag` behind.
///
/// # Errors
/// It does not come near in a while.
pub async fn near((current, from): (&Leg, &Session), max_lag: u64) -> Result<(), CutoverError> {
    let store = current.store()?;
    let deadline = Instant::now() + NEAR_MAX;
    loop {
        let now = wal_position(from, current.from).await?;
        let lag = now.bytes_since(store.sentinel()?.replay_lsn);
        if lag <= max_lag {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(CutoverError::not_ready(
                format!(
                    "the stream is {} behind, more than {}",
                    ByteSize(lag),
                    ByteSize(max_lag)
                ),
                "wait until it has caught up, or allow more with --max-lag",
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits for a moment in which the stream is nearer than it must be, for a second at most: every byte that it
/// is behind is time that clients wait.
///
/// # Errors
/// A server refuses.
pub async fn good_moment(
    (current, from, to): (&Leg, &Session, &Session),
) -> Result<(), CutoverError> {
    let store = current.store()?;
    let origin = current.run()?.origin.unwrap_or_default();
    let deadline = Instant::now() + GOOD_MOMENT_MAX;
    loop {
        let now = wal_position(from, current.from).await?;
        let applied = capture::applied_until(to, &origin).await;
        let applied = applied.map_err(on(current.from.other(), "asking how far apply is"))?;
        let reached = store
            .sentinel()?
            .replay_lsn
            .max(applied.unwrap_or_default());
        if now.bytes_since(reached) <= GOOD_LAG || Instant::now() >= deadline {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY_MOMENT).await;
    }
}

/// Where the WAL of a side is now.
///
/// # Errors
/// The server refuses.
pub async fn wal_position(session: &Session, side: Side) -> Result<Lsn, CutoverError> {
    let sql = "SELECT pg_catalog.pg_current_wal_insert_lsn()::text";
    let row = session.query_one(sql, &[]).await;
    let text: String = row.map_err(on(side, "asking where the WAL is"))?.get(0);
    parse(&text, side)
}

/// A position that a server has said.
pub(super) fn parse(text: &str, side: Side) -> Result<Lsn, CutoverError> {
    text.parse().map_err(|_| CutoverError::Server {
        side,
        doing: "asking for a position",
        source: crate::pg::Error::Protocol(format!("\"{text}\" is no position in the WAL")),
    })
}
