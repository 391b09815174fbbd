//! Keeping the SQL segments of a folder in step with its JSON segments.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::{Lsn, failpoint};
use crate::cdc::json_line;
use crate::segment::{self, Appender, Follower, Kind, Next, SegmentName};

use super::transformer::{Open, TransformError, Transformer};

/// SQL gathered before it is written: large enough that writing is not the cost, small enough
/// that apply sees it soon.
const WRITE_BYTES: usize = 256 * 1024;

/// Lines looked at in one [`FolderTransform::step`], so that the caller can look around often.
const STEP_LINES: usize = 10_000;

/// The SQL of a folder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A segment could not be read or written.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// A line of a JSON segment cannot become SQL; never skipped.
    #[error("{}, byte {offset}", path.display())]
    Line {
        /// The JSON segment.
        path: PathBuf,
        /// Where the line begins in it.
        offset: u64,
        /// Why.
        #[source]
        source: TransformError,
    },
}

impl FolderError {
    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            FolderError::Segment(error) => error.hint(),
            FolderError::Line { .. } => Some(Kind::Json.mended_by().to_owned()),
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more at once.
    Moved,
    /// All there is has been transformed and written.
    AtEnd,
    /// The same, and the last line is an `E`: receive has ended there.
    Endpos(Lsn),
}

/// The one writer of a folder's SQL segments.
#[derive(Debug)]
pub struct FolderTransform {
    folder: PathBuf,
    follower: Follower,
    transformer: Transformer,
    output: Option<Output>,
    sql: Vec<u8>,
    line: Vec<u8>,
    endpos: Option<Lsn>,
}

/// A growing SQL segment, of which the first bytes may be there already.
#[derive(Debug)]
struct Output {
    appender: Appender,
    /// What an earlier run left, to be compared; none when past it.
    present: Option<File>,
}

impl FolderTransform {
    /// Goes on where the SQL segments of `folder` end.
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let written = segment::entries(folder, Kind::Sql)?;
        let (follower, open) = match written.last() {
            // Behind the last, which is complete, whether or not anything later is there.
            Some(last) if last.closed => {
                let closing = segment::closing(&last.path, Kind::Sql)?;
                let next = closing.and_then(|closing| closing.next);
                (
                    Follower::after(folder, Kind::Json, last.name, next),
                    is_open_after(folder, |name| name <= last.name)?,
                )
            }
            Some(last) => (
                Follower::new(folder, Kind::Json, Some(last.name))?,
                is_open_after(folder, |name| name < last.name)?,
            ),
            None => (Follower::new(folder, Kind::Json, None)?, Open::Unknown),
        };
        Ok(Self {
            folder: folder.to_owned(),
            follower,
            transformer: Transformer::starting(open),
            output: None,
            sql: Vec::new(),
            line: Vec::new(),
            endpos: None,
        })
    }

    /// Transforms what is there, up to a bound. What is transformed is written when this returns,
    /// with an error too.
    pub fn step(&mut self) -> Result<Progress, FolderError> {
        for _ in 0..STEP_LINES {
            match self.follower.next(&mut self.line)? {
                Next::Line => self.transform_line()?,
                Next::Segment(name) => {
                    self.finish_segment()?;
                    self.begin_segment(name)?;
                }
                Next::AtEnd => {
                    self.write()?;
                    return Ok(match self.endpos {
                        Some(lsn) => Progress::Endpos(lsn),
                        None => Progress::AtEnd,
                    });
                }
            }
            if self.sql.len() >= WRITE_BYTES {
                self.write()?;
            }
        }
        self.write()?;
        Ok(Progress::Moved)
    }

    fn transform_line(&mut self) -> Result<(), FolderError> {
        let transformed = self.transformer.line(&self.line, &mut self.sql);
        if let Err(source) = transformed {
            self.write()?;
            let (path, offset) = self.follower.place();
            return Err(FolderError::Line {
                path,
                offset,
                source,
            });
        }
        self.endpos = match self.line.starts_with(br#"{"action":"E""#) {
            true => json_line::boundary(&self.line).ok().flatten(),
            false => None,
        };
        Ok(())
    }

    fn begin_segment(&mut self, name: SegmentName) -> Result<(), FolderError> {
        self.transformer.begin_segment();
        let appender = Appender::open(&self.folder, Kind::Sql, name)?;
        let present = match appender.length() {
            0 => None,
            _ => Some(
                File::open(appender.path()).map_err(|source| segment::Error::Io {
                    doing: "reading",
                    path: appender.path().to_owned(),
                    source,
                })?,
            ),
        };
        self.output = Some(Output { appender, present });
        Ok(())
    }

    /// A segment has been read to its end.
    fn finish_segment(&mut self) -> Result<(), FolderError> {
        self.write()?;
        match self.output.take() {
            Some(output) => Ok(output.appender.close()?),
            None => Ok(()),
        }
    }

    fn write(&mut self) -> Result<(), FolderError> {
        if let Some(output) = &mut self.output {
            output.append(&self.sql)?;
            if !self.sql.is_empty() {
                failpoint::reach("SQL written");
            }
        }
        self.sql.clear();
        Ok(())
    }
}

impl Output {
    /// Appends what is not there yet.
    fn append(&mut self, mut sql: &[u8]) -> Result<(), segment::Error> {
        if let Some(present) = &mut self.present {
            let same = same_bytes(present, sql).map_err(|source| segment::Error::Io {
                doing: "reading",
                path: self.appender.path().to_owned(),
                source,
            })?;
            if same == sql.len() {
                return Ok(());
            }
            // Past the end of what was there, or at the first byte that a lost write or a hand
            // made different: from here on this file is written anew.
            let at = self.appender.length();
            let kept = self.appender.keep_read(present)?;
            if kept < at {
                tracing::warn!(
                    "{} is not what its JSON says from byte {kept} on: written anew from there",
                    self.appender.path().display()
                );
            }
            self.present = None;
            sql = &sql[same..];
        }
        self.appender.append(sql)
    }
}

/// How many bytes at the start of `expected` the file goes on with. The file stands behind them.
fn same_bytes(file: &mut File, expected: &[u8]) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    let start = file.stream_position()?;
    let mut present = vec![0; expected.len()];
    let mut filled = 0;
    while filled < present.len() {
        match file.read(&mut present[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    let differs = present[..filled]
        .iter()
        .zip(expected)
        .position(|(a, b)| a != b);
    let same = differs.unwrap_or(filled);
    file.seek(SeekFrom::Start(start + same as u64))?;
    Ok(same)
}

/// Whether the JSON segment at `path` begins inside a transaction, as those beside it say.
pub fn begins_inside(path: &Path) -> Result<Open, FolderError> {
    let file_name = path.file_name().and_then(|name| name.to_str());
    let name = file_name.and_then(|name| name.split('.').next()?.parse().ok());
    let Some(name) = name else {
        return Ok(Open::No);
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    is_open_after(folder, |earlier: SegmentName| earlier < name)
}

/// Whether a transaction is open at the end of those JSON segments that are `earlier`.
fn is_open_after(
    folder: &Path,
    earlier: impl Fn(SegmentName) -> bool,
) -> Result<Open, FolderError> {
    let entries = segment::entries(folder, Kind::Json)?;
    for entry in entries.iter().rev().filter(|entry| earlier(entry.name)) {
        let mut open = Open::Unknown;
        segment::for_each_line(&entry.path, |line| {
            match line
                .strip_prefix(br#"{"action":""#)
                .and_then(|rest| rest.first())
            {
                Some(b'B') => open = Open::Yes,
                Some(b'C' | b'K' | b'E') => open = Open::No,
                _ => {}
            }
        })?;
        if open != Open::Unknown {
            return Ok(open);
        }
    }
    Ok(Open::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELATION: &str = r#"{"action":"R","rel":1,"schema":"public","table":"t","columns":[{"name":"id","type":"int4","key":true}],"identity":"d"}"#;

    fn name(low: u32) -> SegmentName {
        format!("0000000100000000{low:08X}")
            .parse()
            .expect("a name")
    }

    fn lines(xid: u32) -> Vec<String> {
        vec![
            format!(r#"{{"action":"B","xid":{xid},"lsn":"0/10"}}"#),
            RELATION.into(),
            format!(r#"{{"action":"I","xid":{xid},"lsn":"0/10","rel":1,"new":["{xid}"]}}"#),
            format!(r#"{{"action":"C","xid":{xid},"lsn":"0/28"}}"#),
        ]
    }

    fn append(appender: &mut Appender, lines: &[String]) {
        for line in lines {
            assert!(json_line::read(line.as_bytes()).is_ok());
            appender
                .append(format!("{line}\n").as_bytes())
                .expect("appended");
        }
    }

    fn to_end(transform: &mut FolderTransform) -> Progress {
        loop {
            match transform.step().expect("a step") {
                Progress::Moved => {}
                end => return end,
            }
        }
    }

    /// All the SQL of a folder.
    fn sql(folder: &Path) -> String {
        let entries = segment::entries(folder, Kind::Sql).expect("entries");
        entries
            .iter()
            .map(|entry| std::fs::read_to_string(&entry.path).expect("read"))
            .collect()
    }

    #[test]
    fn wherever_it_is_killed_the_sql_is_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        append(&mut first, &lines(6)[..3]); // open at the end of the segment
        first
            .append(b"{\"action\":\"X\",\"lsn\":\"0/1000000\"}\n")
            .expect("appended");
        first.close().expect("closed");
        let mut second = Appender::open(folder.path(), Kind::Json, name(2)).expect("opened");
        append(&mut second, &lines(6)[1..]); // goes on, with its own R
        append(&mut second, &lines(7)[..2]); // cut off here
        append(&mut second, &lines(7));
        assert_eq!(
            to_end(&mut FolderTransform::open(folder.path()).expect("opened")),
            Progress::AtEnd
        );
        let whole = sql(folder.path());
        assert_eq!(whole.matches("ROLLBACK").count(), 1, "{whole}");
        let closed = Kind::Sql.closed_path(folder.path(), name(1));
        let closing = segment::closing(&closed, Kind::Sql).expect("what it was");
        assert!(closing.is_some_and(|closing| closing.crc32.is_some()));
        remove_sql_and_make_it_again(folder.path(), &whole);
        let partial = Kind::Sql.partial_path(folder.path(), name(2));
        let written = std::fs::read(&partial).expect("read");
        for cut in 0..written.len() {
            std::fs::write(&partial, &written[..cut]).expect("cut");
            to_end(&mut FolderTransform::open(folder.path()).expect("opened"));
            assert_eq!(sql(folder.path()), whole, "cut at byte {cut}");
        }
    }

    /// From any byte of the first segment on, the last line included.
    fn remove_sql_and_make_it_again(folder: &Path, whole: &str) {
        let closed = Kind::Sql.closed_path(folder, name(1));
        let content = std::fs::read(&closed).expect("read");
        for cut in [0, content.len() / 2, content.len() - 20, content.len()] {
            for entry in segment::entries(folder, Kind::Sql).expect("entries") {
                std::fs::remove_file(entry.path).expect("removed");
            }
            std::fs::write(Kind::Sql.partial_path(folder, name(1)), &content[..cut]).expect("cut");
            to_end(&mut FolderTransform::open(folder).expect("opened"));
            assert_eq!(sql(folder), whole, "cut at byte {cut}");
        }
    }

    #[test]
    fn a_segment_that_is_gone_is_missed_whatever_of_its_sql_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        let switch = format!(
            "{{\"action\":\"X\",\"lsn\":\"0/50\",\"next\":\"{}\"}}",
            name(5)
        );
        append(&mut first, &[switch]);
        first.close().expect("closed");
        // Names may jump, and a segment that is named may be late.
        let end = to_end(&mut FolderTransform::open(folder.path()).expect("opened"));
        assert_eq!(end, Progress::AtEnd);
        Appender::open(folder.path(), Kind::Json, name(6)).expect("opened");
        let missing = Kind::Json.closed_path(folder.path(), name(5));
        let assert_missed = || {
            let mut transform = FolderTransform::open(folder.path()).expect("opened");
            let error = transform.step().expect_err("missing");
            assert!(
                matches!(&error, FolderError::Segment(segment::Error::Missing(path)) if *path == missing),
                "{error}"
            );
        };
        assert_missed();
        // It was there when its SQL was begun.
        std::fs::write(Kind::Sql.partial_path(folder.path(), name(5)), "").expect("written");
        assert_missed();
        // Nothing of the SQL is there.
        for entry in segment::entries(folder.path(), Kind::Sql).expect("entries") {
            std::fs::remove_file(entry.path).expect("removed");
        }
        assert_missed();
    }

    #[test]
    fn a_segment_knows_from_those_before_it_whether_it_begins_inside_a_transaction() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5)[..3]);
        first.close().expect("closed");
        let mut second = Appender::open(folder.path(), Kind::Json, name(2)).expect("opened");
        append(&mut second, &lines(5)[3..]);
        for (path, open) in [
            (
                Kind::Json.closed_path(folder.path(), name(1)),
                Open::Unknown,
            ),
            (Kind::Json.partial_path(folder.path(), name(2)), Open::Yes),
            (folder.path().join("by-hand.json"), Open::No),
        ] {
            assert_eq!(begins_inside(&path).expect("read"), open);
        }
    }

    #[test]
    fn what_a_power_cut_spoiled_is_written_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        to_end(&mut FolderTransform::open(folder.path()).expect("opened"));
        let whole = sql(folder.path());
        let partial = Kind::Sql.partial_path(folder.path(), name(1));
        let mut spoiled = std::fs::read(&partial).expect("read");
        let middle = spoiled.len() / 2;
        spoiled[middle..].fill(0);
        spoiled.push(b'\n');
        std::fs::write(&partial, &spoiled).expect("spoiled");
        to_end(&mut FolderTransform::open(folder.path()).expect("opened"));
        assert_eq!(sql(folder.path()), whole);
    }

    #[test]
    fn a_damaged_line_is_named_with_its_place_and_never_skipped() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        first.append(b"{\"action\":\"I\",\"x\n").expect("appended");
        let at = first.length() - 17;
        append(&mut first, &lines(6));
        let mut transform = FolderTransform::open(folder.path()).expect("opened");
        let error = transform.step().expect_err("damaged");
        assert!(
            error.to_string().ends_with(&format!("byte {at}")),
            "{error}"
        );
    }

    #[test]
    fn what_stands_before_the_damage_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        first.append(b"zebra\n").expect("appended");
        let mut transform = FolderTransform::open(folder.path()).expect("opened");
        transform.step().expect_err("damaged");
        assert!(sql(folder.path()).contains("COMMIT; "));
    }

    #[test]
    fn a_closed_segment_that_has_lost_its_end_is_named_with_its_length() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        let length = first.length();
        first.close().expect("closed");
        Appender::open(folder.path(), Kind::Json, name(2)).expect("opened");
        let mut transform = FolderTransform::open(folder.path()).expect("opened");
        let error = transform.step().expect_err("damaged");
        let told = format!("byte {length}: the closed segment ends here");
        assert!(error.to_string().contains(&told), "{error}");
    }

    #[test]
    fn the_end_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = Appender::open(folder.path(), Kind::Json, name(1)).expect("opened");
        append(&mut first, &lines(5));
        first
            .append(b"{\"action\":\"E\",\"lsn\":\"0/30\"}\n")
            .expect("appended");
        let mut transform = FolderTransform::open(folder.path()).expect("opened");
        assert_eq!(to_end(&mut transform), Progress::Endpos(Lsn::new(0x30)));
    }
}
