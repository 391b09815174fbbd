//! The text of PostgreSQL's contrib module test_decoding.
//!
//! ```text
//! BEGIN 954
//! table public."Odd name": UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 doc[json]:null
//! table public.a, public.b: TRUNCATE: restart_seqs cascade
//! message: transactional: 1 prefix: app, sz: 5 content:hello
//! COMMIT 954 (at 2026-11-21 03:09:04.870684+00)
//! ```
//! Names and types are quoted as SQL quotes them, strings in quotes of which inner ones are doubled,
//! and nothing else is escaped: read from the left, every byte has one meaning. Source:
//! `contrib/test_decoding/test_decoding.c`.

use crate::base::QualifiedName;
use crate::cdc::change::{Operation, Value};

use super::said::{Cell, NotUnderstood, Said, TypeIs, timestamp_of, value_of};

/// The options of `START_REPLICATION`. Empty transactions are sent, because a message that stands
/// alone in a transaction would otherwise come without its beginning.
pub(super) const OPTIONS: &str =
    r#""include-xids" '1', "include-timestamp" '1', "skip-empty-xacts" '0'"#;

/// What `body` says.
pub(super) fn parse(body: &[u8]) -> Result<Said, NotUnderstood> {
    let mut text = Text { body, at: 0 };
    let said = if text.takes(b"BEGIN ") {
        Said::Begin {
            xid: text.number("a transaction id")?,
            commit_lsn: None,
            timestamp: None,
        }
    } else if text.takes(b"COMMIT ") {
        let xid = text.number("a transaction id")?;
        text.expect(b" (at ")?;
        let printed = text.until(b')', "a timestamp")?;
        let timestamp = std::str::from_utf8(printed).ok().and_then(timestamp_of);
        text.expect(b")")?;
        if timestamp.is_none() {
            return Err(text.wrong("a timestamp that is not in UTC"));
        }
        Said::Commit { xid, timestamp }
    } else if text.takes(b"table ") {
        table(&mut text)?
    } else if text.takes(b"message: transactional: ") {
        message(&mut text)?
    } else {
        return Err(text.wrong("neither BEGIN, COMMIT, table nor message"));
    };
    match text.is_at_end() {
        true => Ok(said),
        false => Err(text.wrong("more than the message should have")),
    }
}

fn table(text: &mut Text<'_>) -> Result<Said, NotUnderstood> {
    let mut tables = vec![text.qualified_name()?];
    while text.takes(b", ") {
        tables.push(text.qualified_name()?);
    }
    text.expect(b": ")?;
    if text.takes(b"TRUNCATE:") {
        let restart_identity = text.takes(b" restart_seqs");
        let cascade = text.takes(b" cascade");
        if !restart_identity && !cascade {
            text.expect(b" (no-flags)")?;
        }
        return Ok(Said::Truncate {
            tables,
            cascade,
            restart_identity,
        });
    }
    let (Some(table), true) = (tables.pop(), tables.is_empty()) else {
        return Err(text.wrong("a row of several tables"));
    };
    let (operation, old, new);
    if text.takes(b"INSERT:") {
        (operation, old, new) = (Operation::Insert, None, text.tuple()?);
    } else if text.takes(b"UPDATE:") {
        operation = Operation::Update;
        old = match text.takes(b" old-key:") {
            true => {
                let old = text.tuple()?;
                text.expect(b" new-tuple:")?;
                old
            }
            false => None,
        };
        new = text.tuple()?;
    } else if text.takes(b"DELETE:") {
        (operation, old, new) = (Operation::Delete, text.tuple()?, None);
    } else {
        return Err(text.wrong("neither INSERT, UPDATE, DELETE nor TRUNCATE"));
    }
    if operation != Operation::Delete && new.is_none() {
        return Err(text.wrong("a row without its values"));
    }
    Ok(Said::Row {
        table,
        operation,
        old,
        new,
    })
}

/// Neither prefix nor content is quoted. The size tells where the content begins; where it leaves a
/// choice, the shorter prefix is taken. Apply does not read messages.
fn message(text: &mut Text<'_>) -> Result<Said, NotUnderstood> {
    let transactional = match text.number("0 or 1")? {
        0 => false,
        1 => true,
        _ => return Err(text.wrong("transactional, but neither 0 nor 1")),
    };
    text.expect(b" prefix: ")?;
    let rest = text.rest();
    const SIZE: &[u8] = b", sz: ";
    for at in 0..rest.len() {
        let mut after = Text { body: rest, at };
        let Ok(size) = after
            .expect(SIZE)
            .and_then(|()| after.number("a size"))
            .and_then(|size| after.expect(b" content:").map(|()| size))
        else {
            continue;
        };
        let content = after.rest();
        if usize::try_from(size) == Ok(content.len()) {
            let prefix = std::str::from_utf8(&rest[..at]);
            let prefix = prefix.map_err(|_| text.wrong("a prefix that is not UTF-8"))?;
            text.at = text.body.len();
            return Ok(Said::Message {
                transactional,
                prefix: prefix.to_owned(),
                content: value_of(content.to_vec()),
            });
        }
    }
    Err(text.wrong("a message without its content"))
}

/// What is left of a message.
struct Text<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    fn wrong(&self, problem: impl Into<String>) -> NotUnderstood {
        NotUnderstood::Malformed {
            at: self.at,
            problem: problem.into(),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn takes(&mut self, word: &[u8]) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &[u8]) -> Result<(), NotUnderstood> {
        match self.takes(word) {
            true => Ok(()),
            false => Err(self.wrong(format!("no {:?}", String::from_utf8_lossy(word)))),
        }
    }

    /// As many bytes as `wanted` accepts.
    fn run(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| wanted(**byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn until(&mut self, end: u8, what: &str) -> Result<&'a [u8], NotUnderstood> {
        let found = self.run(|byte| byte != end);
        match self.is_at_end() {
            true => Err(self.wrong(format!("{what} without an end"))),
            false => Ok(found),
        }
    }

    fn number(&mut self, what: &str) -> Result<u32, NotUnderstood> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| self.wrong(format!("not {what}")))
    }

    /// What stands between two of `quote`, doubled ones taken for one.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, NotUnderstood> {
        self.expect(&[quote])?;
        let mut content = Vec::new();
        loop {
            content.extend_from_slice(self.until(quote, "a quoted text")?);
            self.at += 1;
            if self.peek() != Some(quote) {
                return Ok(content);
            }
            content.push(quote);
            self.at += 1;
        }
    }

    fn identifier(&mut self) -> Result<String, NotUnderstood> {
        let name = match self.peek() {
            Some(b'"') => self.quoted(b'"')?,
            _ => {
                let plain =
                    |byte: u8| byte == b'_' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
                self.run(plain).to_vec()
            }
        };
        match String::from_utf8(name) {
            Ok(name) if !name.is_empty() => Ok(name),
            Ok(_) => Err(self.wrong("no name")),
            Err(_) => Err(self.wrong("a name that is not UTF-8")),
        }
    }

    fn qualified_name(&mut self) -> Result<QualifiedName, NotUnderstood> {
        let schema = self.identifier()?;
        self.expect(b".")?;
        Ok(QualifiedName::new(schema, self.identifier()?))
    }

    /// `[type]`: quoted names, which may hold brackets, and words; `[]` at the end of an array's.
    fn type_name(&mut self) -> Result<String, NotUnderstood> {
        self.expect(b"[")?;
        let begin = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.quoted(b'"')?;
                }
                Some(b'[') => self.expect(b"[]")?,
                Some(b']') if self.at > begin => break,
                Some(b']') | None => return Err(self.wrong("no type")),
                Some(_) => self.at += 1,
            }
        }
        let name = std::str::from_utf8(&self.body[begin..self.at]);
        let name = name.map_err(|_| self.wrong("a type that is not UTF-8"))?;
        self.expect(b"]")?;
        Ok(name.to_owned())
    }

    /// The cells that follow; none for a row of which the source kept nothing.
    fn tuple(&mut self) -> Result<Option<Vec<Cell>>, NotUnderstood> {
        if self.takes(b" (no-tuple-data)") {
            return Ok(None);
        }
        let mut cells = Vec::new();
        while !self.is_at_end() && !self.rest().starts_with(b" new-tuple:") {
            self.expect(b" ")?;
            let name = self.identifier()?;
            let type_name = self.type_name()?;
            self.expect(b":")?;
            let value = self.value(&type_name)?;
            cells.push(Cell {
                name,
                type_is: TypeIs::Named(type_name),
                value,
            });
        }
        Ok(Some(cells))
    }

    fn value(&mut self, type_name: &str) -> Result<Value, NotUnderstood> {
        if self.peek() == Some(b'\'') {
            return Ok(value_of(self.quoted(b'\'')?));
        }
        if self.rest().starts_with(b"B'") {
            self.at += 1;
            return Ok(value_of(self.quoted(b'\'')?));
        }
        let word = self.run(|byte| byte != b' ');
        let word = std::str::from_utf8(word).unwrap_or_default();
        let text = match (word, type_name) {
            ("null", _) => return Ok(Value::Null),
            ("unchanged-toast-datum", _) => return Ok(Value::Unchanged),
            ("true", "boolean") => "t",
            ("false", "boolean") => "f",
            (
                number,
                "smallint" | "integer" | "bigint" | "oid" | "real" | "double precision" | "numeric",
            ) if is_number(number) => number,
            _ => return Err(self.wrong(format!("not a value of type {type_name}"))),
        };
        Ok(Value::Text(text.to_owned()))
    }
}

/// Digits with sign, point and exponent, or one of the words for what is no number.
fn is_number(word: &str) -> bool {
    let digits = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e');
    let is_word = matches!(word, "NaN" | "Infinity" | "-Infinity");
    is_word || (word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().all(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ODD: &str = "table \"My.S\".\"t: [x]\": UPDATE: old-key: id[integer]:1 new-tuple: \
         id[integer]:2 \"c[text]:'q\"[\"My.S\".\"odd [t]:\"\"y\"]:'c''d' \
         arr[\"My.S\".\"odd [t]:\"\"y\"[]]:'{\"a b\",NULL}' v[character varying[]]:'\n new-tuple: x' \
         big[text]:unchanged-toast-datum bits[bit varying]:B'' f[double precision]:-Infinity \
         ok[boolean]:true n[numeric]:null last[text]:'its'";

    fn cell(name: &str, type_name: &str, value: Value) -> Cell {
        Cell {
            name: name.into(),
            type_is: TypeIs::Named(type_name.into()),
            value,
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn every_quote_and_bracket_has_one_meaning() {
        let new = vec![
            cell("id", "integer", text("2")),
            cell("c[text]:'q", r#""My.S"."odd [t]:""y""#, text("c'd")),
            cell("arr", r#""My.S"."odd [t]:""y"[]"#, text(r#"{"a b",NULL}"#)),
            cell("v", "character varying[]", text("\n new-tuple: x")),
            cell("big", "text", Value::Unchanged),
            cell("bits", "bit varying", text("")),
            cell("f", "double precision", text("-Infinity")),
            cell("ok", "boolean", text("t")),
            cell("n", "numeric", Value::Null),
            cell("last", "text", text("its")),
        ];
        let said = Said::Row {
            table: QualifiedName::new("My.S", "t: [x]"),
            operation: Operation::Update,
            old: Some(vec![cell("id", "integer", text("1"))]),
            new: Some(new),
        };
        assert_eq!(parse(ODD.as_bytes()), Ok(said));
    }

    #[test]
    fn transactions_truncates_and_messages() {
        let begin = Said::Begin {
            xid: 954,
            commit_lsn: None,
            timestamp: None,
        };
        assert_eq!(parse(b"BEGIN 954"), Ok(begin));
        let commit = Said::Commit {
            xid: 954,
            timestamp: Some("2026-11-21 03:09:04.870000+0000".into()),
        };
        let body = b"COMMIT 954 (at 2026-11-21 03:09:04.87+00)";
        assert_eq!(parse(body), Ok(commit));
        for (flags, restart_identity, cascade) in [
            ("(no-flags)", false, false),
            ("restart_seqs", true, false),
            ("cascade", false, true),
            ("restart_seqs cascade", true, true),
        ] {
            let said = Said::Truncate {
                tables: vec![
                    QualifiedName::new("public", "a"),
                    QualifiedName::new("B", "c, d"),
                ],
                cascade,
                restart_identity,
            };
            let body = format!("table public.a, \"B\".\"c, d\": TRUNCATE: {flags}");
            assert_eq!(parse(body.as_bytes()), Ok(said));
        }
        let message = |transactional, prefix: &str, content: Value| Said::Message {
            transactional,
            prefix: prefix.into(),
            content,
        };
        assert_eq!(
            parse(
                b"message: transactional: 1 prefix: app, sz: 3 content:x, sz: 6 content:in \"q\""
            ),
            Ok(message(true, "app, sz: 3 content:x", text("in \"q\"")))
        );
        assert_eq!(
            parse(b"message: transactional: 0 prefix: a, sz: 2 content:\xff\x00"),
            Ok(message(false, "a", Value::Bytes(vec![0xff, 0])))
        );
    }

    #[test]
    fn rows_without_values_or_columns() {
        let row = |body: &[u8]| match parse(body) {
            Ok(Said::Row { old, new, .. }) => (old, new),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            row(b"table public.t: DELETE: (no-tuple-data)"),
            (None, None)
        );
        assert_eq!(row(b"table public.t: INSERT:"), (None, Some(vec![])));
        let bytes = row(b"table public.t: INSERT: a[text]:'\xff'");
        assert_eq!(bytes.1.expect("new")[0].value, Value::Bytes(vec![0xff]));
    }

    #[test]
    fn cut_anywhere_a_row_is_an_error_or_lacks_cells() {
        let body = ODD.as_bytes();
        for end in 0..body.len() {
            if let Ok(Said::Row { new, .. }) = parse(&body[..end]) {
                let cells = new.map_or(0, |new| new.len());
                assert!(cells < 10, "{}", &ODD[..end]);
            }
        }
    }

    #[test]
    fn what_the_plugin_never_sends_is_refused() {
        for body in [
            &b""[..],
            b"BEGIN",
            b"BEGIN x",
            b"BEGIN 1 ",
            b"BEGIN 99999999999",
            b"COMMIT 1",
            b"COMMIT 1 (at 2026-11-21 03:09:04.87+01)",
            b"table public.t: MERGE:",
            b"table public.t: INSERT: (no-tuple-data)",
            b"table public.t: INSERT: a[integer]:",
            b"table public.t: INSERT: a[integer]:x",
            b"table public.t: INSERT: a[integer]:true",
            b"table public.t: INSERT: a[text]:1",
            b"table public.t: INSERT: a[]:1",
            b"table public.t: INSERT: a[text]:'x'y",
            b"table public.t: INSERT: A[text]:'x'",
            b"table public.t: INSERT: a[text]:'x' new-tuple: a[text]:'y'",
            b"table public.t, public.u: INSERT: a[text]:'x'",
            b"table public.t: TRUNCATE:",
            b"table public.\xff: TRUNCATE: (no-flags)",
            b"message: transactional: 2 prefix: a, sz: 0 content:",
            b"message: transactional: 1 prefix: a, sz: 9 content:short",
        ] {
            assert!(parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    proptest! {
        #[test]
        fn hostile_text_gives_errors(rest: Vec<u8>, start in prop::sample::select(vec![
            "", "BEGIN ", "COMMIT 1 (at ", "table ", "table a.b: INSERT: ", "table a.b: UPDATE: old-key: ",
            "table a.b: DELETE: c[", "table a.b: INSERT: c[text]:", "message: transactional: 1 prefix: ",
        ])) {
            let _ = parse(&[start.as_bytes(), &rest].concat());
        }

        #[test]
        fn any_string_comes_back(content: Vec<u8>, name in "\\PC{1,20}") {
            let doubled = |bytes: &[u8], quote: u8| -> Vec<u8> {
                bytes.iter().flat_map(|byte| vec![*byte; if *byte == quote { 2 } else { 1 }]).collect()
            };
            let body = [
                &b"table a.b: INSERT: \""[..], &doubled(name.as_bytes(), b'"'), b"\"[text]:'",
                &doubled(&content, b'\''), b"'",
            ].concat();
            let Ok(Said::Row { new: Some(new), .. }) = parse(&body) else {
                panic!("{}", String::from_utf8_lossy(&body));
            };
            prop_assert_eq!(&new[0].name, &name);
            prop_assert_eq!(&new[0].value, &value_of(content));
        }
    }
}
