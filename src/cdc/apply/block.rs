//! Lines that are read at once, and the values in them.
//!
//! The values of all changes in a block lie one behind the other in one piece of memory, which the
//! changes share: a value costs no allocation, and a block goes when the last change that came with it
//! is applied.

use std::path::Path;
use std::sync::Arc;

use crate::cdc::change::{Begin, Commit, Value};
use crate::cdc::sql_line::{self, Execute, SqlLine, StatementId};

use super::execute_line;
use super::place::{Place, Segments};

/// Where the lines of a block stand.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// In a segment, by byte.
    Segment(Arc<Path>),
    /// In a file, by line.
    File(Arc<Path>),
    /// In standard input, by line.
    Pipe(Arc<Segments>),
}

impl Origin {
    pub(super) fn place(&self, at: u64) -> Place {
        match self {
            Origin::Segment(path) => Place::Byte(Arc::clone(path), at),
            Origin::File(path) => Place::Line(Arc::clone(path), at),
            Origin::Pipe(segments) => Place::Piped(Arc::clone(segments), at),
        }
    }
}

/// The values of a block's changes.
#[derive(Debug)]
pub(super) struct Block {
    text: Vec<u8>,
    /// Each begins in `text` where the one before it ends.
    cells: Vec<Cell>,
    origin: Origin,
}

/// A value: where it ends, and of which kind it is, in the lowest two bits.
#[derive(Debug, Clone, Copy)]
struct Cell(usize);

const NULL: usize = 0;
/// No character of it is escaped in JSON, so none is in an array or in COPY.
const PLAIN: usize = 1;
const OTHER: usize = 2;

/// A value of a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// As Postgres writes it; none of NULL.
    pub(super) text: Option<&'a [u8]>,
    /// Whether it is known to have no control character, quotation mark or backslash.
    pub(super) is_plain: bool,
}

/// The values of one change.
#[derive(Debug, Clone)]
pub(super) struct Values {
    block: Arc<Block>,
    first: u32,
    count: u32,
}

/// Where a line stands, as long as nobody asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) block: &'a Arc<Block>,
    pub(super) at: u64,
}

/// A line, of which a change's values lie in its block.
#[derive(Debug)]
pub(super) enum Line {
    Execute(Run),
    Begin(Begin),
    Commit(Commit),
    /// None of these.
    Other(Box<SqlLine>),
}

/// One run of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) id: StatementId,
    first: u32,
    count: u32,
}

/// Lines, each with where it stands.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) block: Arc<Block>,
    pub(super) lines: Vec<(Line, u64)>,
}

/// A block that is being read.
#[derive(Debug)]
pub(super) struct Builder {
    block: Block,
    lines: Vec<(Line, u64)>,
    /// Of the lines.
    pub(super) bytes: usize,
}

impl Block {
    fn new(origin: Origin) -> Self {
        Self {
            text: Vec::new(),
            cells: Vec::new(),
            origin,
        }
    }

    /// What it takes to hold.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.cells.capacity() * size_of::<Cell>()
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn place(&self, at: u64) -> Place {
        self.origin.place(at)
    }

    fn end(&self, cells: u32) -> usize {
        let before = (cells as usize).checked_sub(1);
        before.map_or(0, |at| self.cells[at].0 >> 2)
    }

    fn field(&self, at: u32) -> Field<'_> {
        let kind = self.cells[at as usize].0 & 3;
        Field {
            text: (kind != NULL).then(|| &self.text[self.end(at)..self.end(at + 1)]),
            is_plain: kind == PLAIN,
        }
    }

    fn push(&mut self, value: Option<&[u8]>) {
        self.text.extend_from_slice(value.unwrap_or_default());
        let kind = value.map_or(NULL, |_| OTHER);
        self.cells.push(Cell(self.text.len() << 2 | kind));
    }

    /// A null.
    pub(super) fn push_null(&mut self) {
        self.cells.push(Cell(self.text.len() << 2 | NULL));
    }

    /// Text in which JSON escapes nothing.
    pub(super) fn push_plain(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.cells.push(Cell(self.text.len() << 2 | PLAIN));
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.push(Some(text.as_bytes()));
    }

    fn truncate(&mut self, cells: usize, text: usize) {
        self.cells.truncate(cells);
        self.text.truncate(text);
    }
}

impl Values {
    /// Values that no line has.
    pub(super) fn of<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, origin: Origin) -> Self {
        let mut block = Block::new(origin);
        values.for_each(|value| block.push(value));
        Self {
            first: 0,
            count: block.cells.len() as u32,
            block: Arc::new(block),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> usize {
        self.block.end(self.first + self.count) - self.block.end(self.first)
    }

    /// As Postgres writes it; none of NULL, and where there is no value.
    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        (at < self.len()).then(|| self.field(at).text).flatten()
    }

    /// One of [`Values::len`].
    pub(super) fn field(&self, at: usize) -> Field<'_> {
        self.block.field(self.first + at as u32)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        (0..self.len()).map(|at| self.field(at).text)
    }

    pub(super) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// As a line has them.
    pub(super) fn as_read(&self) -> Vec<Value> {
        let values = self.iter().map(|value| match value {
            None => Value::Null,
            Some(bytes) => match str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::Bytes(bytes.to_vec()),
            },
        });
        values.collect()
    }
}

impl At<'_> {
    pub(super) fn place(self) -> Place {
        self.block.place(self.at)
    }

    /// Those of a change in this block.
    pub(super) fn values(self, run: Run) -> Values {
        Values {
            block: Arc::clone(self.block),
            first: run.first,
            count: run.count,
        }
    }
}

impl Run {
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }
}

impl Builder {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            block: Block::new(origin),
            lines: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Where the lines stand that are added from here on; there are none yet.
    pub(super) fn is_in(&mut self, origin: Origin) {
        self.block.origin = origin;
    }

    pub(super) fn place(&self, at: u64) -> Place {
        self.block.place(at)
    }

    /// Adds a line, without its line feed.
    pub(super) fn add(&mut self, line: &[u8], at: u64) -> Result<(), sql_line::Error> {
        let read = self.read(line)?;
        self.lines.push((read, at));
        self.bytes += line.len();
        Ok(())
    }

    fn read(&mut self, line: &[u8]) -> Result<Line, sql_line::Error> {
        let (cells, text) = (self.block.cells.len(), self.block.text.len());
        if let Some(id) = execute_line::read(line, &mut self.block) {
            return self.run(id, cells);
        }
        self.block.truncate(cells, text);
        Ok(match SqlLine::read(line)? {
            SqlLine::Execute(Execute { id, values }) => {
                for value in &values {
                    self.block.push(value.as_bytes());
                }
                return self.run(id, cells);
            }
            SqlLine::Begin(begin) => Line::Begin(begin),
            SqlLine::Commit(commit) => Line::Commit(commit),
            other => Line::Other(Box::new(other)),
        })
    }

    fn run(&self, id: StatementId, first: usize) -> Result<Line, sql_line::Error> {
        let to_u32 = |number: usize| u32::try_from(number).map_err(|_| sql_line::Error::Unknown);
        let end = to_u32(self.block.cells.len())?;
        let first = to_u32(first)?;
        Ok(Line::Execute(Run {
            id,
            first,
            count: end - first,
        }))
    }

    /// What was added; the next lines make a new one.
    pub(super) fn take(&mut self) -> Lines {
        let next = Self::new(self.block.origin.clone());
        let Self { block, lines, .. } = std::mem::replace(self, next);
        Lines {
            block: Arc::new(block),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let value = prop_oneof![
            Just(Value::Null),
            any::<String>().prop_map(Value::Text),
            "[ -~]{0,40}".prop_map(Value::Text),
            // Not UTF-8, or it would be text.
            any::<Vec<u8>>().prop_map(|mut bytes| {
                bytes.push(0xFF);
                Value::Bytes(bytes)
            }),
        ];
        proptest::collection::vec(value, 0..6)
    }

    fn builder() -> Builder {
        Builder::new(Origin::File(Path::new("t").into()))
    }

    proptest! {
        #[test]
        fn values_are_those_of_their_lines(rows in proptest::collection::vec(values(), 1..6)) {
            let mut builder = builder();
            for (at, values) in (7..).zip(&rows) {
                let mut line = Vec::new();
                let id = "5e3a9c175e3a9c17".parse().expect("an id");
                SqlLine::Execute(Execute { id, values: values.clone() }).write(&mut line);
                builder.add(line.trim_ascii_end(), at).expect("read");
            }
            let Lines { block, lines } = builder.take();
            prop_assert!(builder.is_empty());
            for ((line, at), (number, values)) in lines.iter().zip((7..).zip(&rows)) {
                let Line::Execute(run) = line else { panic!("{line:?}") };
                let read = At { block: &block, at: *at }.values(*run);
                prop_assert_eq!((*at, run.count()), (number, values.len()));
                prop_assert_eq!(&read.as_read(), values);
                prop_assert_eq!(read.bytes(), values.iter().map(Value::byte_count).sum::<usize>());
                for place in 0..read.len() {
                    let field = read.field(place);
                    let escaped = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
                    let escapes = field.text.unwrap_or_default().iter().any(escaped);
                    prop_assert!(!(field.is_plain && escapes));
                }
                prop_assert_eq!(read.get(read.len()), None);
            }
        }

        #[test]
        fn any_line_is_read_as_by_the_general_reader(line: Vec<u8>, cut in 0..200usize, values in values()) {
            let mut written = Vec::new();
            let id = "5e3a9c175e3a9c17".parse().expect("an id");
            SqlLine::Execute(Execute { id, values }).write(&mut written);
            // A line of ours with something foreign in it.
            let cut = cut.min(written.len());
            let odd = [&written[..cut], &line, &written[cut..]].concat();
            for line in [line, odd.trim_ascii_end().to_vec()] {
                let mut builder = builder();
                let added = builder.add(&line, 1);
                let known = SqlLine::read(&line);
                prop_assert_eq!(added.is_ok(), known.is_ok());
                let Lines { block, lines } = builder.take();
                let Some((Line::Execute(run), at)) = lines.first() else { continue };
                let Ok(SqlLine::Execute(execute)) = known else { panic!("{known:?}") };
                let values = At { block: &block, at: *at }.values(*run);
                prop_assert_eq!(run.id, execute.id);
                let known: Vec<_> = execute.values.iter().map(Value::as_bytes).collect();
                prop_assert_eq!(values.iter().collect::<Vec<_>>(), known);
            }
        }
    }
}
