//! What comes at endpos: is everything there that must be, then what no stream carries: large
//! objects and sequences.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::base::Side;
use crate::base::milestone::STAGE;
use crate::base::snapshot::Snapshot;
use crate::base::{Lsn, QualifiedName, Shutdown, failpoint};
use crate::catalog::discovery;
use crate::catalog::filters::{self, Filters, Strictness};
use crate::catalog::ledger::{self, Ledger};
use crate::catalog::restore_list::{self, PG_CLASS};
use crate::catalog::sizes::Sizes;
use crate::cdc::receive::{Plugin, check_unsaid};
use crate::pg::{Address, Session};
use crate::store::{CATALOG_STEP, Capture, HANDED_OVER_STEP, Store, TableRow, WorkDir};

use super::base_copy::{self, Ends, set_sequences};
use super::begin::filters_of;
use super::capture;
use super::columns;
use super::error::{MigrationError, on_source, on_target, to_source, to_target};
use super::partitions::{self, Places};
use super::rewritten;
use super::take_over;

/// What to do about a table that was created on the source while following.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTables {
    /// End with an error that names it.
    Stop,
    /// Say so and leave it out.
    Warn,
}

/// PostgreSQL's sessions report their counts at most this much later; two looks that far apart
/// see what was counted before endpos.
const COUNTS_SETTLE: Duration = Duration::from_millis(1500);

/// Looks for what change capture could not carry, brings large objects and sequences to what the
/// source has now, and marks the run as finished.
///
/// # Errors
/// The target is not what the source was: endpos is before the position from which on the copied
/// tables are consistent with each other; a table of which only inserts are captured was updated
/// or deleted from; a table was created meanwhile; changes may have been read as another table's.
pub async fn finish(
    ends: Ends<'_>,
    store: &mut Store,
    endpos: Lsn,
    new_tables: NewTables,
    work_dir: &WorkDir,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    if store.step_is_begun(HANDED_OVER_STEP)? {
        // Traffic has been moved: what the source has now says nothing about the target any more.
        store.finish_run()?;
        tracing::info!(target: STAGE, "the target has reached endpos {endpos}, and traffic was moved there");
        return Ok(());
    }
    let (source, target, choices) = (ends.source, ends.target, ends.choices);
    let on_target_session = Session::connect(target, "finish")
        .await
        .map_err(to_target(target))?;
    let ledger = ledger::read(&on_target_session)
        .await
        .map_err(on_target("reading the ledger"))?;
    let convergence = ledger.convergence();
    if endpos < convergence {
        return Err(MigrationError::EndposTooEarly {
            endpos,
            begin: convergence,
        });
    }
    let sides = (target, &on_target_session);
    check_source(source, store, &[], |table| tell_new(new_tables, table)).await?;
    check_plugin(source, store, work_dir).await?;
    check_columns(source, sides, &ledger, store).await?;
    base_copy::compare_large_objects(source, sides, choices, shutdown).await?;
    failpoint::reach("large objects compared");
    // What pgflit has not made on the target it does not touch there.
    let has_copied = store.step_is_begun(CATALOG_STEP)?;
    if has_copied {
        base_copy::copy_extension_rows(ends, store).await?;
    }
    base_copy::refresh_again(source, target, choices, shutdown).await?;
    let sequences = set_sequences(source, &on_target_session, store).await?;
    if has_copied {
        base_copy::set_database_properties(ends).await?;
    }
    failpoint::reach("sequences set");
    store.finish_run()?;
    failpoint::reach("run finished");
    let conflicts = store.conflicts()?;
    if conflicts > 0 {
        tracing::warn!(
            "{conflicts} changes found the target otherwise than the source was; the log names each and what --on-conflict made of it"
        );
    }
    tracing::info!(target: STAGE, "the target has reached endpos {endpos}; {sequences} sequences set");
    Ok(())
}

/// What a stream was to carry.
pub(super) struct Carried<'a> {
    /// Where its changes come from, and where they go.
    pub(super) ends: (&'a Address, &'a Address),
    /// Its store, and the rest of its work directory.
    pub(super) store: &'a Store,
    pub(super) work_dir: &'a WorkDir,
    /// Whether there was a copy before it, of which the target's ledger tells.
    pub(super) has_copied: bool,
    /// Tables of which somebody has said that what is not captured may stay behind.
    pub(super) given_up: &'a [QualifiedName],
}

/// Looks for what change capture could not carry, as [`finish`] does, before traffic is moved to the
/// stream's target. A table that was created meanwhile may have been made there by somebody else.
///
/// # Errors
/// As [`finish`], and nothing is changed.
pub(super) async fn check_carried(carried: &Carried<'_>) -> Result<(), MigrationError> {
    let Carried {
        ends: (source, target),
        store,
        work_dir,
        ..
    } = *carried;
    let session = Session::connect(target, "cutover").await;
    let session = session.map_err(to_target(target))?;
    let there = discovery::table_names(&session).await;
    let there = there.map_err(on_target("looking at its tables"))?;
    let there: HashSet<_> = there.into_values().collect();
    let ledger = match carried.has_copied {
        true => ledger::read(&session).await,
        false => Ok(Ledger::default()),
    };
    let ledger = ledger.map_err(on_target("reading the ledger"))?;
    let decide_new = |table| {
        if !there.contains(&table) {
            return Err(MigrationError::NewTable { table });
        }
        tracing::warn!(
            "{table} was created meanwhile, on both sides: what is in it was not carried by pgflit"
        );
        Ok(())
    };
    check_source(source, store, carried.given_up, decide_new).await?;
    check_plugin(source, store, work_dir).await?;
    check_columns(source, (target, &session), &ledger, store).await
}

/// Whether a table of which only inserts are captured was updated or deleted from, by what sessions of
/// the source have reported by now.
///
/// # Errors
/// One was, or the source has lost count.
pub(super) async fn check_counted(
    source: &Session,
    store: &Store,
    given_up: &[QualifiedName],
) -> Result<(), MigrationError> {
    let known = store.tables()?;
    if !has_inserts_only(&known) {
        return Ok(());
    }
    let now = discovery::tables(source, Sizes::Estimated).await;
    let now = now.map_err(on_source("looking at its tables"))?;
    check_counts(&known, &now, given_up)
}

/// Whether updates and deletes of some of `tables` are not captured.
pub(super) fn has_inserts_only(tables: &[TableRow]) -> bool {
    let is_one = |table: &TableRow| table.capture == Capture::InsertsOnly;
    tables.iter().any(is_one)
}

fn tell_new(choice: NewTables, table: QualifiedName) -> Result<(), MigrationError> {
    if choice == NewTables::Stop {
        return Err(MigrationError::NewTable { table });
    }
    tracing::warn!("{table} was created on the source meanwhile: it is not on the target");
    Ok(())
}

/// What apply looks at when a change comes, for tables of which none came.
async fn check_columns(
    source: &Address,
    (target, on_target_session): (&Address, &Session),
    ledger: &Ledger,
    store: &Store,
) -> Result<(), MigrationError> {
    let session = Session::connect(source, "finish").await;
    let session = session.map_err(to_source(source))?;
    let known = store.tables()?;
    let places = Places::on(on_target_session, store).await?;
    let sides = (&session, on_target_session, target);
    columns::check(sides, &known, &places).await?;
    partitions::check(&session, on_target_session, store).await?;
    rewritten::check((&session, on_target_session), ledger, store, &places).await
}

async fn check_source(
    source: &Address,
    store: &Store,
    given_up: &[QualifiedName],
    decide_new: impl Fn(QualifiedName) -> Result<(), MigrationError>,
) -> Result<(), MigrationError> {
    let known = &store.tables()?;
    let failed = on_source("looking at its tables");
    let session = Session::connect(source, "finish").await.map_err(&failed)?;
    let left_out = left_out(&session, store).await?;
    let look = async || {
        let mut tables = discovery::tables(&session, Sizes::Estimated)
            .await
            .map_err(&failed)?;
        tables.retain(|table| !left_out(table.oid));
        Ok::<_, MigrationError>(tables)
    };
    let mut now = look().await?;
    if has_inserts_only(known) {
        tokio::time::sleep(COUNTS_SETTLE).await;
        now = look().await?;
    }
    for table in new_since(known, &now) {
        decide_new(table)?;
    }
    check_names(known, &now)?;
    check_publication(&session, store, &now).await?;
    check_counts(known, &now, given_up)
}

/// Receive looks too, and apply may have been at the end before it.
async fn check_plugin(
    source: &Address,
    store: &Store,
    work_dir: &WorkDir,
) -> Result<(), MigrationError> {
    let plugin = store.run()?.and_then(|run| run.plugin);
    match plugin.as_deref().and_then(Plugin::named) {
        None => Ok(()),
        Some(plugin) => {
            let checked = check_unsaid(source, &store.tables()?, plugin, &work_dir.cdc).await;
            checked.map_err(|error| MigrationError::Capture(Box::new(error)))
        }
    }
}

/// Which tables are nobody's business: those that were left out when the migration began, and
/// those that its filters leave out by now.
pub(super) async fn left_out(
    source: &Session,
    store: &Store,
) -> Result<impl Fn(u32) -> bool + use<>, MigrationError> {
    let filters = match store.run()? {
        Some(run) => filters_of(&run)?,
        None => Filters::default(),
    };
    let selection = filters::resolve(source, &filters, Strictness::GoOn).await?;
    let begun = restore_list::objects(&store.left_out()?);
    let empty = store.rows_left_out()?;
    let empty: HashSet<_> = empty.into_iter().map(|table| table.oid).collect();
    Ok(move |oid| {
        !selection.copies(oid) || begun.contains(&(PG_CLASS, oid)) || empty.contains(&oid)
    })
}

/// Whether what was published when the migration began still is: of a table that is not any more,
/// changes may be missing, and some servers pass a publication that is gone over in silence.
async fn check_publication(
    source: &Session,
    store: &Store,
    now: &[TableRow],
) -> Result<(), MigrationError> {
    let run = store.run()?.unwrap_or_default();
    let Some(publication) = run
        .publication
        .filter(|_| run.plugin.as_deref() == Some("pgoutput"))
    else {
        return Ok(());
    };
    let is_still_there = |known: &TableRow| now.iter().any(|table| table.oid == known.oid);
    let mut known = store.tables()?;
    known.retain(is_still_there);
    take_over::check_publication(source, &publication, &mut known).await?;
    check_publication_rows(source, &publication, run.slot_snapshot.as_deref(), &known).await
}

/// Whether a table was taken out of the publication and put into it again: its row there is then
/// younger than the slot.
async fn check_publication_rows(
    source: &Session,
    publication: &str,
    slot_snapshot: Option<&str>,
    known: &[TableRow],
) -> Result<(), MigrationError> {
    let Some(snapshot) = slot_snapshot.and_then(|text| text.parse::<Snapshot>().ok()) else {
        return Ok(());
    };
    let names = [
        publication.to_owned(),
        capture::inserts_publication(publication),
    ];
    let sql = "SELECT r.prrelid, r.xmin::text::bigint
                 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                WHERE p.pubname = ANY ($1)";
    let rows = source.query(sql, &[&&names[..]]).await;
    let rows = rows.map_err(on_source("looking at its publications"))?;
    let is_younger =
        |xid: i64| u32::try_from(xid).is_ok_and(|xid| !snapshot.sees(snapshot.widen(xid)));
    let younger: HashSet<u32> = rows
        .iter()
        .filter(|row| is_younger(row.get(1)))
        .map(|row| row.get(0))
        .collect();
    match known.iter().find(|table| younger.contains(&table.oid)) {
        None => Ok(()),
        Some(table) => Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: format!(
                "{} was put into publication \"{publication}\" after the migration began: changes from before are missing",
                table.name
            ),
            hint: "somebody had taken it out: begin anew with pgflit clone --follow --restart"
                .to_owned(),
        }),
    }
}

/// Whether a table has taken the name of another one: changes carry the name of their table, so
/// they went to the other one's on the target. Any other new name stops apply by itself.
fn check_names(known: &[TableRow], now: &[TableRow]) -> Result<(), MigrationError> {
    let names: HashMap<_, _> = known.iter().map(|table| (&table.name, table.oid)).collect();
    let renamed = now.iter().find_map(|after| {
        names.get(&after.name).filter(|oid| **oid != after.oid)?;
        let before = known.iter().find(|table| table.oid == after.oid)?;
        Some((before.name.clone(), after.name.clone()))
    });
    match renamed {
        None => Ok(()),
        Some((from, to)) => Err(MigrationError::RenamedTable { from, to }),
    }
}

/// The tables that were not there when the migration began.
fn new_since(known: &[TableRow], now: &[TableRow]) -> Vec<QualifiedName> {
    now.iter()
        .filter(|table| !known.iter().any(|known| known.oid == table.oid))
        .map(|table| table.name.clone())
        .collect()
}

/// Whether a table of which only inserts are captured was updated or deleted from; those that were
/// `given_up` do not count.
fn check_counts(
    known: &[TableRow],
    now: &[TableRow],
    given_up: &[QualifiedName],
) -> Result<(), MigrationError> {
    let inserts_only = known
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly);
    for before in inserts_only {
        let Some(after) = now.iter().find(|table| table.oid == before.oid) else {
            continue;
        };
        if given_up.contains(&before.name) || given_up.contains(&after.name) {
            continue;
        }
        let table = after.name.clone();
        match after.uncaptured.checked_sub(before.uncaptured) {
            Some(0) => {}
            Some(changes) => return Err(MigrationError::Uncaptured { table, changes }),
            None => return Err(MigrationError::LostCount { table }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(oid: u32, capture: Capture, uncaptured: u64) -> TableRow {
        TableRow {
            oid,
            name: QualifiedName::new("public", format!("t{oid}")),
            columns: vec![],
            bytes: 0,
            estimated_rows: 0,
            capture,
            uncaptured,
        }
    }

    #[test]
    fn a_table_created_meanwhile_is_named() {
        let known = [table(1, Capture::Rows, 0)];
        let now = [table(1, Capture::Rows, 0), table(2, Capture::Rows, 0)];
        assert_eq!(
            new_since(&known, &now),
            [QualifiedName::new("public", "t2")]
        );
        assert!(new_since(&now, &known).is_empty());
    }

    #[test]
    fn a_table_that_took_the_name_of_another_is_noticed() {
        let named = |oid, name| TableRow {
            name: QualifiedName::new("public", name),
            ..table(oid, Capture::Rows, 0)
        };
        let known = [named(1, "t"), named(2, "t_new")];
        assert!(check_names(&known, &known).is_ok());
        let swapped = [named(1, "t_old"), named(2, "t")];
        assert!(matches!(
            check_names(&known, &swapped),
            Err(MigrationError::RenamedTable { .. })
        ));
        // The target has no such table: apply stops at the first change of it.
        assert!(check_names(&known, &[named(1, "t_old"), named(2, "t_new")]).is_ok());
    }

    #[test]
    fn changes_that_were_not_captured_are_noticed_and_so_is_a_lost_count() {
        let check = |before, after| {
            let of = |uncaptured| [table(1, Capture::InsertsOnly, uncaptured)];
            check_counts(&of(before), &of(after), &[])
        };
        assert!(check(5, 5).is_ok());
        assert!(matches!(
            check(5, 8),
            Err(MigrationError::Uncaptured { changes: 3, .. })
        ));
        assert!(matches!(check(5, 0), Err(MigrationError::LostCount { .. })));
        let captured = |uncaptured| [table(1, Capture::Rows, uncaptured)];
        assert!(check_counts(&captured(5), &captured(8), &[]).is_ok());
        let given_up = [QualifiedName::new("public", "t1")];
        let of = |uncaptured| [table(1, Capture::InsertsOnly, uncaptured)];
        assert!(check_counts(&of(5), &of(8), &given_up).is_ok());
    }
}
