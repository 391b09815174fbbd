//! What a text asks for.
//!
//! Words in any case, separated by white space and comments; names of databases are taken as they
//! are typed, in double quotes where they hold anything unusual.

use std::time::Duration;

use super::show::Show;
use super::tasks::Move;
use crate::proxy::notice::Refusal;
use crate::proxy::stop::Stop;

/// How long a pause lasts at most unless said otherwise, as for `pgflit proxy pause`.
const PAUSE_DEFAULT: Duration = Duration::from_secs(30);

/// How long it may be told to last.
const PAUSE_MAX_MS: u64 = 3_600_000;

/// Words of one text: the longest command has seven.
const TOKENS_MAX: usize = 1000;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `SHOW …`, and of which database where it matters.
    Show(Show, Option<String>),
    /// `SHOW` of a setting that drivers ask every server for.
    Setting(&'static str, &'static str),
    /// `SELECT 1`: are you there?
    SelectOne,
    /// `PAUSE`.
    Pause {
        /// Which; none for all.
        database: Option<String>,
        /// How long at most.
        limit: Duration,
    },
    /// `RESUME`.
    Resume(Option<String>),
    /// `RELOAD`.
    Reload,
    /// `MAINTENANCE ON`, or `OFF`.
    Maintenance(bool),
    /// `KILL_CLIENT`.
    KillClient(u64),
    /// `SHUTDOWN`.
    Shutdown(Stop),
    /// A task begins.
    Begin(Move),
    /// `STOP_TASK`.
    StopTask(u64),
    /// `ROLLBACK` alone: of the transaction that is open, else of the cutover.
    Rollback,
    /// A transaction that drivers begin or end around commands: nothing happens.
    Transaction {
        /// Whether it is open from now on.
        is_open: bool,
        /// What is answered.
        tag: &'static str,
    },
    /// What drivers say about their sessions: nothing happens. What is answered.
    Ignored(&'static str),
}

impl Command {
    /// Whether it changes nothing, so that those who may only look may say it.
    pub fn is_reading(&self) -> bool {
        matches!(
            self,
            Command::Show(..)
                | Command::Setting(..)
                | Command::SelectOne
                | Command::Transaction { .. }
                | Command::Ignored(_)
        )
    }

    /// What it means to somebody who is, or is not, in a transaction.
    #[must_use]
    pub fn meant(self, is_in_transaction: bool) -> Command {
        match self {
            Command::Rollback if is_in_transaction => ended("ROLLBACK"),
            Command::Rollback => Command::Begin(Move::Rollback { rehearses: false }),
            other => other,
        }
    }
}

/// The commands of `text`, which may hold several, or none.
///
/// # Errors
/// What is no command: 42601.
pub fn parse(text: &str) -> Result<Vec<Command>, Refusal> {
    let tokens = tokens(text)?;
    let mut commands = Vec::new();
    for words in tokens.split(|token| *token == Token::Semicolon) {
        if !words.is_empty() {
            commands.push(command(words)?);
        }
    }
    Ok(commands)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// As typed, without quotes around it.
    Word(String),
    /// In double quotes.
    Quoted(String),
    /// Anything else: a text in quotes, a sign.
    Other,
    Semicolon,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(typed) if typed.eq_ignore_ascii_case(word))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            Token::Other | Token::Semicolon => None,
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new("42601", "this is no command of the console").hint("SHOW HELP lists the commands.")
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new("42601", message).hint("SHOW HELP lists the commands.")
}

fn command(words: &[Token]) -> Result<Command, Refusal> {
    let (first, rest) = words.split_first().ok_or_else(unknown)?;
    let Token::Word(first) = first else {
        return Err(unknown());
    };
    match (first.to_ascii_lowercase().as_str(), rest) {
        ("show", rest) => show(rest),
        ("select", [one]) if one.is("1") => Ok(Command::SelectOne),
        ("pause", rest) => pause(rest),
        ("resume", []) => Ok(Command::Resume(None)),
        ("resume", [name]) => Ok(Command::Resume(Some(database(name)?))),
        ("reload", []) => Ok(Command::Reload),
        ("maintenance", [word]) if word.is("on") => Ok(Command::Maintenance(true)),
        ("maintenance", [word]) if word.is("off") => Ok(Command::Maintenance(false)),
        ("maintenance", _) => Err(bad("MAINTENANCE takes ON or OFF")),
        ("kill_client", [Token::Word(id)]) => match id.parse() {
            Ok(id) => Ok(Command::KillClient(id)),
            Err(_) => Err(bad("KILL_CLIENT takes the id that SHOW CLIENTS shows")),
        },
        ("kill_client", _) => Err(bad("KILL_CLIENT takes the id that SHOW CLIENTS shows")),
        ("shutdown", []) => Ok(Command::Shutdown(Stop::Now)),
        ("shutdown", [word]) if word.is("wait_for_clients") => {
            Ok(Command::Shutdown(Stop::WhenClientsHaveGone))
        }
        ("shutdown", _) => Err(bad("SHUTDOWN takes WAIT_FOR_CLIENTS or nothing")),
        ("cutover", rest) => match is_dry_run(rest) {
            Some(rehearses) => Ok(Command::Begin(Move::Cutover { rehearses })),
            None => Err(bad("it is CUTOVER, or CUTOVER DRY RUN")),
        },
        ("rollback", []) => Ok(Command::Rollback),
        ("rollback", [word]) if ends_transaction(word) => Ok(ended("ROLLBACK")),
        ("rollback", rest) => match is_dry_run(rest) {
            Some(rehearses) => Ok(Command::Begin(Move::Rollback { rehearses })),
            None => Err(bad("it is ROLLBACK, or ROLLBACK DRY RUN")),
        },
        ("finalize", rest) => match rest {
            [] => Ok(finalize(false)),
            [lift, fence] if lift.is("lift") && fence.is("fence") => Ok(finalize(true)),
            _ => Err(bad("it is FINALIZE, or FINALIZE LIFT FENCE")),
        },
        ("stop_task", rest) => match rest {
            [Token::Word(number)] => number.parse().map(Command::StopTask).ok(),
            _ => None,
        }
        .ok_or_else(|| bad("STOP_TASK takes the number that SHOW TASKS shows")),
        ("begin", _) => Ok(Command::Transaction {
            is_open: true,
            tag: "BEGIN",
        }),
        ("start", [word, ..]) if word.is("transaction") => Ok(Command::Transaction {
            is_open: true,
            tag: "START TRANSACTION",
        }),
        ("commit" | "end", _) => Ok(ended("COMMIT")),
        ("abort", _) => Ok(ended("ROLLBACK")),
        ("set", [_, ..]) => Ok(Command::Ignored("SET")),
        ("reset", [_]) => Ok(Command::Ignored("RESET")),
        ("discard", [_]) => Ok(Command::Ignored("DISCARD")),
        ("deallocate", [_, ..]) => Ok(Command::Ignored("DEALLOCATE")),
        ("unlisten", [_]) => Ok(Command::Ignored("UNLISTEN")),
        _ => Err(unknown()),
    }
}

/// Whether a rehearsal is meant; none if these are other words.
fn is_dry_run(words: &[Token]) -> Option<bool> {
    match words {
        [] => Some(false),
        [dry, run] if dry.is("dry") && run.is("run") => Some(true),
        _ => None,
    }
}

fn finalize(lifts_fence: bool) -> Command {
    Command::Begin(Move::Finalize { lifts_fence })
}

fn ends_transaction(word: &Token) -> bool {
    word.is("transaction") || word.is("work")
}

fn ended(tag: &'static str) -> Command {
    let is_open = false;
    Command::Transaction { is_open, tag }
}

fn show(words: &[Token]) -> Result<Command, Refusal> {
    if let Some((name, value)) = setting(words) {
        return Ok(Command::Setting(name, value));
    }
    let found = Show::ALL.into_iter().find(|show| {
        let named: Vec<&str> = show.words().split(' ').collect();
        words.len() >= named.len() && named.iter().zip(words).all(|(name, word)| word.is(name))
    });
    let found = found.ok_or_else(unknown)?;
    match words.get(found.words().split(' ').count()..) {
        None | Some([]) => Ok(Command::Show(found, None)),
        Some([name]) if found.is_by_database() => Ok(Command::Show(found, Some(database(name)?))),
        Some(_) => Err(bad(format!("SHOW {} takes nothing more", found.words()))),
    }
}

/// What drivers ask every server for; true of this one as far as it can be.
fn setting(words: &[Token]) -> Option<(&'static str, &'static str)> {
    const SETTINGS: [(&str, &str, &str); 9] = [
        ("client_encoding", "client_encoding", "UTF8"),
        ("server_encoding", "server_encoding", "UTF8"),
        (
            "standard_conforming_strings",
            "standard_conforming_strings",
            "on",
        ),
        ("datestyle", "DateStyle", "ISO"),
        ("timezone", "TimeZone", "UTC"),
        ("time zone", "TimeZone", "UTC"),
        (
            "transaction isolation level",
            "transaction_isolation",
            "read committed",
        ),
        (
            "transaction_isolation",
            "transaction_isolation",
            "read committed",
        ),
        (
            "default_transaction_isolation",
            "default_transaction_isolation",
            "read committed",
        ),
    ];
    let found = SETTINGS.iter().find(|(asked, ..)| {
        let asked = asked.split(' ');
        asked.clone().count() == words.len() && asked.zip(words).all(|(one, word)| word.is(one))
    });
    found.map(|(_, name, value)| (*name, *value))
}

fn pause(words: &[Token]) -> Result<Command, Refusal> {
    let (name, limit) = match words {
        [] => (None, None),
        [word, limit] if word.is("timeout") => (None, Some(limit)),
        [name] if !name.is("timeout") => (Some(name), None),
        [name, word, limit] if word.is("timeout") => (Some(name), Some(limit)),
        _ => {
            return Err(bad(
                "it is PAUSE, or PAUSE database, and TIMEOUT milliseconds behind it",
            ));
        }
    };
    let milliseconds = |limit: &Token| match limit {
        Token::Word(digits) => digits.parse().ok(),
        _ => None,
    };
    let limit = match limit {
        None => PAUSE_DEFAULT,
        Some(limit) => match milliseconds(limit) {
            Some(ms @ 1..=PAUSE_MAX_MS) => Duration::from_millis(ms),
            _ => {
                let takes = format!("TIMEOUT takes milliseconds, 1 to {PAUSE_MAX_MS}");
                return Err(bad(takes));
            }
        },
    };
    let database = name.map(database).transpose()?;
    Ok(Command::Pause { database, limit })
}

fn database(token: &Token) -> Result<String, Refusal> {
    let name = token.name().map(str::to_owned);
    name.ok_or_else(|| bad("this is no name of a database; put it in double quotes"))
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '$' | '*')
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= TOKENS_MAX {
            return Err(unknown());
        }
        rest = if first.is_whitespace() {
            rest.trim_start()
        } else if let Some(comment) = rest.strip_prefix("--") {
            comment.find('\n').map_or("", |end| &comment[end..])
        } else if rest.starts_with("/*") {
            behind_comment(rest).ok_or_else(|| bad("the comment does not end"))?
        } else if let quote @ ('"' | '\'') = first {
            let (name, behind) =
                quoted(rest, quote).ok_or_else(|| bad("the quote does not end"))?;
            tokens.push(match quote {
                '"' => Token::Quoted(name),
                _ => Token::Other,
            });
            behind
        } else if is_of_word(first) {
            let end = rest.find(|other| !is_of_word(other)).unwrap_or(rest.len());
            let word = &rest[..end];
            // A comment may follow at once.
            let word = word.find("--").map_or(word, |at| &word[..at]);
            tokens.push(Token::Word(word.to_owned()));
            &rest[word.len()..]
        } else {
            tokens.push(match first {
                ';' => Token::Semicolon,
                _ => Token::Other,
            });
            &rest[first.len_utf8()..]
        };
    }
    Ok(tokens)
}

/// What is behind the comment that `text` begins with; they may stand in each other.
fn behind_comment(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        if let Some(inner) = rest.strip_prefix("/*") {
            depth += 1;
            rest = inner;
        } else if let Some(behind) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = behind;
            if depth == 0 {
                return Some(rest);
            }
        } else {
            let next = rest.chars().next()?;
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// What `text` begins with in quotes, and what is behind it. Two quotes inside stand for one.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest.find(quote)?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(behind) => {
                name.push(quote);
                rest = behind;
            }
            None => return Some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Command {
        let mut commands = parse(text).expect(text);
        assert_eq!(commands.len(), 1, "{text}");
        commands.remove(0)
    }

    fn pause(database: Option<&str>, ms: u64) -> Command {
        Command::Pause {
            database: database.map(str::to_owned),
            limit: Duration::from_millis(ms),
        }
    }

    #[test]
    fn commands_are_read_however_they_are_typed() {
        let shop = || Some("shop".to_owned());
        for (text, command) in [
            ("SHOW CLIENTS", Command::Show(Show::Clients, None)),
            ("  show\n\tclients ; ", Command::Show(Show::Clients, None)),
            (
                "/* a /* b */ c */ show -- x\n clients--y",
                Command::Show(Show::Clients, None),
            ),
            ("show stats", Command::Show(Show::Stats, None)),
            ("show stats shop", Command::Show(Show::Stats, shop())),
            (
                "show stats_totals \"shop\"",
                Command::Show(Show::StatsTotals, shop()),
            ),
            (
                "show sessions unmovable",
                Command::Show(Show::Unmovable, None),
            ),
            (
                "SHOW transaction isolation level",
                Command::Setting("transaction_isolation", "read committed"),
            ),
            ("PAUSE", pause(None, 30_000)),
            ("pause shop", pause(Some("shop"), 30_000)),
            ("pause timeout 5", pause(None, 5)),
            (
                "PAUSE \"my \"\"db\" TIMEOUT 3600000;",
                pause(Some("my \"db"), 3_600_000),
            ),
            ("pause my-db.1", pause(Some("my-db.1"), 30_000)),
            ("resume", Command::Resume(None)),
            ("resume shop", Command::Resume(shop())),
            ("Maintenance oN", Command::Maintenance(true)),
            ("kill_client 7", Command::KillClient(7)),
            ("shutdown", Command::Shutdown(Stop::Now)),
            (
                "shutdown wait_for_clients",
                Command::Shutdown(Stop::WhenClientsHaveGone),
            ),
            (
                "cutover",
                Command::Begin(Move::Cutover { rehearses: false }),
            ),
            (
                "Cutover dry RUN;",
                Command::Begin(Move::Cutover { rehearses: true }),
            ),
            (
                "rollback dry run",
                Command::Begin(Move::Rollback { rehearses: true }),
            ),
            ("finalize", finalize(false)),
            ("finalize lift fence", finalize(true)),
            ("stop_task 1", Command::StopTask(1)),
            ("rollback", Command::Rollback),
            ("rollback work", ended("ROLLBACK")),
            ("abort", ended("ROLLBACK")),
            ("SET extra_float_digits = 3", Command::Ignored("SET")),
            ("SET application_name = 'x;y'", Command::Ignored("SET")),
        ] {
            assert_eq!(one(text), command, "{text}");
        }
        for text in ["", " ;; ", "-- nothing", "/* nothing */;"] {
            assert_eq!(parse(text), Ok(Vec::new()), "{text}");
        }
        assert_eq!(parse("reload; show state;").expect("two").len(), 2);
    }

    #[test]
    fn a_rollback_of_a_transaction_moves_no_traffic() {
        assert_eq!(one("rollback").meant(true), ended("ROLLBACK"));
        let traffic = Command::Begin(Move::Rollback { rehearses: false });
        assert_eq!(one("rollback").meant(false), traffic);
        for text in ["rollback work", "abort", "commit"] {
            assert_eq!(one(text).meant(false), one(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for text in [
            "x",
            "show",
            "show x",
            "show clients x",
            "cutover now",
            "cutover dry",
            "rollback to savepoint a",
            "rollback cutover",
            "finalize fence",
            "stop_task",
            "stop_task x",
            "show sessions",
            "select 2",
            "select 'x'",
            "pause timeout",
            "pause a b",
            "pause timeout 0",
            "pause timeout 3600001",
            "pause timeout -5",
            "pause 'shop'",
            "kill_client",
            "kill_client x",
            "kill_client 1 2",
            "shutdown now",
            "maintenance",
            "maintenance of",
            "resume a b",
            "reload x",
            "\"show\" x",
            "show 'clients",
            "show \"clients",
            "show /* clients",
            "show clients, pools",
            "*",
        ] {
            let refusal = parse(text).expect_err(text);
            assert_eq!(refusal.sqlstate, "42601", "{text}");
            assert!(refusal.hint.is_some_and(|hint| hint.contains("SHOW HELP")));
        }
    }

    #[test]
    fn whoever_may_only_look_may_not_change_anything() {
        for text in [
            "show clients",
            "begin",
            "set x = 1",
            "select 1",
            "show timezone",
        ] {
            assert!(one(text).is_reading(), "{text}");
        }
        for text in [
            "pause",
            "resume",
            "reload",
            "maintenance off",
            "kill_client 1",
            "shutdown",
            "cutover",
        ] {
            assert!(!one(text).is_reading(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_texts_are_errors_and_not_panics(text in "\\PC*", signs in "[-/*\"';a1 ]{0,30}") {
            let _ = parse(&text);
            let _ = parse(&signs);
        }
    }
}
