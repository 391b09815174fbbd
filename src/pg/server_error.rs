//! What the server said when it refused something.

use std::borrow::Cow;
use std::fmt;

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorFields, ErrorResponseBody, NoticeResponseBody};

/// An ErrorResponse or NoticeResponse, field by field.
///
/// The fields are those of the manual's "Error and Notice Message Fields"; text that is not UTF-8
/// (messages sent before the client's encoding is known) is kept with replacement characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`; of notices `WARNING`, `NOTICE`, `LOG` and so on. Not localised
    /// where the server sends that (since 9.6).
    pub severity: String,
    /// Five characters; see the manual's appendix on error codes.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// More about the problem.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
    /// Where it happened: call stack, or the line of a COPY.
    pub context: Option<String>,
    /// The schema that the error is about.
    pub schema: Option<String>,
    /// The table that the error is about.
    pub table: Option<String>,
    /// The column that the error is about.
    pub column: Option<String>,
    /// The constraint that the error is about.
    pub constraint: Option<String>,
}

/// The fields of an ErrorResponse that was read as a value.
pub fn server_error(body: &ErrorResponseBody) -> ServerError {
    ServerError::from_fields(body.fields())
}

impl ServerError {
    /// The fields of a notice.
    pub fn of_notice(body: &NoticeResponseBody) -> Self {
        Self::from_fields(body.fields())
    }

    fn from_fields(mut fields: ErrorFields<'_>) -> Self {
        let mut error = ServerError::default();
        // A malformed tail ends the list: what was readable is worth more than nothing.
        while let Ok(Some(field)) = fields.next() {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'S' if error.severity.is_empty() => error.severity = value,
                b'V' => error.severity = value,
                b'C' => error.sqlstate = value,
                b'M' => error.message = value,
                b'D' => error.detail = Some(value),
                b'H' => error.hint = Some(value),
                b'W' => error.context = Some(value),
                b's' => error.schema = Some(value),
                b't' => error.table = Some(value),
                b'c' => error.column = Some(value),
                b'n' => error.constraint = Some(value),
                _ => {}
            }
        }
        error
    }

    /// Whether the server closes the connection after this.
    pub fn is_fatal(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }
}

/// Characters of a message or detail that are shown: the server quotes whole values in them.
const SHOWN_MAX: usize = 500;

/// `text` for people, cut if it is very long.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// One line: message, SQLSTATE, detail, and the first line of the context.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", shown(&self.message), self.sqlstate)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {}", shown(detail))?;
        }
        let context = self.context.as_deref();
        if let Some(line) = context.and_then(|text| text.lines().next()) {
            write!(f, " [{}]", shown(line))?;
        }
        Ok(())
    }
}

impl From<&tokio_postgres::error::DbError> for ServerError {
    fn from(error: &tokio_postgres::error::DbError) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ServerError {
            severity: error
                .parsed_severity()
                .map_or_else(|| error.severity().to_owned(), |level| level.to_string()),
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: owned(error.detail()),
            hint: owned(error.hint()),
            context: owned(error.where_()),
            schema: owned(error.schema()),
            table: owned(error.table()),
            column: owned(error.column()),
            constraint: owned(error.constraint()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_of_a_megabyte_does_not_fill_the_screen() {
        let error = ServerError {
            message: "ä".repeat(1 << 20),
            sqlstate: "22P02".to_owned(),
            detail: Some("short".to_owned()),
            ..ServerError::default()
        };
        let text = error.to_string();
        assert!(text.chars().count() < 600);
        assert!(text.ends_with("… (SQLSTATE 22P02): short"));
    }
}
