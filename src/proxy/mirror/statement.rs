//! What kind of statement a text is, and which other texts are the same but for their values.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::token::{Token, Tokens};

/// Bytes of a shape that are kept for people; texts that differ only behind them are still told
/// apart.
const SHAPE_BYTES_MAX: usize = 400;

/// The kinds of the statements in a text, as a set: a text may have several statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// Reads and changes nothing.
    pub const READ: Kinds = Kinds(1);
    /// Begins or ends a transaction, or a part of one.
    pub const CONTROL: Kinds = Kinds(2);
    /// Changes what later statements of the session mean: SET, PREPARE, DISCARD.
    pub const STATE: Kinds = Kinds(4);
    /// Changes rows.
    pub const DML: Kinds = Kinds(8);
    /// Changes definitions.
    pub const DDL: Kinds = Kinds(16);
    /// Has another effect, or an unknown one: locks, notifications, CALL.
    pub const OTHER: Kinds = Kinds(32);
    /// Would let a read-only session write.
    pub const LETS_WRITE: Kinds = Kinds(64);
    /// Undoes what came before in its transaction.
    pub const ROLLBACK: Kinds = Kinds(128);

    /// Whether it has any of `others`.
    pub fn has(self, others: Kinds) -> bool {
        self.0 & others.0 != 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Whether everything in it may go to a server where nothing is to be changed.
    pub fn only_reads(self) -> bool {
        !self.has(Kinds::DML.and(Kinds::DDL).and(Kinds::OTHER)) && !self.has(Kinds::LETS_WRITE)
    }
}

/// A text, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its kinds.
    pub kinds: Kinds,
    /// The same for all texts that differ in literals, comments, case and white space alone.
    pub fingerprint: u64,
    /// The text without its values, in lower case, cut short.
    pub shape: String,
}

impl Statement {
    /// Reads `text`.
    pub fn of(text: &[u8]) -> Statement {
        let mut shape = Shape::default();
        Tokens::of(text).for_each(|token| shape.push(token));
        Statement {
            kinds: kinds(text),
            fingerprint: shape.hasher.finish(),
            shape: shape.text,
        }
    }
}

/// The kinds of `text` alone: what every transaction is asked for. All that it may be, where that
/// depends on how a server reads its strings.
pub fn kinds(text: &[u8]) -> Kinds {
    let of_reading = |tokens: Tokens<'_>| {
        let mut heads = Heads::default();
        let kinds = tokens.fold(Kinds::default(), |kinds, token| {
            kinds.and(heads.next(token))
        });
        kinds.and(heads.end())
    };
    Tokens::readings(text)
        .map(of_reading)
        .fold(of_values(text), Kinds::and)
}

/// What names and values anywhere in `bytes` give away: the name of a setting by which a session
/// that may only read becomes one that may write.
pub fn of_values(bytes: &[u8]) -> Kinds {
    match mentions(bytes, b"read_only") {
        true => Kinds::LETS_WRITE,
        false => Kinds::default(),
    }
}

/// Whether `bytes` have `name`, which has an underscore, anywhere and in any case.
pub fn mentions(bytes: &[u8], name: &[u8]) -> bool {
    let before = memchr::memchr(b'_', name).unwrap_or_default();
    memchr::memchr_iter(b'_', bytes).any(|at| {
        let begin = at.checked_sub(before);
        let found = begin.and_then(|begin| bytes.get(begin..begin + name.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// Functions whose call is not only a read. Of the rest a read-only session refuses those that
/// write rows; see the manual's "System Administration Functions".
const ACTING_FUNCTIONS: [&str; 25] = [
    "pg_advisory",
    "pg_try_advisory",
    "pg_notify",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_switch_wal",
    "pg_create_",
    "pg_drop_",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_wal_replay_",
    "pg_replication_",
    "pg_logical_",
    "dblink",
    "lo_",
    "pg_stat_reset",
    "pg_stat_statements_reset",
    "pg_copy_",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_backup_",
    "pg_log_",
    "pg_file_",
    "pg_sync_replication",
];

/// Finds the kinds of statements by their first words, and by those that give them away later.
#[derive(Debug, Default)]
struct Heads {
    /// Of the statement that is being read, in lower case: the words that decide.
    first: Option<Word>,
    second: Option<Word>,
    last: Option<Word>,
    /// COPY … TO STDOUT.
    is_copy_to_client: bool,
    found: Kinds,
}

/// No word that decides is as long.
const WORD_BYTES: usize = 32;

/// A word in lower case, cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    bytes: [u8; WORD_BYTES],
    length: usize,
}

impl Word {
    fn of(word: &[u8]) -> Word {
        let mut bytes = [0; WORD_BYTES];
        for (to, from) in bytes.iter_mut().zip(word) {
            *to = from.to_ascii_lowercase();
        }
        let length = word.len().min(bytes.len());
        Word { bytes, length }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Heads {
    fn next(&mut self, token: Token<'_>) -> Kinds {
        match token {
            Token::Semicolon => return self.end(),
            Token::Word(word) => {
                self.word(Word::of(word));
                self.names(word);
            }
            Token::Quoted(name) => {
                self.last = None;
                self.names(name.get(1..).unwrap_or_default());
                // U&"…" may name anything.
                if name.contains(&b'\\') {
                    self.found = self.found.and(Kinds::LETS_WRITE);
                }
            }
            Token::Literal | Token::Parameter(_) | Token::Symbol(_) => self.last = None,
        }
        Kinds::default()
    }

    /// A statement is over: its kinds.
    fn end(&mut self) -> Kinds {
        let Heads {
            first: Some(first),
            second,
            is_copy_to_client,
            found,
            ..
        } = std::mem::take(self)
        else {
            return Kinds::default();
        };
        let second = second.as_ref().map_or("", Word::as_str);
        found.and(match (first.as_str(), second) {
            (
                "select" | "values" | "table" | "show" | "fetch" | "move" | "close" | "declare",
                _,
            )
            | ("with" | "explain" | "execute", _) => Kinds::READ,
            ("prepare" | "commit" | "rollback", "transaction" | "prepared")
                if first.as_str() == "prepare" || second == "prepared" =>
            {
                Kinds::OTHER
            }
            ("rollback" | "abort", _) => Kinds::CONTROL.and(Kinds::ROLLBACK),
            ("begin" | "start" | "commit" | "end" | "savepoint" | "release", _)
            | ("set", "local" | "transaction" | "constraints") => Kinds::CONTROL,
            ("set" | "reset" | "discard" | "prepare" | "deallocate", _) => Kinds::STATE,
            ("copy", _) if is_copy_to_client => Kinds::READ,
            ("insert" | "update" | "delete" | "merge" | "copy" | "truncate", _) => Kinds::DML,
            (
                "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "refresh"
                | "reindex" | "security" | "import" | "reassign",
                _,
            ) => Kinds::DDL,
            _ => Kinds::OTHER,
        })
    }

    fn word(&mut self, word: Word) {
        match (self.first, self.second) {
            (None, _) => self.first = Some(word),
            (Some(_), None) => self.second = Some(word),
            _ => {}
        }
        let first = self.first.as_ref().map_or("", Word::as_str);
        let is_behind = |word: &str| self.last.as_ref().is_some_and(|last| last.as_str() == word);
        match word.as_str() {
            "insert" | "update" | "delete" | "merge" if matches!(first, "with" | "explain") => {
                self.found = self.found.and(Kinds::DML);
            }
            "uescape" => self.found = self.found.and(Kinds::LETS_WRITE),
            "write" if is_behind("read") => self.found = self.found.and(Kinds::LETS_WRITE),
            "stdout" if is_behind("to") => self.is_copy_to_client = first == "copy",
            _ => {}
        }
        self.last = Some(word);
    }

    /// A name anywhere in a statement.
    fn names(&mut self, name: &[u8]) {
        let word = Word::of(name);
        let mut functions = ACTING_FUNCTIONS.iter();
        if functions.any(|function| word.as_str().starts_with(function)) {
            self.found = self.found.and(Kinds::OTHER);
        }
    }
}

/// A text without its values.
struct Shape {
    text: String,
    hasher: <FixedState as BuildHasher>::Hasher,
    /// The last token was a value, and now a comma: another value is one more of a list.
    list: List,
    needs_space: bool,
    /// A semicolon is only of interest if something comes behind it.
    owes_semicolon: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Value,
    Comma,
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            text: String::new(),
            hasher: FixedState::with_seed(SEED).build_hasher(),
            list: List::None,
            needs_space: false,
            owes_semicolon: false,
        }
    }
}

/// Any number: fingerprints are compared within one process alone.
const SEED: u64 = 0x7067_666c_6974;

impl Shape {
    fn push(&mut self, token: Token<'_>) {
        // A list of values is one, however many they are: IN (1, 2, 3).
        let list = match (self.list, token) {
            (List::Comma, Token::Literal) => {
                self.list = List::Value;
                return;
            }
            (List::Value, Token::Symbol(b',')) => {
                self.list = List::Comma;
                return;
            }
            (before, Token::Literal) => {
                self.comma_of(before);
                List::Value
            }
            (before, _) => {
                self.comma_of(before);
                List::None
            }
        };
        self.list = list;
        if std::mem::replace(&mut self.owes_semicolon, token == Token::Semicolon)
            && token != Token::Semicolon
        {
            self.write(b";", false);
        }
        match token {
            Token::Word(word) => {
                let lower: Vec<u8> = word.iter().map(u8::to_ascii_lowercase).collect();
                self.write(&lower, true);
            }
            Token::Quoted(text) | Token::Parameter(text) => self.write(text, true),
            Token::Literal => self.write(b"?", true),
            Token::Semicolon => {}
            Token::Symbol(byte) => self.write(&[byte], false),
        }
    }

    /// A comma behind a value that was no part of a list of values.
    fn comma_of(&mut self, before: List) {
        if before == List::Comma {
            self.write(b",", false);
        }
    }

    fn write(&mut self, bytes: &[u8], is_word: bool) {
        self.hasher.write(bytes);
        self.hasher.write_u8(b' ');
        if self.text.len() >= SHAPE_BYTES_MAX {
            return;
        }
        if self.needs_space && (is_word || matches!(bytes, b"=" | b"(" | b"<" | b">" | b"*")) {
            self.text.push(' ');
        }
        self.text.extend(
            String::from_utf8_lossy(bytes)
                .chars()
                .map(|one| if one.is_control() { ' ' } else { one }),
        );
        self.needs_space =
            is_word || matches!(bytes, b"," | b")" | b";" | b"=" | b"<" | b">" | b"*");
        if self.text.len() >= SHAPE_BYTES_MAX {
            let mut ends = (0..=SHAPE_BYTES_MAX).rev();
            let end = ends.find(|end| self.text.is_char_boundary(*end));
            self.text.truncate(end.unwrap_or_default());
            self.text.push('…');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn statements_are_of_the_kind_of_their_first_words() {
        for (text, kinds) in [
            ("SELECT 1", Kinds::READ),
            (" (select 1) union all select 2", Kinds::READ),
            ("/* x */ With a AS (select 1) SELECT * FROM a", Kinds::READ),
            (
                "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
                Kinds::READ.and(Kinds::DML),
            ),
            (
                "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
                Kinds::READ.and(Kinds::DML),
            ),
            ("COPY t TO STDOUT (FORMAT binary)", Kinds::READ),
            ("COPY t TO '/tmp/x'", Kinds::DML),
            (
                "COPY (SELECT 1 AS to, stdout FROM t) TO PROGRAM 'x'",
                Kinds::DML,
            ),
            (
                "SET U&\"transaction_read\\005fonly\" = off",
                Kinds::STATE.and(Kinds::LETS_WRITE),
            ),
            ("COPY t FROM STDIN", Kinds::DML),
            ("BEGIN", Kinds::CONTROL),
            (
                "begin isolation level serializable, read  write",
                Kinds::CONTROL.and(Kinds::LETS_WRITE),
            ),
            ("SET LOCAL work_mem = '1MB'", Kinds::CONTROL),
            ("SET search_path TO a, b", Kinds::STATE),
            (
                "set transaction_READ_only = off",
                Kinds::STATE.and(Kinds::LETS_WRITE),
            ),
            (
                "SET \"default_transaction_read_only\" TO off",
                Kinds::STATE.and(Kinds::LETS_WRITE),
            ),
            (
                "SELECT set_config('Transaction_Read_Only', 'off', true)",
                Kinds::READ.and(Kinds::LETS_WRITE),
            ),
            ("PREPARE a AS SELECT 1", Kinds::STATE),
            ("PREPARE TRANSACTION 'x'", Kinds::OTHER),
            ("COMMIT PREPARED 'x'", Kinds::OTHER),
            ("ROLLBACK TO a", Kinds::CONTROL.and(Kinds::ROLLBACK)),
            (
                "insert into t values (1); COMMIT",
                Kinds::DML.and(Kinds::CONTROL),
            ),
            ("CREATE TABLE t ()", Kinds::DDL),
            ("SELECT pg_advisory_lock(1)", Kinds::READ.and(Kinds::OTHER)),
            (
                "SELECT pg_catalog.\"pg_notify\"('a', 'b')",
                Kinds::READ.and(Kinds::OTHER),
            ),
            ("CALL p()", Kinds::OTHER),
            ("LISTEN a", Kinds::OTHER),
            // As it is read with and without standard_conforming_strings.
            (
                r"SELECT 'a\'', 1; COMMIT; BEGIN READ WRITE; SELECT ''",
                Kinds::READ.and(Kinds::CONTROL).and(Kinds::LETS_WRITE),
            ),
            (r"SELECT a LIKE '%' ESCAPE '\' AND b = 'c'", Kinds::READ),
            ("", Kinds::default()),
            (";;", Kinds::default()),
        ] {
            assert_eq!(super::kinds(text.as_bytes()), kinds, "{text}");
            assert_eq!(Statement::of(text.as_bytes()).kinds, kinds, "{text}");
        }
    }

    #[test]
    fn texts_that_differ_in_values_alone_are_one() {
        let one = Statement::of(b"SELECT a, b FROM t WHERE id IN (1, 2,3) AND n = 'x' -- why\n\0");
        let two = Statement::of(b"select  a,b from T where id in (7) and n='it''s'");
        assert_eq!(one, two);
        assert_eq!(one.shape, "select a, b from t where id in (?) and n = ?");
        let other = Statement::of(b"select a, b from \"T\" where id in (7) and n = 'x'");
        assert_ne!(one.fingerprint, other.fingerprint);
        let several = Statement::of(b"; Select a;; select 1;");
        assert_eq!(several.shape, "; select a; select ?");
        assert_eq!(Statement::of(b"select 1;"), Statement::of(b"SELECT 2"));
        let mixed = Statement::of(b"VALUES (1, a, 2)");
        assert_eq!(mixed.shape, "values (?, a, ?)");
    }

    #[test]
    fn a_shape_holds_no_values_and_little_room() {
        let long = format!("SELECT {} 'secret'", "column_name, ".repeat(100));
        let one = Statement::of(long.as_bytes());
        assert!(one.shape.len() <= SHAPE_BYTES_MAX + 4 && one.shape.ends_with('…'));
        let two = Statement::of((long + ", x").as_bytes());
        assert!(one.shape == two.shape && one.fingerprint != two.fingerprint);
        assert!(
            !Statement::of(b"select $$secret$$, E'sec\\'ret'")
                .shape
                .contains("sec")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_shape(text: Vec<u8>) {
            let statement = Statement::of(&text);
            prop_assert_eq!(statement.kinds, kinds(&text));
        }
    }
}
