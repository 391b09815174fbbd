//! SQL lines as plain SQL, for `psql` or for reading: statements with their values in them.
//!
//! | line | printed |
//! |---|---|
//! | `PREPARE` | nothing: the text is kept until it is run |
//! | `EXECUTE` | the text with each `$n` replaced by a literal |
//! | positions | comments, as they are |
//! | the rest | as it is |

use std::collections::HashMap;

use crate::cdc::change::Value;
use crate::cdc::sql_line::{self, Execute, Prepare, SqlLine, StatementId};

/// A line cannot be printed as SQL.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// It is not what transform writes.
    #[error("reading a line of SQL")]
    Line(#[from] sql_line::Error),
    /// No line before it says what to run.
    #[error("statement {0} is not prepared before")]
    Unprepared(StatementId),
    /// A `$n` without its value.
    #[error("statement {id} takes more than the {values} values given")]
    TooFew {
        /// Which statement.
        id: StatementId,
        /// How many there are.
        values: usize,
    },
    /// Bytes that no SQL text can hold.
    #[error(
        "column \"{column}\" of {table} is not UTF-8 and cannot be printed; apply it to the target instead"
    )]
    NotUtf8 {
        /// The relation.
        table: String,
        /// The column.
        column: String,
    },
}

/// Prints line after line; remembers what was prepared.
#[derive(Debug, Default)]
pub struct SqlPrinter {
    statements: HashMap<StatementId, Prepare>,
}

impl SqlPrinter {
    /// Appends to `sql` what `line`, without its line feed, becomes.
    pub fn line(&mut self, line: &[u8], sql: &mut Vec<u8>) -> Result<(), PrintError> {
        match SqlLine::read(line)? {
            SqlLine::Prepare(prepare) => {
                self.statements.insert(prepare.id, prepare);
            }
            SqlLine::Execute(execute) => {
                sql.extend_from_slice(self.statement(&execute)?.as_bytes());
                sql.extend_from_slice(b";\n");
            }
            _ => {
                sql.extend_from_slice(line);
                sql.push(b'\n');
            }
        }
        Ok(())
    }

    fn statement(&self, execute: &Execute) -> Result<String, PrintError> {
        let prepare = self.statements.get(&execute.id);
        let prepare = prepare.ok_or(PrintError::Unprepared(execute.id))?;
        let literals: Vec<String> = execute
            .values
            .iter()
            .enumerate()
            .map(|(at, value)| literal(value).ok_or_else(|| not_utf8(prepare, at)))
            .collect::<Result<_, _>>()?;
        filled_in(&prepare.sql, &literals).ok_or(PrintError::TooFew {
            id: execute.id,
            values: literals.len(),
        })
    }
}

fn not_utf8(prepare: &Prepare, at: usize) -> PrintError {
    let column = prepare.shape.columns.get(at);
    PrintError::NotUtf8 {
        table: format!("{}.{}", prepare.shape.schema, prepare.shape.table),
        column: column.cloned().unwrap_or_default(),
    }
}

/// `value` as SQL. None if it is not text.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("NULL".to_owned()),
        Value::Text(text) => {
            let quoted = text.replace('\'', "''");
            Some(match text.contains('\\') {
                // The same whatever standard_conforming_strings says.
                true => format!("E'{}'", quoted.replace('\\', "\\\\")),
                false => format!("'{quoted}'"),
            })
        }
        Value::Bytes(_) | Value::Unchanged => None,
    }
}

/// `sql` with `$1`, `$2`, … replaced, but not inside quotes: `"price in $1"` is a name. None if
/// there are fewer literals than that.
fn filled_in(sql: &str, literals: &[String]) -> Option<String> {
    let mut filled = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '$') => {
                let digits =
                    after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let number: usize = after[..digits].parse().ok()?;
                filled.push_str(literals.get(number.checked_sub(1)?)?);
                rest = &after[digits..];
                continue;
            }
            _ => {}
        }
        filled.push(character);
        rest = after;
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::change::{Identity, Operation};
    use crate::cdc::sql_line::Shape;

    fn printed(lines: &[&str]) -> Result<String, PrintError> {
        let (mut printer, mut sql) = (SqlPrinter::default(), Vec::new());
        for line in lines {
            printer.line(line.as_bytes(), &mut sql)?;
        }
        Ok(String::from_utf8(sql).expect("UTF-8"))
    }

    /// The PREPARE of a statement, and the beginning of its EXECUTE.
    fn prepared() -> (String, String) {
        let prepare = Prepare::new(
            r#"INSERT INTO "a $1 ""b" ("x", "y") VALUES ($1, $2)"#.into(),
            Shape {
                op: Operation::Insert,
                schema: "public".into(),
                table: "t".into(),
                identity: Identity::Default,
                columns: vec!["x".into(), "y".into()],
                types: vec!["text".into(), "text".into()],
                modifiers: vec![-1, -1],
                key: vec![],
            },
        );
        let execute = format!("EXECUTE {}", prepare.id);
        let mut line = Vec::new();
        SqlLine::Prepare(prepare).write(&mut line);
        let line = String::from_utf8(line).expect("UTF-8");
        (line.trim_end().to_owned(), execute)
    }

    #[test]
    fn values_stand_where_their_parameters_stood_and_names_are_left_alone() {
        let (prepare, execute) = prepared();
        let sql = printed(&[
            r#"BEGIN; -- {"xid":5,"lsn":"0/10"}"#,
            &prepare,
            &format!(r#"{execute}["it's $2",null];"#),
            &format!(r#"{execute}["a\\b\nc","ü"];"#),
            r#"COMMIT; -- {"xid":5,"lsn":"0/28"}"#,
            r#"-- KEEPALIVE {"lsn":"0/30"}"#,
        ]);
        assert_eq!(
            sql.expect("printed"),
            "BEGIN; -- {\"xid\":5,\"lsn\":\"0/10\"}\n\
             INSERT INTO \"a $1 \"\"b\" (\"x\", \"y\") VALUES ('it''s $2', NULL);\n\
             INSERT INTO \"a $1 \"\"b\" (\"x\", \"y\") VALUES (E'a\\\\b\nc', 'ü');\n\
             COMMIT; -- {\"xid\":5,\"lsn\":\"0/28\"}\n\
             -- KEEPALIVE {\"lsn\":\"0/30\"}\n"
        );
    }

    #[test]
    fn what_is_not_text_is_refused_by_name() {
        let (prepare, execute) = prepared();
        let error = printed(&[
            &prepare,
            &format!(r#"{execute}[{{"base64":"/w=="}},null];"#),
        ])
        .expect_err("not UTF-8");
        assert!(error.to_string().starts_with("column \"x\" of public.t"));
    }

    #[test]
    fn a_statement_that_is_not_prepared_or_lacks_values_is_refused() {
        let (prepare, execute) = prepared();
        let execute = &format!(r#"{execute}["1"];"#);
        assert!(matches!(
            printed(&[execute]),
            Err(PrintError::Unprepared(_))
        ));
        assert!(matches!(
            printed(&[&prepare, execute]),
            Err(PrintError::TooFew { values: 1, .. })
        ));
    }
}
