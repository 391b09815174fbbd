//! Compressing closed segments.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::{durable_file, failpoint};

use super::closing::check;
use super::open::{COMPRESSED, Content, is_compressed};
use super::{Entry, Error, Kind, failed};

/// Changes as text shrink to a tenth or less at this level, at some hundred megabytes a second.
const LEVEL: i32 = 3;

/// What the name of a segment ends in while it is being compressed. No segment is called so.
const UNFINISHED: &str = ".zst.partial";

/// Replaces a closed segment by its compressed form. `go_on` is asked often; once it says no, the
/// segment is left as it is. Says whether it was compressed.
///
/// The compressed form is read back before the segment is removed, and is what the segment's last
/// line says.
///
/// # Crash story
/// 1. *Killed while compressing*: the unfinished file is written over by the next try.
/// 2. *Killed before the plain file was removed*: both are whole and say the same; the next try
///    removes the plain one.
pub fn compress(entry: &Entry, mut go_on: impl FnMut() -> bool) -> Result<bool, Error> {
    let kind = Kind::of_closed(&entry.path).filter(|_| !is_compressed(&entry.path));
    let Some(kind) = kind else {
        return Ok(false);
    };
    let (finished, unfinished) = (with(&entry.path, COMPRESSED), unfinished(&entry.path));
    if !is_whole(kind, &finished) {
        let written = write_compressed(&entry.path, &unfinished, &mut go_on)
            .map_err(failed("compressing", &entry.path))
            .and_then(|written| match written {
                true => read_back(kind, &entry.path, &unfinished).map(|()| true),
                false => Ok(false),
            });
        if !matches!(written, Ok(true)) {
            // What is left of it would only take room.
            let _ = fs::remove_file(&unfinished);
            return written;
        }
        durable_file::rename(&unfinished, &finished).map_err(failed("compressing", &entry.path))?;
    }
    failpoint::reach("segment compressed");
    fs::remove_file(&entry.path).map_err(failed("removing", &entry.path))?;
    Ok(true)
}

/// Whether the compressed segment at `path` is there, and is what its last line says.
fn is_whole(kind: Kind, path: &Path) -> bool {
    Content::open(path).is_ok_and(|mut content| check(kind, path, &mut content).is_ok())
}

/// Holds what was compressed from the segment at `plain` against its last line.
fn read_back(kind: Kind, plain: &Path, compressed: &Path) -> Result<(), Error> {
    let opened = File::open(compressed).and_then(Content::compressed);
    let mut content = opened.map_err(failed("opening", compressed))?;
    check(kind, plain, &mut content).map(drop)
}

/// Where the closed segment at `plain` is compressed to at first.
pub(super) fn unfinished(plain: &Path) -> PathBuf {
    with(plain, UNFINISHED)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn write_compressed(from: &Path, to: &Path, go_on: &mut impl FnMut() -> bool) -> io::Result<bool> {
    let mut input = File::open(from)?;
    let output = durable_file::create(to)?;
    let mut encoder = zstd::stream::write::Encoder::new(output, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut block = vec![0; 256 * 1024];
    loop {
        if !go_on() {
            return Ok(false);
        }
        match io::Read::read(&mut input, &mut block)? {
            0 => break,
            read => encoder.write_all(&block[..read])?,
        }
    }
    encoder.finish()?.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::{Appender, Follower, Next, Running, entries};
    use super::*;

    fn closed(folder: &Path, lines: &str) -> Entry {
        let name = "000000010000000000000001".parse().expect("a name");
        let mut appender = Appender::open(folder, Kind::Json, name).expect("opened");
        let mut checksum = Running::default();
        checksum.add(lines.as_bytes());
        let crc32 = checksum.value();
        let lines = format!("{lines}{{\"action\":\"X\",\"crc32\":\"{crc32}\"}}\n");
        appender.append(lines.as_bytes()).expect("appended");
        appender.close().expect("closed");
        entries(folder, Kind::Json).expect("listed").remove(0)
    }

    fn lines(folder: &Path) -> Vec<String> {
        let mut follower = Follower::new(folder, Kind::Json, None).expect("made");
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        loop {
            match follower.next(&mut line).expect("read") {
                Next::Line => lines.push(String::from_utf8(line.clone()).expect("UTF-8")),
                Next::Segment(_) => {}
                Next::AtEnd => return lines,
            }
        }
    }

    #[test]
    fn a_compressed_segment_has_the_same_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        let entry = closed(folder.path(), &text);
        let plain = lines(folder.path());
        assert_eq!(plain.len(), 100_001);
        assert!(!compress(&entry, || false).expect("stopped"));
        assert!(entry.path.exists());
        assert!(compress(&entry, || true).expect("compressed"));
        let files: Vec<_> = fs::read_dir(folder.path())
            .expect("listed")
            .map(|file| file.expect("a file").file_name())
            .collect();
        assert_eq!(files, ["000000010000000000000001.json.zst"]);
        assert_eq!(lines(folder.path()), plain);
        // Found by its old path too.
        let mut count = 0;
        super::super::for_each_line(&entry.path, |_| count += 1).expect("read");
        assert_eq!(count, 100_001);
    }

    #[test]
    fn one_that_was_compressed_and_not_removed_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = closed(folder.path(), "a\nb\n");
        let text = fs::read(&entry.path).expect("read");
        compress(&entry, || true).expect("compressed");
        fs::write(&entry.path, text).expect("written");
        assert_eq!(lines(folder.path())[..2], ["a", "b"]);
        let entry = entries(folder.path(), Kind::Json)
            .expect("listed")
            .remove(0);
        assert!(is_compressed(&entry.path));
        let plain = Entry {
            path: Kind::Json.closed_path(folder.path(), entry.name),
            ..entry
        };
        assert!(compress(&plain, || true).expect("removed"));
        assert!(!plain.path.exists());
    }

    #[test]
    fn damage_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        compress(&closed(folder.path(), &text), || true).expect("compressed");
        let entry = entries(folder.path(), Kind::Json)
            .expect("listed")
            .remove(0);
        let mut bytes = fs::read(&entry.path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(&entry.path, bytes).expect("written");
        let mut follower = Follower::new(folder.path(), Kind::Json, None).expect("made");
        let error = follower
            .next(&mut Vec::new())
            .expect_err("damaged")
            .to_string();
        assert!(error.contains(".json.zst, damaged behind byte "), "{error}");
    }

    #[test]
    fn what_was_changed_is_not_compressed() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = closed(folder.path(), "a\nb\n");
        let text = fs::read_to_string(&entry.path).expect("read");
        fs::write(&entry.path, text.replace('b', "c")).expect("written");
        let error = compress(&entry, || true).expect_err("changed");
        assert!(
            matches!(&error, Error::Changed { path, bytes: 4, .. } if *path == entry.path),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
        fs::write(&entry.path, &text).expect("as it was");
        // A compressed one that does not hold together is no reason to remove the plain one.
        fs::write(with(&entry.path, COMPRESSED), "zebra").expect("written");
        assert!(compress(&entry, || true).expect("compressed"));
        assert_eq!(lines(folder.path())[..2], ["a", "b"]);
    }
}
