//! What is asked of the source before the stream begins, and how it begins.

use std::time::{Duration, Instant};

use crate::base::Lsn;
use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{self, Connection};
use crate::store::{Capture, TableRow};

use super::error::ReceiveError;
use super::pgoutput::IdentityAlways;
use super::plugin::Plugin;
use super::streaming::Streaming;

/// SQLSTATE of a slot that another walsender is reading.
const IN_USE: &str = "55006";
/// How long that may last after its client has gone.
const IN_USE_MAX: Duration = Duration::from_secs(10);
/// How often a slot that is still in use is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// The position up to which the slot's client has confirmed, if the slot can be read.
pub(super) async fn check_slot(
    connection: &mut Connection,
    slot: &str,
    plugin: Plugin,
) -> Result<Lsn, ReceiveError> {
    let wal_status = match connection.server_version().major() {
        13.. => "wal_status",
        _ => "NULL::text",
    };
    let reason = match connection.server_version().major() {
        17.. => "invalidation_reason",
        _ => "NULL::text",
    };
    let sql = format!(
        "SELECT active::text, {wal_status}, confirmed_flush_lsn::text, {reason}, plugin::text
           FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
        quote_literal(slot)
    );
    let problem = |problem: &str, hint| ReceiveError::Slot {
        slot: slot.to_owned(),
        problem: problem.to_owned(),
        hint,
    };
    let results = connection.query(&sql).await?;
    let Some(row) = results.first().and_then(|result| result.rows.first()) else {
        return Err(problem(
            "it does not exist on the source",
            "it was dropped, and the changes since then are lost: begin anew with --restart",
        ));
    };
    let field = |at: usize| row.get(at).cloned().flatten();
    if let Some(other) = field(4).filter(|made_for| made_for != plugin.name()) {
        return Err(problem(
            &format!("it is for output plugin {other}, and this migration began with {plugin}"),
            "it was dropped, and somebody has made another: begin anew with --restart",
        ));
    }
    if field(1).as_deref() == Some("lost") {
        return Err(match field(3).as_deref() {
            Some("idle_timeout") => problem(
                "the source has invalidated it, because nobody read from it for so long",
                "raise idle_replication_slot_timeout and begin anew with --restart",
            ),
            Some("wal_level_insufficient") => problem(
                "the source has invalidated it, because it ran with another wal_level",
                "set wal_level = logical, restart the source and begin anew with --restart",
            ),
            Some("rows_removed") => problem(
                "the source has invalidated it, because it has removed rows of the catalog",
                "begin anew with --restart",
            ),
            _ => problem(
                "the source has removed WAL that it needed",
                "raise max_slot_wal_keep_size and begin anew with --restart",
            ),
        });
    }
    if field(0).as_deref() == Some("true") {
        // The server's own answer comes with START_REPLICATION; an earlier receive may still be
        // on its way out.
        tracing::debug!("slot {slot} is still in use");
    }
    // Taken for zero, it would let a slot pass that someone else has moved.
    let flushed = field(2).and_then(|lsn| lsn.parse().ok());
    flushed.ok_or_else(|| {
        pg::Error::Protocol(format!("slot {slot} does not say how far it is confirmed")).into()
    })
}

pub(super) async fn identity_always(
    connection: &mut Connection,
) -> Result<IdentityAlways, ReceiveError> {
    let sql = "SELECT attrelid::text, attname FROM pg_catalog.pg_attribute
                WHERE attidentity = 'a' AND NOT attisdropped";
    let results = connection.query(sql).await?;
    let rows = results.into_iter().flat_map(|result| result.rows);
    Ok(rows
        .filter_map(|mut row| {
            let name = row.pop()??;
            let oid = row.pop()??.parse().ok()?;
            Some((oid, name))
        })
        .collect())
}

/// The publications to read: the one named, and the one beside it for tables of which only
/// inserts can be captured, which must be there if there are such tables.
async fn publications(
    connection: &mut Connection,
    publication: &str,
    some_inserts_only: bool,
) -> Result<Vec<String>, ReceiveError> {
    let name = quote_literal(publication);
    let sql = format!(
        "SELECT pubname FROM pg_catalog.pg_publication
          WHERE pubname = {name} OR pubname = {name} || '_inserts' ORDER BY pubname"
    );
    let results = connection.query(&sql).await?;
    let rows = results.into_iter().flat_map(|result| result.rows);
    let names: Vec<_> = rows.filter_map(|mut row| row.pop()?).collect();
    let mut needed = vec![publication.to_owned()];
    if some_inserts_only {
        needed.push(format!("{publication}_inserts"));
    }
    match needed.into_iter().find(|name| !names.contains(name)) {
        None => Ok(names),
        Some(missing) => Err(ReceiveError::Publication(missing)),
    }
}

/// The options of `START_REPLICATION` for pgoutput: the publications that cover `tables`.
pub(super) async fn pgoutput_options(
    connection: &mut Connection,
    publication: &str,
    tables: &[TableRow],
    streaming: Streaming,
) -> Result<String, ReceiveError> {
    let options = options(connection.server_version().major(), streaming);
    let some_inserts_only = tables
        .iter()
        .any(|table| table.capture == Capture::InsertsOnly);
    let publications = publications(connection, publication, some_inserts_only).await?;
    // The option is a list of identifiers inside a string, in which replication commands know no
    // escape but the doubled quote.
    let list: Vec<_> = publications.iter().map(|name| quote_ident(name)).collect();
    Ok(format!(
        "{options}, publication_names '{}'",
        list.join(",").replace('\'', "''"),
    ))
}

/// Starts the stream by `command`.
pub(super) async fn start(connection: &mut Connection, command: &str) -> Result<(), ReceiveError> {
    let begun = Instant::now();
    loop {
        match connection.start_replication(command).await {
            // The walsender of a receive that has just ended may not have noticed yet.
            Err(error) if error.sqlstate() == Some(IN_USE) && begun.elapsed() < IN_USE_MAX => {
                tokio::time::sleep(ASK_AGAIN).await;
            }
            started => return Ok(started?),
        }
    }
}

/// What is asked of pgoutput, by the source's major version: the newest protocol it speaks, and
/// large transactions while they are in progress where it can send them.
///
/// Not `streaming 'parallel'`, which 16 and later offer: all it adds is the position and time of
/// an abort, for a subscriber that applies a transaction before it commits. Nothing asks for
/// two-phase commit either, and the slot is made without it, so a prepared transaction is sent when
/// it is committed, as any other; or, if it was streamed, aborted.
fn options(major: u32, streaming: Streaming) -> String {
    let version = match major {
        16.. => 4,
        15 => 3,
        14 => 2,
        _ => 1,
    };
    let messages = if version > 1 { ", messages 'true'" } else { "" };
    let streaming = match streaming {
        Streaming::InProgress if version > 1 => ", streaming 'on'",
        Streaming::InProgress | Streaming::Committed => "",
    };
    format!("proto_version '{version}'{messages}{streaming}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_asked_for_what_its_version_has() {
        for (major, asked) in [
            (13, "proto_version '1'"),
            (14, "proto_version '2', messages 'true', streaming 'on'"),
            (15, "proto_version '3', messages 'true', streaming 'on'"),
            (18, "proto_version '4', messages 'true', streaming 'on'"),
        ] {
            assert_eq!(options(major, Streaming::InProgress), asked);
        }
        let committed = options(17, Streaming::Committed);
        assert_eq!(committed, "proto_version '4', messages 'true'");
    }
}
