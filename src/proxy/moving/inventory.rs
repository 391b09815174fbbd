//! What a session holds at the server that it leaves.

use std::fmt;

use bytes::BytesMut;

use super::custom_names::CustomNames;
use super::error::MoveError;
use super::parameters::{Parameters, REPORTED};
use super::pipeline::{self, Pipeline};
use super::question;
use super::told::Told;
use crate::proxy::channel::Channel;

/// How often a session is asked whose timeout, or a late cancel request, cuts the question short.
const ATTEMPTS: u32 = 20;

/// query_canceled.
const CANCELED: &str = "57014";

/// What [`take`] gives.
#[derive(Debug)]
pub struct Taken {
    /// What the session holds.
    pub inventory: Inventory,
    /// Messages of the old server for the client, whole and as they were: notifications, notices,
    /// parameters.
    pub messages: Vec<u8>,
}

/// What a session holds. Texts are in the client's encoding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// Settings made in the session, custom ones included; those that another depends on first.
    pub settings: Vec<Setting>,
    /// `session_user`.
    pub session_user: Vec<u8>,
    /// What SET ROLE chose; `none` if nothing.
    pub role: Vec<u8>,
    /// Prepared statements.
    pub statements: Vec<Statement>,
    /// Types of the statements' parameters whose OIDs may differ on the other server.
    pub types: Vec<CustomType>,
    /// Channels that are listened to.
    pub channels: Vec<Vec<u8>>,
    /// Advisory locks of the session, in order.
    pub locks: Vec<AdvisoryLock>,
    /// What the old server has told the client of its settings.
    pub parameters: Parameters,
    /// What cannot be moved. Empty if the session can be.
    pub obstacles: Vec<Obstacle>,
}

impl Inventory {
    /// Whether nobody else could notice that it is made twice.
    pub fn is_silent(&self) -> bool {
        self.locks.is_empty() && self.channels.is_empty() && self.obstacles.is_empty()
    }

    /// How much it is, in bytes of texts.
    pub fn bytes(&self) -> usize {
        let settings = self.settings.iter();
        let settings = settings.map(|one| one.name.len() + one.value.len());
        let statements = self.statements.iter();
        let statements =
            statements.map(|one| one.name.len() + one.text.len() + 4 * one.parameter_types.len());
        settings.chain(statements).sum()
    }
}

/// A setting made in the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// A prepared statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub name: Vec<u8>,
    /// What the client has said: of one made in SQL, the whole of the text that made it.
    pub text: Vec<u8>,
    /// Whether it was made by SQL's PREPARE, and not by the protocol.
    pub is_from_sql: bool,
    /// OIDs of its parameters' types, on the old server.
    pub parameter_types: Vec<u32>,
}

/// A type whose OID is not the same on every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomType {
    /// Its OID on the old server.
    pub oid: u32,
    /// Its name as SQL has it, with its schema and its quotes.
    pub name: Vec<u8>,
}

/// An advisory lock that the session holds until it lets it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvisoryLock {
    /// Whether others may hold it shared at the same time.
    pub is_shared: bool,
    /// Which.
    pub key: LockKey,
}

/// The key of an advisory lock; those of one number and of two are different locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockKey {
    /// `pg_advisory_lock(bigint)`.
    One(i64),
    /// `pg_advisory_lock(int, int)`.
    Two(i32, i32),
}

/// What keeps a session where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A cursor WITH HOLD, by its name.
    HeldCursor(String),
    /// A table, function or type in the temporary schema, as PostgreSQL describes it.
    Temporary(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::HeldCursor(name) => write!(f, "cursor {name}"),
            Obstacle::Temporary(what) => write!(f, "temporary {what}"),
        }
    }
}

/// Asks the server what the session holds, in one round trip. The connection must be idle: between
/// transactions, everything asked answered.
///
/// Not cancel safe: given up half way, the connection is of no more use.
///
/// # Errors
/// The session is as it was if [`MoveError::leaves_session_usable`] says so, and messages for the
/// client are then in front of `old.input`.
pub async fn take(old: &mut Channel, custom: &CustomNames) -> Result<Taken, MoveError> {
    let mut messages = Vec::new();
    let asked = ask(old, custom, &mut messages).await;
    match asked {
        Ok(inventory) => Ok(Taken {
            inventory,
            messages,
        }),
        Err(error) => {
            if error.leaves_session_usable() {
                messages.extend_from_slice(&old.input);
                old.input = BytesMut::from(&messages[..]);
            }
            Err(error)
        }
    }
}

async fn ask(
    old: &mut Channel,
    custom: &CustomNames,
    messages: &mut Vec<u8>,
) -> Result<Inventory, MoveError> {
    let mut names: Vec<&[u8]> = custom.names().iter().map(Vec::as_slice).collect();
    let mut attempt = 1;
    loop {
        let question = Question::new();
        let mut told = Told::default();
        let pipeline = question.pipeline(&names);
        let row = |about: &About, body: &[u8]| match about {
            About::Frame => Ok(()),
            About::Timeouts => told.timeout(body),
            About::Holdings => told.holding(body),
            About::Custom(at) => told.custom(names.get(*at).copied().unwrap_or_default(), body),
        };
        let outcome = pipeline.exchange(old, messages, row).await?;
        let Some((about, sqlstate)) = outcome.failure else {
            if outcome.is_in_transaction {
                return Err(MoveError::Odd("a transaction does not end"));
            }
            if outcome.is_too_large {
                let bytes_max = pipeline::BYTES_MAX;
                return Err(MoveError::TooLarge { bytes_max });
            }
            return told.inventory(&question.prefix);
        };
        question
            .clean_up(old, outcome.is_in_transaction, messages)
            .await?;
        match about {
            // No name in the client's encoding: bytes of something else, and nobody has set it.
            About::Custom(at) if at < names.len() => {
                names.swap_remove(at);
            }
            // A timeout shorter than the time it takes to turn it off, or a client's cancel request
            // that came late.
            _ if sqlstate == CANCELED => {}
            _ => return Err(MoveError::NotTold { sqlstate }),
        }
        if attempt == ATTEMPTS {
            return Err(MoveError::NotTold { sqlstate });
        }
        attempt += 1;
    }
}

/// What a step of the question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Nothing that is told.
    Frame,
    Timeouts,
    Holdings,
    /// The custom setting of this place among the names.
    Custom(usize),
}

/// One attempt to ask.
///
/// Its statements have names of their own that no client uses: an unnamed one would take the place
/// of the client's, which lasts beyond transactions.
struct Question {
    prefix: String,
}

impl Question {
    fn new() -> Self {
        Question {
            prefix: format!("pgflit moving {:016x} ", rand::random::<u64>()),
        }
    }

    /// The statements: name, text, number of parameters.
    fn statements(&self) -> [(Vec<u8>, Vec<u8>, usize); 6] {
        let mut number = 0;
        let mut statement = |sql: &[u8], parameters| {
            number += 1;
            let name = format!("{}{number}", self.prefix).into_bytes();
            (name, [question::MARK.as_bytes(), sql].concat(), parameters)
        };
        [
            statement(question::BEGIN, 0),
            statement(question::WITHOUT_TIMEOUTS, 0),
            statement(question::HOLDINGS, 0),
            statement(&question::reported(&REPORTED), 0),
            statement(question::SETTING, 1),
            statement(question::COMMIT, 0),
        ]
    }

    fn pipeline(&self, names: &[&[u8]]) -> Pipeline<About> {
        let statements = self.statements();
        let mut pipeline = Pipeline::new();
        let about = [
            About::Frame,
            About::Timeouts,
            About::Holdings,
            About::Holdings,
            About::Custom(0),
            About::Frame,
        ];
        for ((name, sql, parameters), about) in statements.iter().zip(about) {
            if names.is_empty() && about == About::Custom(0) {
                continue;
            }
            pipeline.parse(name, sql, &[pipeline::TEXT][..*parameters], About::Frame);
            match about {
                About::Custom(_) => {
                    for (at, custom) in names.iter().enumerate() {
                        pipeline.run(name, &[custom], About::Custom(at));
                    }
                }
                about => pipeline.run(name, &[], about),
            }
        }
        for (name, ..) in &statements {
            pipeline.close(name, About::Frame);
        }
        pipeline
    }

    /// Takes back what a question that failed may have left.
    async fn clean_up(
        &self,
        old: &mut Channel,
        is_in_transaction: bool,
        messages: &mut Vec<u8>,
    ) -> Result<(), MoveError> {
        let mut pipeline = Pipeline::new();
        let statements = self.statements();
        for (name, ..) in &statements {
            pipeline.close(name, ());
        }
        if is_in_transaction {
            let (name, ..) = &statements[0];
            let sql = [question::MARK.as_bytes(), question::COMMIT].concat();
            pipeline.parse(name, &sql, &[], ());
            pipeline.run(name, &[], ());
            pipeline.close(name, ());
        }
        let outcome = pipeline.exchange(old, messages, |(), _| Ok(())).await?;
        match outcome.failure.is_none() && !outcome.is_in_transaction {
            true => Ok(()),
            false => Err(MoveError::Odd("a transaction does not end")),
        }
    }
}
