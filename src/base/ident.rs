//! Names of database objects and how SQL quotes them.

use std::fmt;

/// `name` as a quoted SQL identifier: always in double quotes, inner ones doubled.
pub fn quote_ident(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for character in name.chars() {
        if character == '"' {
            quoted.push('"');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// `text` as an SQL string literal that reads the same whatever `standard_conforming_strings` is.
pub fn quote_literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    if text.contains('\\') {
        quoted.push_str(" E");
    }
    quoted.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

/// A relation's name with its schema, unquoted inside; [`fmt::Display`] is for people,
/// [`QualifiedName::quoted`] for SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    /// The Postgres namespace.
    pub schema: String,
    /// The relation in it.
    pub name: String,
}

impl QualifiedName {
    /// The name `schema.name`; neither part quoted.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }

    /// As SQL: `"schema"."name"`.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote_ident(&self.schema), quote_ident(&self.name))
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with(|first: char| first.is_ascii_digit())
                && name
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_digit() || byte.is_ascii_lowercase())
        };
        for (before, part) in [("", &self.schema), (".", &self.name)] {
            f.write_str(before)?;
            match plain(part) {
                true => f.write_str(part)?,
                false => f.write_str(&quote_ident(part))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote_ident(r#"Weird " Name"#), r#""Weird "" Name""#);
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal(r"a\b"), r" E'a\\b'");
    }

    #[test]
    fn people_see_quotes_only_where_they_are_needed() {
        assert_eq!(
            QualifiedName::new("public", "orders_2").to_string(),
            "public.orders_2"
        );
        assert_eq!(
            QualifiedName::new("Public", "a.b").to_string(),
            r#""Public"."a.b""#
        );
    }
}
