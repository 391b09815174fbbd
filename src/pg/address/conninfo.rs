//! Connection strings written as words and values: `host=db1 dbname='my db' user=me`.
//!
//! Follows `conninfo_parse` of PostgreSQL's `src/interfaces/libpq/fe-connect.c`.

use std::iter::Peekable;
use std::str::Chars;

use super::error::AddressError;
use super::keyword::{self, Settings};

/// The settings in `text`; the last one wins where a word stands twice.
pub fn parse(text: &str) -> Result<Settings, AddressError> {
    let mut settings = Settings::new();
    let mut left = text.chars().peekable();
    loop {
        skip_blanks(&mut left);
        if left.peek().is_none() {
            return Ok(settings);
        }
        let name = word(&mut left)?;
        skip_blanks(&mut left);
        let value = match left.next_if_eq(&'\'') {
            Some(_) => quoted_value(&mut left, &name)?,
            None => plain_value(&mut left),
        };
        keyword::store(&mut settings, &name, value)?;
    }
}

/// PostgreSQL's `isspace` in the C locale.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn skip_blanks(left: &mut Peekable<Chars<'_>>) {
    while left.next_if(|character| is_blank(*character)).is_some() {}
}

/// A word and the equals sign after it.
fn word(left: &mut Peekable<Chars<'_>>) -> Result<String, AddressError> {
    let mut name = String::new();
    while let Some(character) = left.next_if(|next| *next != '=' && !is_blank(*next)) {
        name.push(character);
    }
    skip_blanks(left);
    match left.next_if_eq(&'=') {
        Some(_) => Ok(name),
        // The name itself is not shown: the tail of a badly quoted password may stand here.
        None => Err(AddressError::Malformed(
            "a word without \"=\" after it; quote values that contain blanks: key='a b'".to_owned(),
        )),
    }
}

fn plain_value(left: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(character) = left.next() {
        match character {
            '\\' => value.extend(left.next()),
            _ if is_blank(character) => break,
            _ => value.push(character),
        }
    }
    value
}

fn quoted_value(left: &mut Peekable<Chars<'_>>, name: &str) -> Result<String, AddressError> {
    let mut value = String::new();
    loop {
        match left.next() {
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(left.next()),
            Some(character) => value.push(character),
            None => {
                let problem = format!("no closing quote after the value of \"{name}\"");
                return Err(AddressError::Malformed(problem));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_read_as_libpq_reads_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("  \n", &[]),
            ("host=a port=5", &[("host", "a"), ("port", "5")]),
            ("host = a", &[("host", "a")]),
            ("host=''", &[("host", "")]),
            ("host= port=5", &[("host", "port=5")]),
            (
                "user='it\\'s me' host=x",
                &[("host", "x"), ("user", "it's me")],
            ),
            ("user=it\\'s\\ me", &[("user", "it's me")]),
            ("user='a'host=b", &[("host", "b"), ("user", "a")]),
            ("user=a user=b", &[("user", "b")]),
            ("password='a\\\\b'", &[("password", "a\\b")]),
            ("password=a=b", &[("password", "a=b")]),
            ("user=a'b", &[("user", "a'b")]),
            ("requiressl=1", &[("sslmode", "require")]),
            ("user=a\\", &[("user", "a")]),
        ];
        for (text, expected) in cases {
            let read: Vec<_> = parse(text).expect(text).into_iter().collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(k, v)| (*k, (*v).to_owned()))
                .collect();
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn malformed_strings_are_refused_without_telling_the_password() {
        for text in [
            "mydb",
            "host",
            "password=my secret",
            "password='secret",
            "password='secret\\'",
            "hots=a",
            "=a",
        ] {
            let error = parse(text).expect_err(text);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
