//! Segments that somebody or something has changed behind pgflit's back: each is named with the
//! bytes, nothing of it is applied, and what it was before brings everything. So they are without
//! their checksum, as far as their lines tell it.

use std::fs;
use std::path::{Path, PathBuf};

use pgflit::segment::{self, Kind};

use super::Capture;
use crate::support::{assert_equal, pgflit};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, body text)";

/// Rows of a transaction: less than half a segment of [`capture`].
const ROWS: i64 = 40;
const TRANSACTIONS: i64 = 20;

/// Some transactions received, in a few segments.
fn capture() -> Capture {
    let capture = Capture::of(TABLES).with_wal_segments_of(64 << 10);
    for transaction in 0..TRANSACTIONS {
        capture.pair.source.sql(&format!(
            "INSERT INTO fruit SELECT n, repeat(md5(n::text), 18)
               FROM generate_series(1, {ROWS}) g, LATERAL (SELECT {transaction} * {ROWS} + g) AS _ (n)"
        ));
    }
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture
}

fn closed(capture: &Capture, kind: Kind) -> Vec<PathBuf> {
    let entries = segment::entries(&capture.work_dir().cdc, kind).expect("segments");
    let closed = entries.into_iter().filter(|entry| entry.closed);
    closed.map(|entry| entry.path).collect()
}

fn remove(capture: &Capture, kind: Kind) {
    for entry in segment::entries(&capture.work_dir().cdc, kind).expect("segments") {
        fs::remove_file(entry.path).expect("removed");
    }
}

fn arrived(capture: &Capture) -> i64 {
    capture.pair.target.number("SELECT count(*) FROM fruit")
}

/// Where the nth line begins that begins with `start`.
fn line(bytes: &[u8], start: &str, nth: usize) -> usize {
    let mut at = 0;
    let mut found = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(start.as_bytes()) {
            found.push(at);
        }
        at += line.len();
    }
    found[nth]
}

fn without_line(bytes: &[u8], at: usize) -> Vec<u8> {
    let end = at + 1 + bytes[at..].iter().position(|byte| *byte == b'\n').unwrap();
    [&bytes[..at], &bytes[end..]].concat()
}

/// As whoever edits a segment on purpose leaves it, and as those that are older are.
fn without_checksum(bytes: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(bytes).expect("UTF-8");
    let at = text.rfind(r#","crc32":""#).expect("a checksum");
    [&text[..at], &text[at + r#","crc32":"01234567""#.len()..]]
        .concat()
        .into_bytes()
}

/// What became of the file, and what is told besides its name.
type Damage = fn(&[u8]) -> (Vec<u8>, String);

const ROW: &str = r#"{"action":"I""#;

const OF_JSON: [(&str, Damage); 5] = [
    ("zeros", |whole| {
        let (at, mut spoiled) = (line(whole, ROW, 20), whole.to_vec());
        spoiled[at + 30..at + 130].fill(0);
        (spoiled, format!("byte {at}"))
    }),
    ("half a line is gone", |whole| {
        let at = line(whole, ROW, 20);
        let spoiled = [&whole[..at], &whole[at + 200..]].concat();
        (spoiled, format!("byte {at}"))
    }),
    ("its end is gone", |whole| {
        let at = line(whole, ROW, 20);
        (
            whole[..at].to_vec(),
            format!("byte {at}: the closed segment ends here"),
        )
    }),
    ("its end is gone, inside a line", |whole| {
        let at = line(whole, ROW, 20);
        let told = format!("ends inside a line that begins at byte {at}");
        (whole[..at + 50].to_vec(), told)
    }),
    ("everything is gone", |_| {
        (
            Vec::new(),
            "byte 0: the closed segment ends here".to_owned(),
        )
    }),
];

#[test]
fn a_damaged_json_segment_is_named_with_its_byte_and_nothing_of_it_is_applied() {
    let capture = capture();
    let json = closed(&capture, Kind::Json);
    assert!(json.len() >= 4, "{json:?}");
    let path = &json[json.len() / 2];
    let whole = fs::read(path).expect("read");
    for (what, damage) in OF_JSON {
        let (spoiled, told) = damage(&without_checksum(&whole));
        fs::write(path, spoiled).expect("damaged");
        is_refused(&capture, path, &told, what);
    }
    fs::write(path, &whole).expect("as it was");
    let mut cut = zstd::encode_all(&whole[..], 3).expect("compressed");
    cut.truncate(cut.len() / 2);
    is_refused_compressed(&capture, path, &cut, "damaged behind byte ");
    // Whoever supervises ends with it.
    let (spoiled, told) = OF_JSON[0].1(&without_checksum(&whole));
    fs::write(path, spoiled).expect("damaged");
    let catchup = || pgflit("stream catchup").between(&capture.pair).run();
    let ended = catchup().assert_code(12).assert_stderr(&told);
    ended
        .assert_stderr(&path.display().to_string())
        .assert_stderr("hint: the file was damaged after it was written");
    fs::write(path, &whole).expect("as it was");
    catchup().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[track_caller]
fn is_refused(capture: &Capture, path: &Path, told: &str, what: &str) {
    println!("{what}");
    remove(capture, Kind::Sql);
    let refused = capture.transform().run().assert_code(12);
    refused
        .assert_stderr(&path.display().to_string())
        .assert_stderr(told);
    capture.apply().arg("--until-end").run().assert_code(0);
    let arrived = arrived(capture);
    assert!(
        arrived % ROWS == 0 && arrived > 0 && arrived < ROWS * TRANSACTIONS,
        "{what}: {arrived} rows"
    );
}

#[track_caller]
fn is_refused_compressed(capture: &Capture, path: &Path, compressed: &[u8], told: &str) {
    let whole = fs::read(path).expect("read");
    let other = PathBuf::from(format!("{}.zst", path.display()));
    fs::write(&other, compressed).expect("written");
    fs::remove_file(path).expect("removed");
    is_refused(capture, &other, told, "compressed");
    fs::write(path, whole).expect("as it was");
    fs::remove_file(other).expect("removed");
}

/// What no line tells: a segment with the lines of these beginnings of a row, a transaction and its
/// end, as somebody may have left it.
const SILENT: [(&str, Silent); 4] = [
    ("a value that is another", |whole, [row, ..]| {
        let (at, mut changed) = (line(whole, row, 0), whole.to_vec());
        let end = at + whole[at..].iter().position(|byte| *byte == b'\n').unwrap();
        changed[end - 100..end - 94].copy_from_slice(b"mended");
        changed
    }),
    ("a row that is gone", |whole, [row, ..]| {
        without_line(whole, line(whole, row, 1))
    }),
    ("a row that is there twice", |whole, [row, ..]| {
        let (at, next) = (line(whole, row, 1), line(whole, row, 2));
        [&whole[..next], &whole[at..next], &whole[next..]].concat()
    }),
    ("a transaction that is gone", |whole, [_, begin, commit]| {
        let begun = line(whole, begin, 0);
        let ended = begun + line(&whole[begun..], commit, 0);
        without_line(&[&whole[..begun], &whole[ended..]].concat(), begun)
    }),
];
type Silent = fn(&[u8], [&str; 3]) -> Vec<u8>;

const JSON_LINES: [&str; 3] = [ROW, r#"{"action":"B""#, r#"{"action":"C""#];
const SQL_LINES: [&str; 3] = ["EXECUTE ", "BEGIN; ", "COMMIT; "];

fn changed_up_to(segment: &[u8]) -> String {
    let mut lines = segment.split_inclusive(|byte| *byte == b'\n');
    let last = lines.next_back().expect("a line").len();
    let bytes = segment.len() - last;
    format!("bytes 0 to {bytes}: changed after the segment was closed")
}

const ON_PURPOSE: &str = "if it was edited on purpose, take \"crc32\" out of its last line";

#[test]
fn a_json_segment_whose_lines_are_all_fine_is_refused_if_they_are_not_what_they_were() {
    let capture = capture();
    let json = closed(&capture, Kind::Json);
    let path = &json[json.len() / 2];
    let whole = fs::read(path).expect("read");
    for (what, change) in SILENT {
        let changed = change(&whole, JSON_LINES);
        fs::write(path, &changed).expect("changed");
        is_refused(&capture, path, &changed_up_to(&changed), what);
    }
    // By itself, too.
    let changed = fs::read(path).expect("read");
    let alone = capture.transform().arg(path).arg("-").run();
    let alone = alone.assert_code(12).assert_stderr(ON_PURPOSE);
    let alone = alone.assert_stderr(&changed_up_to(&changed));
    assert_eq!(alone.stdout, "");
    fs::write(path, &whole).expect("as it was");
    let compressed = zstd::encode_all(&changed[..], 3).expect("compressed");
    is_refused_compressed(&capture, path, &compressed, &changed_up_to(&changed));
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn a_json_segment_that_is_gone_is_missed_wherever_transform_begins() {
    let capture = capture();
    let json = closed(&capture, Kind::Json);
    // With the first of all gone, nothing tells but where following began.
    for path in [&json[0], &json[json.len() / 2]] {
        let whole = fs::read(path).expect("read");
        fs::remove_file(path).expect("removed");
        // At the second run what stands before it is transformed.
        for _ in 0..2 {
            let refused = capture.transform().run().assert_code(12);
            refused
                .assert_stderr(&format!(
                    "{} is missing, and later ones are there",
                    path.display()
                ))
                .assert_stderr("put back a copy of it");
        }
        capture.apply().arg("--until-end").run().assert_code(0);
        assert!(arrived(&capture) < ROWS * TRANSACTIONS);
        fs::write(path, whole).expect("put back");
        remove(&capture, Kind::Sql);
    }
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

const OF_SQL: [(&str, Damage); 8] = [
    ("the text of a statement", |whole| {
        let at = line(whole, "PREPARE ", 0);
        let text = String::from_utf8_lossy(whole);
        let spoiled = text.replacen("VALUES ($1, $2)", "VALUES ($1, NULL)", 1);
        let told = format!("byte {at}: statement ");
        (spoiled.into_bytes(), told)
    }),
    ("a line that is none", |whole| {
        let (at, mut spoiled) = (line(whole, "EXECUTE ", 20), whole.to_vec());
        spoiled[at..at + 7].copy_from_slice(b"PERFORM");
        (
            spoiled,
            format!("byte {at}: the line is none that transform writes"),
        )
    }),
    ("values that are none", |whole| {
        let (at, mut spoiled) = (line(whole, "EXECUTE ", 20), whole.to_vec());
        spoiled[at + 60] = b'"';
        (spoiled, format!("byte {at}: the JSON in the line"))
    }),
    ("a value that is gone", |whole| {
        let at = line(whole, "EXECUTE ", 20);
        let comma = at + whole[at..].iter().position(|byte| *byte == b',').unwrap();
        let end = at + whole[at..].iter().position(|byte| *byte == b']').unwrap();
        let spoiled = [&whole[..comma], &whole[end..]].concat();
        (spoiled, format!("byte {at}: 1 values where statement "))
    }),
    ("a COMMIT that is gone", |whole| {
        let at = line(whole, "COMMIT; ", 0);
        let told = format!("byte {at}: BEGIN inside a transaction");
        (without_line(whole, at), told)
    }),
    ("a BEGIN that is gone", |whole| {
        let at = line(whole, "BEGIN; ", 0);
        let spoiled = without_line(whole, at);
        // Nothing but a PREPARE may stand before the change that is told.
        let next = at + line(&spoiled[at..], "EXECUTE ", 0);
        (
            spoiled,
            format!("byte {next}: a change outside a transaction"),
        )
    }),
    ("its end is gone", |whole| {
        let at = line(whole, "COMMIT; ", 0);
        let end = at + 1 + whole[at..].iter().position(|byte| *byte == b'\n').unwrap();
        (
            whole[..end].to_vec(),
            format!("byte {end}: the closed segment ends here, and not with SWITCH WAL"),
        )
    }),
    ("everything is gone", |_| {
        (
            Vec::new(),
            "byte 0: the closed segment ends here, and not with SWITCH WAL".to_owned(),
        )
    }),
];

#[test]
fn a_sql_segment_that_does_not_hold_together_is_named_and_made_again_from_its_json() {
    let capture = capture();
    capture.transform().run().assert_code(0);
    let sql = closed(&capture, Kind::Sql);
    assert!(sql.len() >= 4, "{sql:?}");
    let (path, later) = (&sql[sql.len() / 2], &sql[sql.len() / 2 + 1..]);
    let whole = fs::read(path).expect("read");
    let refused = |what: &str, path: &Path, told: &str| {
        println!("{what}");
        let refused = capture.apply().run().assert_code(12);
        refused
            .assert_stderr(&path.display().to_string())
            .assert_stderr(told)
            .assert_stderr("hint: remove this .sql segment and all later ones");
        // What stands in the segments before it is applied.
        let arrived = arrived(&capture);
        assert!(
            arrived % ROWS == 0 && arrived > 0 && arrived < ROWS * TRANSACTIONS,
            "{what}: {arrived} rows"
        );
    };
    for (what, damage) in OF_SQL {
        let (spoiled, told) = damage(&without_checksum(&whole));
        assert_ne!(spoiled, without_checksum(&whole), "{what}");
        fs::write(path, spoiled).expect("edited");
        refused(what, path, &told);
    }
    for (what, change) in SILENT {
        let changed = change(&whole, SQL_LINES);
        fs::write(path, &changed).expect("edited");
        refused(what, path, &changed_up_to(&changed));
    }
    // By itself, too.
    for apply in [
        capture.apply(),
        pgflit("stream apply").args(["--target", "-"]),
    ] {
        let alone = apply.arg(path).run().assert_code(12);
        let alone = alone.assert_stderr(ON_PURPOSE);
        let alone = alone.assert_stderr("changed after the segment was closed");
        assert_eq!(alone.stdout, "");
    }
    // One that is not there at all.
    fs::remove_file(path).expect("removed");
    capture.transform().arg("--until-end").run().assert_code(0);
    refused(
        "the segment is gone",
        path,
        "is missing, and later ones are there",
    );
    for path in later {
        fs::remove_file(path).expect("removed");
    }
    remove_growing(&capture);
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

fn remove_growing(capture: &Capture) {
    let entries = segment::entries(&capture.work_dir().cdc, Kind::Sql).expect("segments");
    for entry in entries.into_iter().filter(|entry| !entry.closed) {
        fs::remove_file(entry.path).expect("removed");
    }
}

#[test]
fn a_file_that_begins_inside_a_transaction_that_the_target_lacks_is_refused() {
    let capture = capture();
    capture.transform().run().assert_code(0);
    let sql = closed(&capture, Kind::Sql);
    let inside = sql.iter().find(|path| {
        let text = fs::read_to_string(path).expect("read");
        text.starts_with("PREPARE ") && text.contains("\nCOMMIT; ")
    });
    let inside = inside.expect("a segment that begins inside a transaction");
    let refused = capture.apply().arg(inside).run().assert_code(12);
    refused.assert_stderr("COMMIT of a transaction whose BEGIN is not read");
    assert_eq!(arrived(&capture), 0);
    capture.apply().run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn a_value_that_somebody_has_written_into_a_closed_segment_is_applied_once_the_checksum_is_out() {
    for kind in [Kind::Json, Kind::Sql] {
        let capture = capture();
        let lines = match kind {
            Kind::Json => JSON_LINES,
            Kind::Sql => {
                capture.transform().run().assert_code(0);
                SQL_LINES
            }
        };
        let path = &closed(&capture, kind)[1];
        let whole = fs::read(path).expect("read");
        let edited = SILENT[0].1(&without_checksum(&whole), lines);
        fs::write(path, edited).expect("edited");
        capture.transform().run().assert_code(0);
        capture.apply().run().assert_code(0);
        let mended = "SELECT count(*) FROM fruit WHERE body LIKE '%mended%'";
        assert_eq!(capture.pair.target.number(mended), 1);
        assert_eq!(arrived(&capture), ROWS * TRANSACTIONS);
    }
}

#[test]
fn a_clock_that_goes_backwards_changes_nothing() {
    let capture = capture();
    let mut years = (1971..2070).rev();
    for entry in segment::entries(&capture.work_dir().cdc, Kind::Json).expect("segments") {
        let text = fs::read_to_string(&entry.path).expect("read");
        let mut turned = String::new();
        for line in text.split_inclusive('\n') {
            let stamp = line.find("\"timestamp\":\"").map(|at| at + 13);
            match stamp {
                Some(at) => {
                    let year = years.next().expect("more years than positions");
                    turned.push_str(&line[..at]);
                    turned.push_str(&year.to_string());
                    turned.push_str(&line[at + 4..]);
                }
                None => turned.push_str(line),
            }
        }
        if entry.closed {
            turned = String::from_utf8(without_checksum(turned.as_bytes())).expect("UTF-8");
        }
        fs::write(&entry.path, turned).expect("written");
    }
    capture.transform().run().assert_code(0);
    for _ in 0..2 {
        capture.apply().run().assert_code(0);
    }
    assert_equal(&capture.pair.source, &capture.pair.target);
}
