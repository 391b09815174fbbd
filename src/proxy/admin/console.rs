//! One conversation, by the simple or the extended protocol.
//!
//! Of the extended protocol there is what drivers need to send a command without parameters. A limit
//! on the rows of an Execute has no effect: answers are short.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};

use super::answer::{self, Cell, Column, Formats};
use super::command::{self, Command};
use super::login::Rights;
use super::perform::{Done, begin, everywhere, perform};
use super::show::{Rows, Show};
use super::tasks::BEGUN;
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::control::{Facts, Request};
use crate::proxy::notice::{self, Refusal};
use crate::proxy::stop::Stop;
use crate::proxy::survey::{LOOK_MAX, LOOKED_EVERY, survey};
use crate::wire::WireError;
use crate::wire::frame::HEADER_BYTES;

/// The longest message of a client: a hundred times the longest command.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// An answer goes out in pieces of about this size. That, and a row, is what it takes in memory.
pub const FLUSH_BYTES: usize = 32 * 1024;

/// How long a client may take to read a piece, before it is left.
const READ_MAX: Duration = Duration::from_secs(30);

/// Prepared statements, and portals, that a client may have at a time.
const NAMES_MAX: usize = 100;

const ONE: [Column; 1] = [answer::int4("?column?")];

/// What a client has asked for and may ask for again.
#[derive(Debug, Clone)]
struct Portal {
    command: Option<Command>,
    formats: Formats,
}

/// A conversation that has begun.
struct Console<'a> {
    channel: &'a mut Channel,
    facts: Arc<Facts>,
    rights: Rights,
    out: Vec<u8>,
    is_in_transaction: bool,
    /// Behind an error in the extended protocol nothing counts up to the next Sync.
    skips: bool,
    statements: HashMap<Bytes, Option<Command>>,
    portals: HashMap<Bytes, Portal>,
    /// Ends a pause that nobody would know of if what is in `out` were lost.
    undo: Option<Request>,
}

/// Why a conversation ends.
enum End {
    /// The client has gone, or does not read.
    Gone,
    /// It is to be told first.
    Refused(Refusal),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        End::Refused(refusal)
    }
}

/// Talks with a client that has logged in, until it goes. What it is told last; nothing if it left.
pub async fn converse(
    channel: &mut Channel,
    facts: &Arc<Facts>,
    rights: Rights,
) -> Option<Refusal> {
    let mut console = Console {
        channel,
        facts: Arc::clone(facts),
        rights,
        out: Vec::new(),
        is_in_transaction: false,
        skips: false,
        statements: HashMap::new(),
        portals: HashMap::new(),
        undo: None,
    };
    let ended = loop {
        match console.next().await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(End::Gone) => break None,
            Err(End::Refused(refusal)) => break Some(refusal),
        }
    };
    if let Some(undo) = console.undo.take() {
        // Whoever asked for the pause has gone, and does not know that it came about.
        let _ = everywhere(facts, undo).await;
    }
    ended
}

impl Console<'_> {
    /// Takes one message; false at the end.
    async fn next(&mut self) -> Result<bool, End> {
        let stop = {
            let facts = Arc::clone(&self.facts);
            async move { facts.stop.wait(|stop| stop == Stop::Now).await }
        };
        let header = tokio::select! {
            header = self.channel.next_header(MESSAGE_BYTES_MAX) => header,
            () = stop => {
                let words = "terminating connection because the proxy shuts down";
                return Err(Refusal::new("57P01", words).into());
            }
        };
        let header = match header {
            Ok(header) => header,
            Err(ChannelError::Closed(_)) => return Err(End::Gone),
            Err(ChannelError::TooLong { .. }) => {
                let message = format!("the console takes messages of {MESSAGE_BYTES_MAX} bytes");
                return Err(Refusal::new("54000", message).into());
            }
            Err(ChannelError::Wire(error)) => return Err(Refusal::protocol(error).into()),
        };
        let mut message = self.channel.take(header);
        message.advance(HEADER_BYTES.min(message.len()));
        match header.tag {
            b'X' => return Ok(false),
            b'Q' => {
                self.skips = false;
                self.simple(message).await?;
                self.ready().await?;
            }
            b'S' => {
                self.skips = false;
                self.portals.clear();
                self.ready().await?;
            }
            b'H' => self.flush().await?,
            b'P' | b'B' | b'D' | b'E' | b'C' if self.skips => {}
            b'P' | b'B' | b'D' | b'E' | b'C' => {
                if let Err(refusal) = self.extended(header.tag, message).await? {
                    self.out.extend_from_slice(&notice::error(&refusal));
                    self.skips = true;
                }
            }
            // Of a COPY, or a function call: there are none.
            b'd' | b'c' | b'f' => {}
            tag => return Err(Refusal::protocol(WireError::Unexpected(tag)).into()),
        }
        if self.out.len() > FLUSH_BYTES {
            self.flush().await?;
        }
        Ok(true)
    }

    /// A Query: one or several commands, up to the first that fails.
    async fn simple(&mut self, mut message: Bytes) -> Result<(), End> {
        let commands = match cstr(&mut message).and_then(|text| command::parse(&as_text(&text)?)) {
            Ok(commands) => commands,
            Err(refusal) => {
                self.out.extend_from_slice(&notice::error(&refusal));
                return Ok(());
            }
        };
        if commands.is_empty() {
            answer::bare(&mut self.out, b'I');
        }
        for command in commands {
            let command = command.meant(self.is_in_transaction);
            if let Some(columns) = columns(&command) {
                answer::row_description(&mut self.out, columns, &Formats::Text);
            }
            if let Err(refusal) = self.run(command, &Formats::Text).await? {
                self.out.extend_from_slice(&notice::error(&refusal));
                break;
            }
        }
        Ok(())
    }

    /// A message of the extended protocol. The inner error is the client's.
    async fn extended(&mut self, tag: u8, mut message: Bytes) -> Result<Result<(), Refusal>, End> {
        if tag == b'E' {
            let portal = match cstr(&mut message) {
                Ok(name) => self.portals.get(&name).cloned(),
                Err(refusal) => return Ok(Err(refusal)),
            };
            return match portal {
                Some(Portal {
                    command: Some(command),
                    formats,
                }) => self.run(command, &formats).await,
                Some(Portal { command: None, .. }) => {
                    answer::bare(&mut self.out, b'I');
                    Ok(Ok(()))
                }
                None => Ok(Err(Refusal::new("34000", "there is no such portal"))),
            };
        }
        Ok(match tag {
            b'P' => self.parse(message),
            b'B' => self.bind(message),
            b'D' => self.describe(message),
            _ => self.close(message),
        })
    }

    fn parse(&mut self, mut message: Bytes) -> Result<(), Refusal> {
        let name = cstr(&mut message)?;
        let text = cstr(&mut message)?;
        let mut commands = command::parse(&as_text(&text)?)?;
        if commands.len() > 1 {
            let problem = "cannot insert multiple commands into a prepared statement";
            return Err(Refusal::new("42601", problem));
        }
        if self.statements.len() >= NAMES_MAX && !self.statements.contains_key(&name) {
            return Err(too_many());
        }
        self.statements.insert(name, commands.pop());
        answer::bare(&mut self.out, b'1');
        Ok(())
    }

    fn bind(&mut self, mut message: Bytes) -> Result<(), Refusal> {
        let name = cstr(&mut message)?;
        let statement = cstr(&mut message)?;
        let of_parameters = formats(&mut message)?;
        let parameters = number(&mut message)?;
        if parameters > 0 || matches!(of_parameters, Formats::Each(_)) {
            return Err(Refusal::new(
                "08P01",
                "commands of the console have no parameters",
            ));
        }
        let formats = formats(&mut message)?;
        let Some(command) = self.statements.get(&statement).cloned() else {
            return Err(Refusal::new("26000", "there is no such prepared statement"));
        };
        let command = command.map(|command| command.meant(self.is_in_transaction));
        if self.portals.len() >= NAMES_MAX && !self.portals.contains_key(&name) {
            return Err(too_many());
        }
        self.portals.insert(name, Portal { command, formats });
        answer::bare(&mut self.out, b'2');
        Ok(())
    }

    fn describe(&mut self, mut message: Bytes) -> Result<(), Refusal> {
        let portal = match named(&mut message)? {
            (b'S', name) => {
                let command = self.statements.get(&name).cloned();
                let command = command
                    .ok_or_else(|| Refusal::new("26000", "there is no such prepared statement"))?;
                answer::no_parameters(&mut self.out);
                let command = command.map(|command| command.meant(self.is_in_transaction));
                let formats = Formats::Text;
                Portal { command, formats }
            }
            (_, name) => {
                let portal = self.portals.get(&name).cloned();
                portal.ok_or_else(|| Refusal::new("34000", "there is no such portal"))?
            }
        };
        match portal.command.as_ref().and_then(columns) {
            Some(columns) => {
                answer::row_description(&mut self.out, columns, &portal.formats);
            }
            None => answer::bare(&mut self.out, b'n'),
        }
        Ok(())
    }

    fn close(&mut self, mut message: Bytes) -> Result<(), Refusal> {
        match named(&mut message)? {
            (b'S', name) => drop(self.statements.remove(&name)),
            (_, name) => drop(self.portals.remove(&name)),
        }
        answer::bare(&mut self.out, b'3');
        Ok(())
    }

    /// Runs a command, whose columns have been told. The inner error is the client's.
    async fn run(
        &mut self,
        command: Command,
        formats: &Formats,
    ) -> Result<Result<(), Refusal>, End> {
        if self.rights == Rights::ReadOnly && !command.is_reading() {
            let refusal = Refusal::new("42501", "this user may only look: SHOW and nothing else");
            return Ok(Err(refusal));
        }
        match command {
            Command::Show(show, database) => {
                // Who may only look does not make clients wait more often than a minute.
                let every = match (show, self.rights) {
                    (Show::Clients, _) => Some(LOOKED_EVERY),
                    (Show::Unmovable, Rights::ReadOnly) => Some(LOOKED_EVERY),
                    (Show::Unmovable, _) => Some(Duration::ZERO),
                    _ => None,
                };
                if let Some(every) = every {
                    survey(&self.facts.service, LOOK_MAX, every).await;
                }
                let rows = show.rows(&self.facts, database.as_deref());
                self.table(show, rows, formats).await?;
            }
            Command::Setting(name, value) => {
                let column = [answer::text(name)];
                answer::data_row(&mut self.out, &column, &[Cell::from(value)], formats);
                answer::command_complete(&mut self.out, "SHOW");
            }
            Command::SelectOne => {
                answer::data_row(&mut self.out, &ONE, &[Cell::from(1_u64)], formats);
                answer::command_complete(&mut self.out, "SELECT 1");
            }
            Command::Begin(what) => {
                let number = match begin(&self.facts, what) {
                    Ok(number) => number,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let row = [number.into(), what.words().into()];
                answer::data_row(&mut self.out, &BEGUN, &row, formats);
                answer::command_complete(&mut self.out, what.tag());
            }
            Command::Transaction { is_open, tag } => {
                self.is_in_transaction = is_open;
                answer::command_complete(&mut self.out, tag);
            }
            Command::Ignored(tag) => answer::command_complete(&mut self.out, tag),
            other => {
                let facts = Arc::clone(&self.facts);
                let done = tokio::select! {
                    done = perform(&facts, other) => done,
                    () = gone(self.channel) => return Err(End::Gone),
                };
                let Done { tag, undo } = match done {
                    Ok(done) => done,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                self.undo = undo.or(self.undo.take());
                answer::command_complete(&mut self.out, tag);
            }
        }
        Ok(Ok(()))
    }

    async fn table(&mut self, show: Show, rows: Rows, formats: &Formats) -> Result<(), End> {
        let columns = show.columns();
        for row in rows {
            answer::data_row(&mut self.out, columns, &row, formats);
            if self.out.len() > FLUSH_BYTES {
                self.flush().await?;
                // Others on this thread have a turn.
                tokio::task::yield_now().await;
            }
        }
        answer::command_complete(&mut self.out, "SHOW");
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), End> {
        answer::ready(&mut self.out, self.is_in_transaction);
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sent = self.channel.send(&self.out);
        let sent = tokio::time::timeout(READ_MAX, sent).await;
        self.out.clear();
        match sent {
            Ok(Ok(())) => {
                self.undo = None;
                Ok(())
            }
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// Returns once the client has closed. What it says meanwhile is read ahead, up to a bound. Cancel
/// safe.
async fn gone(channel: &mut Channel) {
    while channel.input.len() < MESSAGE_BYTES_MAX {
        if channel.read_more().await.is_err() {
            return;
        }
    }
    std::future::pending().await
}

/// The columns of what a command answers; none if it answers without rows.
fn columns(command: &Command) -> Option<&'static [Column]> {
    match command {
        Command::Show(show, _) => Some(show.columns()),
        Command::Setting(name, _) => setting_columns(name),
        Command::SelectOne => Some(&ONE),
        Command::Begin(_) => Some(&BEGUN),
        _ => None,
    }
}

/// The one column of a setting, which is named as the setting is.
fn setting_columns(name: &str) -> Option<&'static [Column]> {
    const SETTINGS: [[Column; 1]; 7] = [
        [answer::text("client_encoding")],
        [answer::text("server_encoding")],
        [answer::text("standard_conforming_strings")],
        [answer::text("DateStyle")],
        [answer::text("TimeZone")],
        [answer::text("transaction_isolation")],
        [answer::text("default_transaction_isolation")],
    ];
    const { &SETTINGS }
        .iter()
        .find(|[column]| column.name == name)
        .map(|columns| &columns[..])
}

fn too_many() -> Refusal {
    Refusal::new(
        "54000",
        format!("more than {NAMES_MAX} prepared statements or portals"),
    )
}

fn short() -> Refusal {
    Refusal::protocol("the message is too short")
}

fn as_text(bytes: &[u8]) -> Result<String, Refusal> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| Refusal::new("22021", "the text is not UTF-8"));
    text.map(str::to_owned)
}

/// Takes a text up to its zero byte.
fn cstr(message: &mut Bytes) -> Result<Bytes, Refusal> {
    let end = memchr::memchr(0, message).ok_or_else(short)?;
    let text = message.split_to(end);
    message.advance(1);
    Ok(text)
}

fn number(message: &mut Bytes) -> Result<u16, Refusal> {
    message.try_get_u16().map_err(|_| short())
}

/// Takes the formats of a Bind: none for text, one for all, or one each.
fn formats(message: &mut Bytes) -> Result<Formats, Refusal> {
    let count = number(message)?;
    let codes: Result<Vec<u16>, Refusal> = (0..count).map(|_| number(message)).collect();
    Ok(match codes?[..] {
        [] | [0] => Formats::Text,
        [_] => Formats::Binary,
        ref each => Formats::Each(each.iter().map(|code| *code != 0).collect()),
    })
}

/// Takes the kind and the name of a Describe or Close.
fn named(message: &mut Bytes) -> Result<(u8, Bytes), Refusal> {
    match message.try_get_u8() {
        Ok(kind @ (b'S' | b'P')) => Ok((kind, cstr(message)?)),
        Ok(_) | Err(_) => Err(short()),
    }
}
