//! The last line of a closed segment, and whether the bytes before it are what they were.
//!
//! It is the one line whose meaning this module knows: `{"action":"X",…}` in a JSON segment,
//! `-- SWITCH WAL {…}` in a SQL segment. Both keys may be missing: a file made by hand has none, and
//! whoever edits a closed segment on purpose takes `crc32` out.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::checksum::{Crc32, Running};
use super::open::{Content, is_compressed};
use super::{Error, Kind, SegmentName, failed};

/// Bytes read at once.
const BLOCK: usize = 256 * 1024;
/// A line that closes a segment is some hundred bytes; of a longer last line not more is kept.
const LINE_MAX: usize = 4096;

/// What the last line of a closed segment says of the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Closing {
    /// The name of the segment that comes next.
    #[serde(default)]
    pub next: Option<SegmentName>,
    /// The checksum of all bytes before this line.
    #[serde(default)]
    pub crc32: Option<Crc32>,
}

/// How a segment ends whose bytes are what its last line says.
pub(super) enum End {
    /// With the line that closes it.
    Closing(Closing),
    /// Otherwise, and how: a closed one has lost its end.
    Other(String),
}

impl Kind {
    /// How the line begins that closes a segment of this kind.
    fn closing_start(self) -> &'static [u8] {
        match self {
            Kind::Json => br#"{"action":"X""#,
            Kind::Sql => b"-- SWITCH WAL ",
        }
    }

    fn read_closing(self, line: &[u8]) -> Option<serde_json::Result<Closing>> {
        let rest = line.strip_prefix(self.closing_start())?;
        Some(serde_json::from_slice(match self {
            Kind::Json => line,
            Kind::Sql => rest,
        }))
    }
}

/// What the last line of the closed segment at `path` says; none if it ends otherwise. The whole
/// of it is read and is what it was.
pub fn closing(path: &Path, kind: Kind) -> Result<Option<Closing>, Error> {
    let mut content = Content::open(path).map_err(failed("opening", path))?;
    Ok(match check(kind, path, &mut content)? {
        End::Closing(closing) => Some(closing),
        End::Other(_) => None,
    })
}

/// Reads a segment from its beginning to its end, and holds its bytes against its last line.
pub(super) fn check(kind: Kind, path: &Path, content: &mut impl Read) -> Result<End, Error> {
    let mut scan = Scan::new();
    loop {
        match scan.read(content) {
            Ok(true) => {}
            Ok(false) => return scan.end(kind, path),
            Err(error) if is_compressed(path) => {
                let at = scan.before + scan.kept as u64;
                return Err(Error::Damaged {
                    path: path.to_owned(),
                    problem: format!("damaged behind byte {at} of what it holds: {error}"),
                });
            }
            Err(error) => return Err(failed("reading", path)(error)),
        }
    }
}

/// What is wrong with a closed segment whose last line has no end.
pub(super) fn torn(line_at: u64) -> String {
    format!("the closed segment ends inside a line that begins at byte {line_at}")
}

/// The checksum of all lines but the last, while the end is not known yet.
struct Scan {
    checksum: Running,
    /// Bytes in the checksum.
    before: u64,
    /// What follows them: `buffer[..kept]`, the last line so far, or the end of it.
    buffer: Vec<u8>,
    kept: usize,
    /// Where the last line begins.
    line_at: u64,
}

impl Scan {
    fn new() -> Self {
        Self {
            checksum: Running::default(),
            before: 0,
            buffer: vec![0; LINE_MAX + BLOCK],
            kept: 0,
            line_at: 0,
        }
    }

    /// Takes more; false at the end.
    fn read(&mut self, input: &mut impl Read) -> std::io::Result<bool> {
        let read = input.read(&mut self.buffer[self.kept..])?;
        if read == 0 {
            return Ok(false);
        }
        let end = self.kept + read;
        // A line feed at the very end may be that of the last line.
        let line = self.buffer[..end - 1]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if line > 0 {
            self.line_at = self.before + line as u64;
        }
        let known = line.max(end.saturating_sub(LINE_MAX));
        self.checksum.add(&self.buffer[..known]);
        self.before += known as u64;
        self.buffer.copy_within(known..end, 0);
        self.kept = end - known;
        Ok(true)
    }

    fn end(&self, kind: Kind, path: &Path) -> Result<End, Error> {
        let otherwise = || {
            let length = self.before + self.kept as u64;
            let wanted = match kind {
                Kind::Json => "an \"X\" line",
                Kind::Sql => "SWITCH WAL",
            };
            End::Other(format!(
                "byte {length}: the closed segment ends here, and not with {wanted}"
            ))
        };
        let line = match self.buffer[..self.kept].split_last() {
            None => return Ok(otherwise()),
            Some((b'\n', line)) => line,
            Some(_) => return Ok(End::Other(torn(self.line_at))),
        };
        let is_whole = self.before == self.line_at;
        let Some(closing) = kind.read_closing(line).filter(|_| is_whole) else {
            return Ok(otherwise());
        };
        let closing = closing.map_err(|error| Error::Damaged {
            path: path.to_owned(),
            problem: format!("byte {}: the last line: {error}", self.line_at),
        })?;
        let found = self.checksum.value();
        match closing.crc32.filter(|said| *said != found) {
            None => Ok(End::Closing(closing)),
            Some(said) => Err(Error::Changed {
                path: path.to_owned(),
                bytes: self.before,
                found,
                said,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    fn checked(kind: Kind, bytes: &[u8], at_once: usize) -> Result<End, Error> {
        check(kind, Path::new("0.json"), &mut Trickle(bytes, at_once))
    }

    fn closed(kind: Kind, content: &[u8]) -> Vec<u8> {
        let mut checksum = Running::default();
        checksum.add(content);
        let keys = format!(
            "\"lsn\":\"0/20\",\"next\":\"000000010000000000000002\",\"crc32\":\"{}\"}}\n",
            checksum.value()
        );
        let start = match kind {
            Kind::Json => "{\"action\":\"X\",",
            Kind::Sql => "-- SWITCH WAL {",
        };
        [content, start.as_bytes(), keys.as_bytes()].concat()
    }

    proptest! {
        #[test]
        fn what_was_closed_is_what_it_was_and_any_changed_byte_is_seen(
            lines in proptest::collection::vec("[a-z\\n]{0,40}", 0..40),
            at_once in 1_usize..300, at: prop::sample::Index, flip in 1_u8..,
        ) {
            let content = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat());
            let content: Vec<u8> = content.collect();
            for kind in [Kind::Json, Kind::Sql] {
                let mut whole = closed(kind, &content);
                let closing = match checked(kind, &whole, at_once) {
                    Ok(End::Closing(closing)) => closing,
                    _ => return Err(TestCaseError::fail("not closed")),
                };
                let next = closing.next.map(|next| next.to_string());
                prop_assert_eq!(next.as_deref(), Some("000000010000000000000002"));
                // Without the last line feed it would end otherwise.
                if content.len() < 2 {
                    continue;
                }
                whole[at.index(content.len() - 1)] ^= flip;
                let error = checked(kind, &whole, at_once).err().map(|error| error.to_string());
                let error = error.unwrap_or_default();
                let told = format!("0.json, bytes 0 to {}: changed", content.len());
                prop_assert!(error.starts_with(&told), "{}", error);
            }
        }

        #[test]
        fn hostile_bytes_end_somehow(bytes: Vec<u8>, at_once in 1_usize..300) {
            let _ = checked(Kind::Json, &bytes, at_once);
            let _ = checked(Kind::Sql, &closed(Kind::Json, &bytes), at_once);
        }
    }

    #[test]
    fn lines_longer_than_what_is_kept_are_summed_whole() {
        let content = [vec![b'x'; 3 * BLOCK + 7], vec![b'\n']].concat();
        for at_once in [1000, LINE_MAX, BLOCK, usize::MAX] {
            let end = checked(Kind::Sql, &closed(Kind::Sql, &content), at_once);
            assert!(matches!(end, Ok(End::Closing(_))));
            let end = checked(Kind::Sql, &content, at_once);
            let told = format!("byte {}: the closed segment ends here", content.len());
            assert!(matches!(end, Ok(End::Other(how)) if how.starts_with(&told)));
        }
    }

    #[test]
    fn the_keys_may_be_missing_and_may_not_be_spoiled() {
        let end = checked(Kind::Json, b"a\n{\"action\":\"X\",\"lsn\":\"0/20\"}\n", 9);
        let none = Closing {
            next: None,
            crc32: None,
        };
        assert!(matches!(end, Ok(End::Closing(closing)) if closing == none));
        for spoiled in ["\"crc32\":7", "\"crc32\":\"\"", "\"next\":\"1\"", "\"crc3"] {
            let text = format!("a\n{{\"action\":\"X\",{spoiled}}}\n");
            let error = checked(Kind::Json, text.as_bytes(), 9).err();
            let error = error.expect("spoiled").to_string();
            assert!(
                error.starts_with("0.json, byte 2: the last line: "),
                "{error}"
            );
        }
    }

    #[test]
    fn an_end_that_is_lost_is_told_with_its_place() {
        for (bytes, told) in [
            (&b""[..], "byte 0: the closed segment ends here"),
            (b"a\nb\n", "byte 4: the closed segment ends here"),
            (
                b"a\nbc",
                "the closed segment ends inside a line that begins at byte 2",
            ),
            (
                b"abc",
                "the closed segment ends inside a line that begins at byte 0",
            ),
        ] {
            let end = checked(Kind::Json, bytes, 3);
            assert!(
                matches!(end, Ok(End::Other(how)) if how.starts_with(told)),
                "{told}"
            );
        }
    }
}
