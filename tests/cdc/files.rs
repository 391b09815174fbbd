//! Segments by hand: one file to SQL, and SQL for `psql`.

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
    let json = pgflit::segment::entries(&cdc, pgflit::segment::Kind::Json).expect("segments");
    let sql = pgflit::segment::entries(&cdc, pgflit::segment::Kind::Sql).expect("segments");
    let by_hand = capture.pair.path("by-hand.sql");
    pgflit("stream transform")
        .arg(&json[0].path)
        .arg(&by_hand)
        .run()
        .assert_code(0);
    let read = |path| std::fs::read_to_string(path).expect("SQL");
    assert_eq!(read(&by_hand), read(&sql[0].path));
}
