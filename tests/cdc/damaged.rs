//! Segments that somebody or something has changed behind pgflit's back: each is named with the
//! byte, nothing behind it is applied, and what it was before brings everything.

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
        let (spoiled, told) = damage(&whole);
        fs::write(path, spoiled).expect("damaged");
        is_refused(&capture, path, &told, what);
    }
    fs::write(path, &whole).expect("as it was");
    is_refused_compressed(&capture, path, &whole);
    // Whoever supervises ends with it.
    let (spoiled, told) = OF_JSON[0].1(&whole);
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

fn is_refused_compressed(capture: &Capture, path: &Path, whole: &[u8]) {
    let compressed = PathBuf::from(format!("{}.zst", path.display()));
    let mut spoiled = zstd::encode_all(whole, 3).expect("compressed");
    let middle = spoiled.len() / 2;
    spoiled.truncate(middle);
    fs::write(&compressed, spoiled).expect("written");
    fs::remove_file(path).expect("removed");
    is_refused(capture, &compressed, "damaged behind byte ", "compressed");
    fs::write(path, whole).expect("as it was");
    fs::remove_file(compressed).expect("removed");
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
            format!("byte {at}: the segment ends with this line, and not with SWITCH WAL"),
        )
    }),
    ("everything is gone", |_| {
        (
            Vec::new(),
            "byte 0: the segment ends with this line, and not with SWITCH WAL".to_owned(),
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
        let arrived = arrived(&capture);
        assert!(
            arrived % ROWS == 0 && arrived < ROWS * TRANSACTIONS,
            "{what}: {arrived} rows"
        );
    };
    for (what, damage) in OF_SQL {
        let (spoiled, told) = damage(&whole);
        assert_ne!(spoiled, whole, "{what}");
        fs::write(path, spoiled).expect("edited");
        refused(what, path, &told);
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
fn a_value_that_somebody_has_written_into_a_closed_sql_segment_is_applied_as_it_stands() {
    let capture = capture();
    capture.transform().run().assert_code(0);
    let path = &closed(&capture, Kind::Sql)[1];
    let text = fs::read_to_string(path).expect("read");
    let at = line(text.as_bytes(), "EXECUTE ", 0);
    let end = at + text[at..].find('\n').unwrap();
    let values = at + text[at..end].find(",\"").unwrap();
    let edited = format!("{},\"mended\"];{}", &text[..values], &text[end..]);
    fs::write(path, edited).expect("edited");
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    let mended = "SELECT count(*) FROM fruit WHERE body = 'mended'";
    assert_eq!(capture.pair.target.number(mended), 1);
    assert_eq!(arrived(&capture), ROWS * TRANSACTIONS);
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
        fs::write(&entry.path, turned).expect("written");
    }
    capture.transform().run().assert_code(0);
    for _ in 0..2 {
        capture.apply().run().assert_code(0);
    }
    assert_equal(&capture.pair.source, &capture.pair.target);
}
