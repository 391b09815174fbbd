//! What is known to be equal, on disk: `compare/data.jsonl` in the work directory.
//!
//! | line | what it is |
//! |---|---|
//! | the first | `{"format":1,…}`: which servers, filters, and how much of each row |
//! | each other | `{"schema":…,"name":…,"rows":…,"sums":[…],"at":…}`: a table that was found equal, and when |
//!
//! Each line is written before the next table is told, and synced once a second: what a
//! power cut takes is compared again. From a line on that has no end or cannot be read, nothing counts. Another
//! `format` is of another version, and refused.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::QualifiedName;
use crate::store::{Lock, seconds_since_1970};

use super::digest::Digest;
use crate::verify::error::CompareError;

const FORMAT: u32 = 1;

/// A sync costs milliseconds, and so does a small table.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What is compared: results of one comparison say nothing about another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    format: u32,
    /// The source's cluster and database.
    pub source: String,
    /// The target's.
    pub target: String,
    /// The text of the filters, if there are any.
    pub filters: Option<String>,
    /// How much of each table.
    pub depth: String,
}

impl Comparison {
    /// One of these.
    pub fn new(source: String, target: String, filters: Option<String>, depth: String) -> Self {
        Self {
            format: FORMAT,
            source,
            target,
            filters,
            depth,
        }
    }

    fn difference(&self, other: &Comparison) -> Option<String> {
        let said = [
            ("the source", self.source != other.source),
            ("the target", self.target != other.target),
            ("the filters", self.filters != other.filters),
            ("the version of the file", self.format != other.format),
        ];
        if let Some((what, _)) = said.iter().find(|(_, differs)| *differs) {
            return Some(format!("{what} was another"));
        }
        (self.depth != other.depth)
            .then(|| format!("it compared {}, not {}", other.depth, self.depth))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct EqualTable {
    schema: String,
    name: String,
    rows: u64,
    sums: [String; 2],
    at: f64,
}

/// The open file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// When it was synced last.
    synced: Option<Instant>,
    _alone: Lock,
}

/// What was found equal before.
pub type Before = BTreeMap<QualifiedName, Digest>;

impl Journal {
    /// Opens the file in `folder`, which is made if need be; what an earlier run has found is read if
    /// `resume`, else forgotten.
    ///
    /// # Errors
    /// Somebody else compares there; the file is of another comparison, or cannot be used.
    pub fn open(
        folder: &Path,
        comparison: &Comparison,
        resume: bool,
    ) -> Result<(Self, Before), CompareError> {
        let path = folder.join("data.jsonl");
        let failed = |doing| {
            let path = path.clone();
            move |source| CompareError::Journal {
                doing,
                path,
                source,
            }
        };
        fs::create_dir_all(folder).map_err(failed("making the folder of"))?;
        let alone = Lock::take(&folder.join("compare.lock"))?;
        let text = match (resume, fs::read(&path)) {
            (true, Ok(text)) => text,
            (true, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("reading")(error));
            }
            _ => Vec::new(),
        };
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let mut lines = lines.take_while(|line| line.ends_with(b"\n"));
        let mut before = Before::new();
        let mut kept = 0;
        if let Some(first) = lines.next() {
            let begun: Comparison =
                serde_json::from_slice(first).map_err(|error| failed("reading")(error.into()))?;
            if let Some(difference) = comparison.difference(&begun) {
                return Err(CompareError::OtherComparison { path, difference });
            }
            kept = first.len();
            for line in lines {
                let Ok((name, digest)) = parse(line) else {
                    break;
                };
                kept += line.len();
                before.insert(name, digest);
            }
        }
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("opening"))?;
        file.set_len(kept as u64)
            .map_err(failed("cutting off the end of"))?;
        let mut file = file;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failed("opening"))?;
        let mut journal = Self {
            path: path.clone(),
            file,
            synced: None,
            _alone: alone,
        };
        if kept == 0 {
            journal.line(comparison)?;
            let folder = File::open(folder).and_then(|folder| folder.sync_all());
            folder.map_err(failed("syncing the folder of"))?;
        }
        Ok((journal, before))
    }

    /// `name` is equal.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn equal(&mut self, name: &QualifiedName, digest: Digest) -> Result<(), CompareError> {
        self.line(&EqualTable {
            schema: name.schema.clone(),
            name: name.name.clone(),
            rows: digest.rows,
            sums: digest.sums.map(|sum| sum.to_string()),
            at: seconds_since_1970(),
        })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), CompareError> {
        let text = serde_json::to_string(value).map_err(io::Error::from);
        let written = text.and_then(|text| {
            self.file.write_all(format!("{text}\n").as_bytes())?;
            if self
                .synced
                .is_none_or(|synced| synced.elapsed() >= SYNC_EVERY)
            {
                self.file.sync_data()?;
                self.synced = Some(Instant::now());
            }
            Ok(())
        });
        written.map_err(|source| CompareError::Journal {
            doing: "writing",
            path: self.path.clone(),
            source,
        })
    }
}

fn parse(line: &[u8]) -> io::Result<(QualifiedName, Digest)> {
    let table: EqualTable = serde_json::from_slice(line)?;
    let sum = |text: &String| {
        let parsed = text.parse::<i128>();
        parsed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    let digest = Digest {
        rows: table.rows,
        sums: [sum(&table.sums[0])?, sum(&table.sums[1])?],
    };
    Ok((QualifiedName::new(table.schema, table.name), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(depth: &str) -> Comparison {
        Comparison::new("1/5".into(), "2/5".into(), None, depth.into())
    }

    #[test]
    fn what_was_found_is_there_again_but_for_a_torn_line() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("compare");
        let name = QualifiedName::new("S \"1\"", "T\n");
        let digest = Digest {
            rows: 3,
            sums: [-7, i128::from(u64::MAX) * 5],
        };
        let (mut journal, before) =
            Journal::open(&folder, &comparison("rows"), true).expect("made");
        assert!(before.is_empty());
        journal.equal(&name, digest).expect("written");
        drop(journal);
        let path = folder.join("data.jsonl");
        let mut text = fs::read_to_string(&path).expect("read");
        // As a power cut may leave it, and a line after that.
        text.push_str("\0\0\0\n");
        let known = text.lines().nth(1).expect("a line").to_owned();
        text.push_str(&known.replace("\"T", "\"U"));
        text.push_str("\n{\"schema\":\"half");
        fs::write(&path, text).expect("torn");
        let (mut journal, before) =
            Journal::open(&folder, &comparison("rows"), true).expect("opened");
        assert_eq!(before, Before::from([(name.clone(), digest)]));
        let other = QualifiedName::new("s", "t");
        journal.equal(&other, digest).expect("written");
        drop(journal);
        let (journal, before) = Journal::open(&folder, &comparison("rows"), true).expect("opened");
        assert_eq!(before.len(), 2);
        drop(journal);
        let refused = Journal::open(&folder, &comparison("counts"), true).expect_err("another");
        assert!(
            refused
                .to_string()
                .ends_with("it compared rows, not counts"),
            "{refused}"
        );
        let (_journal, before) =
            Journal::open(&folder, &comparison("counts"), false).expect("anew");
        assert!(before.is_empty());
        assert!(matches!(
            Journal::open(&folder, &comparison("counts"), true),
            Err(CompareError::Lock(_))
        ));
    }
}
