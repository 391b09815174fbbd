//! Names, logs and arguments that would be something else in a page.

use std::fs;

use super::report;
use crate::support::{Pair, pgflit};

const SOURCE: &str = r#"
    CREATE TABLE "<script>alert(1)</script>" (id int PRIMARY KEY);
    CREATE TABLE "a&b;""'<!--" (id int PRIMARY KEY);
    CREATE TABLE U&"esc\001b[2J\202e" (id int PRIMARY KEY);
    CREATE SCHEMA "</table>";
    CREATE TABLE "</table>"."]]>" (id int PRIMARY KEY);
    INSERT INTO "<script>alert(1)</script>" SELECT generate_series(1, 1234);
"#;

#[test]
fn names_are_text_whatever_they_hold_and_logs_may_be_any_bytes() {
    let pair = Pair::new();
    pair.source.sql(SOURCE);
    pgflit("clone").between(&pair).run().assert_code(0);
    let log = pair.dir().join("log/clone.log");
    let mut lines = fs::read(&log).expect("a log");
    lines.extend(b"2026-11-21 05:38:02 [7] WARN  late <b>\xff\xfe\x00\x1b[31m & gone\n");
    lines.extend(b"\xf0\x28\x8c\x28 no line of ours <\n{\"level\":\"WARN\",\"message\":\"<i>\"}\n");
    fs::write(&log, lines).expect("written");
    let page = report(&pair);
    page.says("<script>alert(1)</script>")
        .says("1,234")
        .says("a&b;\"\"'<!--")
        .says("</table>")
        .says("]]>")
        .says("late <b>\u{FFFD}\u{FFFD}")
        .says("<i>");
    assert!(!page.html.contains("<script>alert"), "{}", page.html);
    assert!(!page.html.contains('\u{1b}'));
    assert!(!page.html.contains("<b>\u{FFFD}"));
}

#[test]
fn no_password_is_in_the_page() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let with_password = |uri: &str| {
        uri.replace('?', "?password=s3cret&")
            .replacen("@", ":s3cret@", 1)
    };
    let uri = |uri: &str| match uri.contains('?') {
        true => with_password(uri),
        false => with_password(&format!("{uri}?sslmode=prefer")),
    };
    pgflit("clone")
        .arg("--source")
        .arg(uri(pair.source.uri()))
        .arg("--target")
        .arg(uri(pair.target.uri()))
        .dir(pair.dir())
        .run()
        .assert_code(0);
    let page = report(&pair);
    page.says("pgflit clone --source").says("****");
    assert!(!page.html.contains("s3cret"), "{}", page.text);
    let store = fs::read(pair.dir().join("pgflit.db")).expect("the store");
    assert!(!store.windows(6).any(|bytes| bytes == b"s3cret"));
}
