//! Segments by hand: one file to SQL, and SQL for `psql`.

use pgflit::segment::{self, Kind};

use super::Capture;
use crate::support::{assert_equal, pgflit};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, name text)";

#[test]
fn printed_sql_run_by_psql_makes_the_target_equal() {
    let capture = Capture::of(TABLES);
    let pair = &capture.pair;
    pair.source.sql(
        "INSERT INTO fruit VALUES (1, 'it''s \\ $1'), (2, NULL), (3, 'x');
         DELETE FROM fruit WHERE id = 3;",
    );
    pair.source
        .sql("UPDATE fruit SET name = E'a\\nb' WHERE id = 2");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().arg("--until-end").run().assert_code(0);
    let print = pgflit("stream apply --target -").dir(pair.dir());
    let printed = print.run().assert_code(0);
    pair.target.sql(&printed.stdout);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn one_segment_becomes_the_same_sql_as_the_folder_says() {
    let capture = Capture::of(TABLES);
    capture.pair.source.sql("INSERT INTO fruit VALUES (1, 'a')");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    let cdc = capture.work_dir().cdc;
    let json = segment::entries(&cdc, Kind::Json).expect("segments");
    let sql = segment::entries(&cdc, Kind::Sql).expect("segments");
    let by_hand = capture.pair.path("by-hand.sql");
    pgflit("stream transform")
        .arg(&json[0].path)
        .arg(&by_hand)
        .run()
        .assert_code(0);
    let read = |path| std::fs::read_to_string(path).expect("SQL");
    assert_eq!(read(&by_hand), read(&sql[0].path));
}

/// Receive and transform close no file inside a line; one that still grows may end there.
#[test]
fn a_closed_file_that_ends_inside_a_line_is_named_with_it() {
    let capture = Capture::of(TABLES);
    capture.pair.source.sql("INSERT INTO fruit VALUES (1, 'a')");
    capture.pair.source.sql("INSERT INTO fruit VALUES (2, 'b')");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    let torn = |kind, last: &str, name: &str| {
        let segments = segment::entries(&capture.work_dir().cdc, kind).expect("segments");
        let whole = std::fs::read_to_string(&segments[0].path).expect("read");
        let end = whole.rfind(last).expect("the line") + 10;
        let path = capture.pair.path(name);
        std::fs::write(&path, &whole[..end]).expect("written");
        let told = format!(
            "line {}: the file ends inside this line",
            whole[..end].lines().count()
        );
        (path, told)
    };
    let commit = r#"{"action":"C""#;
    let (closed, told) = torn(Kind::Json, commit, "torn.json");
    let (growing, _) = torn(Kind::Json, commit, "torn.json.partial");
    for output in [
        capture.pair.path("torn.sql").display().to_string(),
        "-".into(),
    ] {
        let transform = pgflit("stream transform").arg(&closed).arg(&output);
        transform.run().assert_code(12).assert_stderr(&told);
    }
    assert!(!capture.pair.path("torn.sql").exists());
    let transform = pgflit("stream transform").arg(growing).arg("-");
    assert!(transform.run().assert_code(0).stdout.contains("BEGIN"));

    let (closed, told) = torn(Kind::Sql, "COMMIT; ", "torn.sql");
    let (growing, _) = torn(Kind::Sql, "COMMIT; ", "torn.sql.partial");
    let apply = |path| {
        let apply = pgflit("stream apply")
            .target(&capture.pair.target)
            .arg(path);
        apply.dir(capture.pair.dir()).run()
    };
    apply(growing).assert_code(0);
    apply(closed).assert_code(12).assert_stderr(&told);
    let arrived = "SELECT count(*) FROM fruit";
    assert_eq!(capture.pair.target.number(arrived), 1);
}
