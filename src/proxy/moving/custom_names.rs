//! What the client says in passing that no server can be asked for afterwards.
//!
//! Not messages are read but their bytes: a word is looked for, and only behind it is anything
//! understood. What looks like a name and is none (in a value, in a comment, in an OFFSET) costs a
//! question more when the session moves; a name that is missed would cost the session its setting.

use super::names::{self, Found};
use super::words::{self, Word};

/// Bytes that are looked at behind a word. Names are short; the arguments of a function are not,
/// but it is the first of them that counts.
const AHEAD_MAX: usize = 4096;

/// Bytes before a word that tell what it is.
const BEHIND: usize = 8;

/// Names that are kept, and their bytes. Beyond that somebody makes them up.
const NAMES_MAX: usize = 1000;
const NAMES_BYTES_MAX: usize = 64 * 1024;

/// Names of custom settings that a client may have set, and hints of what else it may hold.
#[derive(Debug, Clone, Default)]
pub struct CustomNames {
    names: Vec<Vec<u8>>,
    names_bytes: usize,
    may_listen: bool,
    may_lock: bool,
    is_incomplete: bool,
    /// From a word on that was not all there, or whose meaning was not.
    pending: Vec<u8>,
    /// What came before `pending`, or before what comes next.
    behind: [u8; BEHIND],
}

impl CustomNames {
    /// Takes in what the client sends, cut anywhere. Takes no memory unless something is found, or
    /// the end of `bytes` may be the beginning of something.
    pub fn heard(&mut self, bytes: &[u8]) {
        if self.pending.is_empty() {
            let kept_from = self.look(bytes);
            self.keep(bytes, kept_from);
        } else {
            let mut window = std::mem::take(&mut self.pending);
            window.extend_from_slice(bytes);
            let kept_from = self.look(&window);
            self.keep(&window, kept_from);
        }
    }

    /// Takes in what `other` has heard.
    pub fn include(&mut self, other: &CustomNames) {
        for name in &other.names {
            self.add(name.clone());
        }
        self.may_listen |= other.may_listen;
        self.may_lock |= other.may_lock;
        self.is_incomplete |= other.is_incomplete;
    }

    /// The names of custom settings that may have been set.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Whether no custom setting has been heard of.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.is_incomplete
    }

    /// Whether the client may listen for notifications: the session is to be moved before others
    /// speak again.
    pub fn may_listen(&self) -> bool {
        self.may_listen
    }

    /// Whether the client may hold advisory locks: likewise.
    pub fn may_lock(&self) -> bool {
        self.may_lock
    }

    /// Whether a custom setting may have been made whose name was not understood: such a session
    /// cannot be moved without loss.
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// Finds what `window` has; from where on it must be looked at again once more is there.
    fn look(&mut self, window: &[u8]) -> Option<usize> {
        let mut from = 0;
        while let Some(at) = words::next(window, from) {
            let behind = |bytes: usize| match at.checked_sub(bytes) {
                Some(at) => window[at],
                None => self.behind[BEHIND + at - bytes],
            };
            let end = window.len().min(at + AHEAD_MAX);
            let ahead = &window[at..end];
            match words::at(ahead, behind) {
                Word::Other => {}
                Word::Unfinished => return Some(at),
                Word::Listen => self.may_listen = true,
                Word::AdvisoryLock => self.may_lock = true,
                Word::Set { behind, text } => {
                    let found = names::of_set(text, behind);
                    // What goes on for so long is no name, but a comment may hide one.
                    let hidden = match text.trim_ascii_start() {
                        [b'/', b'*', ..] | [b'-', b'-', ..] => Found::Unknown,
                        _ => Found::Nothing,
                    };
                    if !self.found(found, hidden, ahead) {
                        return Some(at);
                    }
                }
                Word::SetConfig { text } => {
                    let found = names::of_set_config(text);
                    if !self.found(found, Found::Unknown, ahead) {
                        return Some(at);
                    }
                }
            }
            from = at + 1;
        }
        words::unfinished(window)
    }

    /// False if more than `ahead` is needed and can come; what is too long is taken for `hidden`.
    fn found(&mut self, found: Found, hidden: Found, ahead: &[u8]) -> bool {
        match found {
            Found::CutShort if ahead.len() < AHEAD_MAX => return false,
            Found::CutShort => return self.found(hidden, Found::Unknown, ahead),
            Found::Nothing => {}
            Found::Name(name) => self.add(name),
            Found::Unknown => self.is_incomplete = true,
        }
        true
    }

    fn keep(&mut self, window: &[u8], kept_from: Option<usize>) {
        let (gone, kept) = window.split_at(kept_from.unwrap_or(window.len()));
        match gone.last_chunk() {
            Some(last) => self.behind = *last,
            None => {
                self.behind.rotate_left(gone.len());
                self.behind[BEHIND - gone.len()..].copy_from_slice(gone);
            }
        }
        if !kept.is_empty() {
            self.pending = kept.to_vec();
        }
    }

    fn add(&mut self, name: Vec<u8>) {
        if !name.contains(&b'.') || self.names.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
            return;
        }
        if self.names.len() == NAMES_MAX || self.names_bytes + name.len() > NAMES_BYTES_MAX {
            self.is_incomplete = true;
            return;
        }
        self.names_bytes += name.len();
        self.names.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(pieces: &[&[u8]]) -> CustomNames {
        let mut heard = CustomNames::default();
        pieces.iter().for_each(|piece| heard.heard(piece));
        heard
    }

    /// As a Query message.
    fn query(sql: &str) -> CustomNames {
        let text = [sql.as_bytes(), b"\0"].concat();
        let header = crate::wire::frame::header(b'Q', text.len()).expect("fits");
        heard(&[&header, &text])
    }

    fn told(heard: &CustomNames) -> (Vec<String>, bool, bool, bool) {
        let names = heard.names.iter();
        let names = names.map(|name| String::from_utf8_lossy(name).into_owned());
        (
            names.collect(),
            heard.is_incomplete,
            heard.may_listen,
            heard.may_lock,
        )
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        for (sql, names) in [
            ("SET app.x = 1", &["app.x"][..]),
            ("set session App.X to 'a'; Set\n\tb.c=2", &["App.X", "b.c"]),
            ("SET LOCAL a.b = 1; SET local.x = 1", &["a.b", "local.x"]),
            (
                "SET/* c */-- d\n \"we\"\"ird\".\"na me\".\"\u{e4}\" = 1",
                &["we\"ird.na me.\u{e4}"],
            ),
            ("SET\"a\".b=1", &["a.b"]),
            ("SET a . b . c TO 1", &["a.b.c"]),
            ("SET search_path = a.b", &[]),
            ("UPDATE t SET a = b.c, d = 1", &[]),
            ("SET TIME ZONE 'UTC'; SET ROLE x; RESET ALL", &[]),
            (
                "DO $$BEGIN SET a.b = 1; EXECUTE 'SET c.d = 1'; END$$",
                &["a.b", "c.d"],
            ),
            ("SELECT set_config('app.x', $1, false)", &["app.x"]),
            (
                "SELECT PG_CATALOG.\"set_config\" /* x */ ( -- y\n'a''.b'::text, 'c', true)",
                &["a'.b"],
            ),
            (
                "select set_config(setting_name => E'a.b', is_local => false)",
                &["a.b"],
            ),
            (
                "select set_config(setting_name := N'a.b', is_local := false)",
                &["a.b"],
            ),
            (
                "select set_config('role', 'x', false), set_config('c.d', '', false)",
                &["c.d"],
            ),
            (
                "EXECUTE 'SELECT set_config(''a.b'', ''c'', false)'",
                &["a.b"],
            ),
            (
                "SELECT set_config($1, $2, true), set_config(lower('A'), f(1, 'x,'), TRUE )",
                &[],
            ),
            ("SELECT set_config($1, $2, is_local => true)", &[]),
            ("SELECT my_set_config($1, $2, false), set_configs(1)", &[]),
            (
                "INSERT INTO log VALUES ('set_config is great, listening')",
                &[],
            ),
        ] {
            let heard = query(sql);
            assert_eq!(
                told(&heard),
                (
                    names.iter().map(|name| (*name).to_owned()).collect(),
                    false,
                    false,
                    false
                ),
                "{sql}"
            );
            assert_eq!(heard.is_empty(), names.is_empty());
        }
    }

    #[test]
    fn names_that_cannot_be_known_are_told() {
        for sql in [
            "SELECT set_config($1, $2, false)",
            "SELECT set_config($1, $2, $3)",
            "SELECT set_config('app.' || $1, $2, false)",
            "SELECT set_config(E'a\\x2eb', $2, false)",
            "SELECT set_config(name, ')', 1 = 1 or true)",
            "SELECT set_config($1",
            "DO $$BEGIN EXECUTE 'SET ' || name || ' = 1'; END$$",
            "DO $$BEGIN EXECUTE format('SET %I = %L', name, 1); END$$",
            "DO $$BEGIN EXECUTE format('SET SESSION app.%I = %L', name, 1); END$$",
            "DO $$BEGIN EXECUTE 'SET app.' || name; END$$",
            "SET U&\"\\0061\".b = 1",
        ] {
            assert!(query(sql).is_incomplete(), "{sql}");
            assert!(!query(sql).is_empty());
        }
        assert!(
            !query("DO $$BEGIN EXECUTE format('UPDATE %I SET %I = 1', a, b); END$$")
                .is_incomplete()
        );
    }

    #[test]
    fn listening_and_locking_are_heard() {
        for (sql, may_listen, may_lock) in [
            ("LISTEN a", true, false),
            ("listen\"a\"", true, false),
            ("UNLISTEN *", false, false),
            ("UNLISTEN *; LISTEN a", true, false),
            ("SELECT listened, listener FROM t", false, false),
            ("SELECT pg_advisory_lock(1)", false, true),
            ("SELECT PG_TRY_ADVISORY_LOCK_SHARED(1, 2)", false, true),
            (
                "SELECT pg_advisory_unlock(1), pg_advisory_xact_lock(2)",
                false,
                false,
            ),
            ("SELECT pg_advisory_unlock_all()", false, false),
        ] {
            let heard = query(sql);
            assert_eq!(
                (heard.may_listen(), heard.may_lock()),
                (may_listen, may_lock),
                "{sql}"
            );
        }
    }

    #[test]
    fn the_length_before_a_text_is_no_part_of_its_first_word() {
        for length in 0..=255_u8 {
            for (sql, names) in [("SET a.b = 1\0", 1), ("LISTEN a\0", 0)] {
                for high in [0, length] {
                    let heard = heard(&[&[b'Q', 0, 0, high, length], sql.as_bytes()]);
                    assert_eq!(heard.names.len(), names, "{length}");
                    // Only a LISTEN in a text of 30 kB may be taken for the end of an UNLISTEN.
                    let is_un = high | 32 == b'u' && length | 32 == b'n';
                    assert!(is_un || heard.may_listen() == (names == 0), "{length}");
                }
            }
        }
    }

    #[test]
    fn names_are_bounded() {
        let mut heard = CustomNames::default();
        for number in 0..NAMES_MAX {
            heard.heard(format!("SET a.b{number} = 1\0").as_bytes());
        }
        heard.heard(b"SET A.B7 = 1\0");
        assert!(!heard.is_incomplete() && heard.names().len() == NAMES_MAX);
        heard.heard(b"SET a.c = 1\0");
        assert!(heard.is_incomplete() && heard.names().len() == NAMES_MAX);
        let mut heard = CustomNames::default();
        heard.heard(b"select set_config(");
        for _ in 0..10 {
            heard.heard(&[b' '; 1000]);
            assert!(heard.pending.len() < AHEAD_MAX);
        }
        assert!(heard.is_incomplete() && heard.pending.is_empty());
    }

    #[test]
    fn what_others_have_heard_is_included() {
        let mut heard = query("SET a.b = 1");
        heard.include(&query(
            "LISTEN a; SELECT pg_advisory_lock(1), set_config($1, '', false)",
        ));
        heard.include(&query("SET A.B = 1; SET c.d = 1"));
        let names = vec!["a.b".to_owned(), "c.d".to_owned()];
        assert_eq!(told(&heard), (names, true, true, true));
    }

    fn sql() -> impl Strategy<Value = Vec<u8>> {
        let words = [
            "SET ",
            "set",
            " ",
            "session ",
            "a",
            ".",
            "b",
            "\"",
            "'",
            "set_config",
            "(",
            ",",
            ")",
            "true",
            "false",
            "LISTEN",
            "un",
            " x",
            "pg_advisory_lock",
            "\0",
            "Q\0\0\0\x0a",
            "/*",
            "*/",
            "--",
            "\n",
            "$1",
            "$$",
            "||",
            "%I",
            "::text",
            "=>",
            "is_local",
            "\u{e4}",
            "E",
            "\\",
            ";",
        ];
        let word = prop::sample::select(words.to_vec());
        proptest::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn cuts_anywhere_find_the_same(sql in sql(), cuts in proptest::collection::vec(0_usize..200, 0..9)) {
            let sql = [sql, vec![0; 16]].concat();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(sql.len())).collect();
            cuts.push(sql.len());
            cuts.sort_unstable();
            let mut cut = CustomNames::default();
            let mut begin = 0;
            for end in cuts {
                cut.heard(&sql[begin..end]);
                begin = end;
            }
            let whole = heard(&[&sql]);
            prop_assert_eq!(told(&whole), told(&cut));
            let one_by_one: Vec<_> = sql.chunks(1).collect();
            prop_assert_eq!(told(&whole), told(&heard(&one_by_one)));
            prop_assert!(whole.pending.is_empty());
        }

        #[test]
        fn a_name_is_found_behind_anything(
            before in proptest::collection::vec(any::<u8>(), 0..150), after: Vec<u8>,
            is_function: bool,
        ) {
            let said: &[u8] = if is_function { b"\0 set_config('a.b', " } else { b"SET a.b = 1" };
            let heard = heard(&[&[&before, said, &after].concat()]);
            let pending = [&heard.pending[..], b"\0"].concat();
            let mut heard = heard;
            heard.pending.clear();
            heard.heard(&pending);
            prop_assert!(heard.names.iter().any(|name| name == b"a.b"));
        }

        #[test]
        fn hostile_bytes_are_not_panicked_at(bytes: Vec<u8>, sql in sql(), at in 1_usize..9) {
            let mut heard = CustomNames::default();
            for piece in [bytes, sql].concat().chunks(at) {
                heard.heard(piece);
                prop_assert!(heard.pending.len() < AHEAD_MAX);
            }
        }
    }
}
