//! The three output plugins behind one decoder.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use crate::base::ident::{quote_ident, quote_literal};
use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::Event;
use crate::pg::{self, Address, Connection};
use crate::store::{Capture, TableRow};

use super::error::ReceiveError;
use super::named::{Dialect, Named};
use super::pgoutput;
use super::source_tables::{Look, SourceTables};
use super::streaming::Streaming;
use super::wal2json::Told;
use super::{source, test_decoding, wal2json};

/// What turns WAL into messages on the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// PostgreSQL's own, binary, with publications.
    Pgoutput,
    /// PostgreSQL's contrib module, text.
    TestDecoding,
    /// The extension, JSON.
    Wal2json,
}

impl fmt::Display for Plugin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Plugin {
    /// The plugin of that name, as the server knows it.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Plugin::Pgoutput, Plugin::TestDecoding, Plugin::Wal2json];
        all.into_iter().find(|plugin| plugin.name() == name)
    }

    /// As the server knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Plugin::Pgoutput => "pgoutput",
            Plugin::TestDecoding => "test_decoding",
            Plugin::Wal2json => "wal2json",
        }
    }
}

/// Reads what the plugin sends.
#[derive(Debug)]
pub(super) enum Decoder {
    Pgoutput(pgoutput::Decoder, BegunAs),
    TestDecoding(Named),
    Wal2json(Named, wal2json::Specials),
}

/// The tables that are captured, by what they were called when the migration began.
#[derive(Debug)]
pub(super) struct BegunAs(HashMap<QualifiedName, u32>);

impl BegunAs {
    fn of(tables: &[TableRow]) -> Self {
        let captured = tables
            .iter()
            .filter(|table| table.capture != Capture::Nothing);
        Self(
            captured
                .map(|table| (table.name.clone(), table.oid))
                .collect(),
        )
    }

    /// Refuses a table that has taken the name of another: its changes would go there.
    fn check(&self, lsn: Lsn, event: &Event) -> Result<(), ReceiveError> {
        let Event::Relation(relation) = event else {
            return Ok(());
        };
        let name = QualifiedName::new(&relation.schema, &relation.table);
        match self.0.get(&name) {
            Some(oid) if *oid != relation.rel => Err(ReceiveError::Replaced { name, lsn }),
            _ => Ok(()),
        }
    }
}

impl Decoder {
    /// Appends what the message `body`, sent for the WAL at `lsn`, says, each event with the
    /// position that it stands at.
    pub(super) fn decode(
        &mut self,
        lsn: Lsn,
        body: &[u8],
        events: &mut Vec<(Lsn, Event)>,
    ) -> Result<(), ReceiveError> {
        let not_understood = |plugin: Plugin| {
            move |source| ReceiveError::NotUnderstood {
                plugin: plugin.name(),
                lsn,
                source,
            }
        };
        let (named, said) = match self {
            Decoder::Pgoutput(decoder, begun_as) => {
                if let Some(event) = decoder.decode(lsn, body)? {
                    begun_as.check(lsn, &event)?;
                    events.push((lsn, event));
                }
                return Ok(());
            }
            Decoder::TestDecoding(named) => {
                let said = test_decoding::parse(body);
                (named, said.map_err(not_understood(Plugin::TestDecoding))?)
            }
            Decoder::Wal2json(named, specials) => {
                let said = wal2json::parse(body, specials);
                (named, said.map_err(not_understood(Plugin::Wal2json))?)
            }
        };
        named.take(lsn, said, events)
    }

    /// As [`pgoutput::Decoder::stream_message`]; the others are asked for whole transactions.
    pub(super) fn stream_message(
        &self,
        body: &[u8],
    ) -> Result<Option<pgoutput::StreamMessage>, pgoutput::DecodeError> {
        match self {
            Decoder::Pgoutput(decoder, _) => decoder.stream_message(body),
            Decoder::TestDecoding(_) | Decoder::Wal2json(..) => Ok(None),
        }
    }

    /// As [`pgoutput::Decoder::subtransaction`].
    pub(super) fn subtransaction(
        &mut self,
        body: &[u8],
    ) -> Result<Option<u32>, pgoutput::DecodeError> {
        match self {
            Decoder::Pgoutput(decoder, _) => decoder.subtransaction(body),
            Decoder::TestDecoding(_) | Decoder::Wal2json(..) => Ok(None),
        }
    }

    /// As [`pgoutput::Decoder::decode_streamed`].
    pub(super) fn decode_streamed(
        &mut self,
        xid: u32,
        lsn: Lsn,
        piece: &[u8],
    ) -> Result<Option<Event>, ReceiveError> {
        match self {
            Decoder::Pgoutput(decoder, begun_as) => {
                let event = decoder.decode_streamed(xid, lsn, piece)?;
                event
                    .iter()
                    .try_for_each(|event| begun_as.check(lsn, event))?;
                Ok(event)
            }
            Decoder::TestDecoding(_) | Decoder::Wal2json(..) => Ok(None),
        }
    }

    /// Takes a notice that the plugin sent at `lsn` or after.
    pub(super) fn notice(&mut self, lsn: Lsn, text: &str) -> Result<(), ReceiveError> {
        let Decoder::Wal2json(named, specials) = self else {
            return Ok(());
        };
        if let Told::NoIdentity(operation, table) = specials.notice(text)
            && let Some(table) = named.tables().captured_as(&table)
        {
            return Err(ReceiveError::Uncaptured {
                table,
                operation,
                lsn,
            });
        }
        Ok(())
    }

    /// Looks at what the stream, read up to `lsn`, does not show.
    pub(super) fn look_at_source(&mut self, when: Look, lsn: Lsn) -> Result<(), ReceiveError> {
        match self {
            Decoder::TestDecoding(named) | Decoder::Wal2json(named, _) => {
                named.tables().look(when, lsn)
            }
            Decoder::Pgoutput(..) => Ok(()),
        }
    }
}

/// SQLSTATE invalid_parameter_value: what wal2json says to an option that it does not know.
const UNKNOWN_OPTION: &str = "22023";

/// What is to be streamed.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) slot: &'a str,
    /// pgoutput alone reads it.
    pub(super) publication: &'a str,
    /// Whether pgoutput is to send transactions that are in progress.
    pub(super) streaming: Streaming,
    /// Where to begin.
    pub(super) from: Lsn,
}

/// Makes the decoder of `plugin`, and starts the stream with what it wants.
pub(super) async fn start(
    connection: &mut Connection,
    plugin: Plugin,
    wanted: Wanted<'_>,
    (source, tables, folder): (&Address, &[TableRow], &Path),
) -> Result<Decoder, ReceiveError> {
    let Wanted {
        slot,
        publication,
        streaming,
        from,
    } = wanted;
    keep_bytes(connection).await?;
    let command = |options: &str| {
        let slot = quote_ident(slot);
        format!("START_REPLICATION SLOT {slot} LOGICAL {from} ({options})")
    };
    if plugin == Plugin::Pgoutput {
        let decoder = pgoutput::Decoder::new(source::identity_always(connection).await?);
        let options = source::pgoutput_options(connection, publication, tables, streaming).await?;
        source::start(connection, &command(&options)).await?;
        return Ok(Decoder::Pgoutput(decoder, BegunAs::of(tables)));
    }
    check_encoding(connection, plugin)?;
    let source_tables = read_tables(source, tables, plugin, folder).await?;
    if plugin == Plugin::TestDecoding {
        source::start(connection, &command(test_decoding::OPTIONS)).await?;
        let named = Named::new(Dialect::TestDecoding, source_tables);
        return Ok(Decoder::TestDecoding(named));
    }
    let left_out = source_tables.left_out_names();
    let mut options = wal2json::OPTIONS.to_owned();
    if !left_out.is_empty() {
        options.push_str(&format!(
            ", \"filter-tables\" {}",
            quote_literal(&left_out.join(","))
        ));
    }
    let with_strings = format!("{options}{}", wal2json::NUMBERS_AS_STRINGS);
    // Its warnings tell of changes that it does not send.
    connection
        .query("SET client_min_messages = warning")
        .await?;
    match source::start(connection, &command(&with_strings)).await {
        Err(ReceiveError::Source(error)) if error.sqlstate() == Some(UNKNOWN_OPTION) => {
            tracing::info!(
                "this version of wal2json writes NaN as null: it is taken from its notices"
            );
            connection.query("SET client_min_messages = debug1").await?;
            source::start(connection, &command(&options)).await?;
        }
        started => started?,
    }
    let named = Named::new(Dialect::Wal2json, source_tables);
    Ok(Decoder::Wal2json(named, wal2json::Specials::default()))
}

/// Whether all that `plugin` leaves unsaid of `tables` is what it was when the migration began, as
/// kept in `folder`: if so, every change that was received was read as what it is.
pub async fn check_unsaid(
    source: &Address,
    tables: &[TableRow],
    plugin: Plugin,
    folder: &Path,
) -> Result<(), ReceiveError> {
    match plugin {
        Plugin::Pgoutput => Ok(()),
        Plugin::TestDecoding | Plugin::Wal2json => {
            read_tables(source, tables, plugin, folder).await.map(drop)
        }
    }
}

/// On a thread of its own: the decoder reads the catalog again where no event loop runs.
async fn read_tables(
    source: &Address,
    tables: &[TableRow],
    plugin: Plugin,
    folder: &Path,
) -> Result<SourceTables, ReceiveError> {
    let (source, tables, folder) = (source.clone(), tables.to_vec(), folder.to_owned());
    let read = move || SourceTables::read(source, &tables, plugin, &folder);
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| ReceiveError::Thread(std::io::Error::other(error)))?
}

/// What a database says that has no encoding is passed on as it is, valid in ours or not.
async fn keep_bytes(connection: &mut Connection) -> Result<(), ReceiveError> {
    if connection.parameter("server_encoding") == Some("SQL_ASCII") {
        connection
            .query("SET client_encoding = 'SQL_ASCII'")
            .await?;
    }
    Ok(())
}

/// The text of these plugins comes as it is in the database, whatever encoding the client has.
fn check_encoding(connection: &Connection, plugin: Plugin) -> Result<(), ReceiveError> {
    let encoding = connection.parameter("server_encoding").unwrap_or_default();
    match encoding {
        "UTF8" | "SQL_ASCII" => Ok(()),
        "" => Err(pg::Error::Protocol("the source does not say its encoding".into()).into()),
        encoding => Err(ReceiveError::Encoding {
            plugin: plugin.name(),
            encoding: encoding.to_owned(),
        }),
    }
}
