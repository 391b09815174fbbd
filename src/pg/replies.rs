//! What the simple query protocol answers.

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{DataRowBody, RowDescriptionBody};

use super::error::Error;

/// The answer to one statement, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResultSet {
    /// The columns' names; none for statements that give no rows.
    pub columns: Vec<String>,
    /// A value a column; none is NULL. Bytes that are not UTF-8 are replaced.
    pub rows: Vec<Vec<Option<String>>>,
    /// Such as `SELECT 3` or `CREATE TABLE`; empty for an empty statement.
    pub tag: String,
}

impl ResultSet {
    /// The number of rows of `COPY 5` or `INSERT 0 5`; 0 if the tag has none.
    pub fn count(&self) -> u64 {
        rows_of_tag(&self.tag)
    }

    /// The value in the first row and column, if there is one and it is not NULL.
    pub fn single(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    /// The value of a column of the first row, by name.
    pub fn value(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.rows.first()?.get(at)?.as_deref()
    }

    pub(super) fn of_columns(body: &RowDescriptionBody) -> Result<Self, Error> {
        let columns = body.fields().map(|field| Ok(field.name().to_owned()));
        Ok(ResultSet {
            columns: columns.collect()?,
            ..ResultSet::default()
        })
    }

    pub(super) fn push_row(&mut self, body: &DataRowBody) -> Result<(), Error> {
        let bytes = body.buffer();
        let value = |range: Option<std::ops::Range<usize>>| {
            let bytes = range.and_then(|range| bytes.get(range));
            Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        };
        self.rows.push(body.ranges().map(value).collect()?);
        Ok(())
    }
}

/// The number at the end of a command tag: rows of `COPY 5` or `INSERT 0 5`; 0 if there is none.
pub(super) fn rows_of_tag(tag: &str) -> u64 {
    let last = tag.rsplit(' ').next();
    last.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_last_word_of_a_tag() {
        for (tag, rows) in [("COPY 5", 5), ("INSERT 0 7", 7), ("BEGIN", 0), ("", 0)] {
            assert_eq!(rows_of_tag(tag), rows, "{tag}");
        }
    }
}
