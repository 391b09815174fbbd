//! A role that sees little; a source with more tables than anybody looks at.

use super::{check, complaints, lines, sound_pair};
use crate::support::{Database, Pair, long_tests_wanted, pgflit, source_options, target_options};

#[test]
fn a_role_that_may_see_little_is_told_what_could_not_be_seen() {
    let pair = sound_pair();
    pair.source.sql(
        "CREATE ROLE blind LOGIN;
         CREATE TABLE t (id int PRIMARY KEY);
         REVOKE SELECT ON pg_catalog.pg_prepared_xacts, pg_catalog.pg_event_trigger, pg_catalog.pg_subscription,
             pg_catalog.pg_collation, pg_catalog.pg_largeobject_metadata, pg_catalog.pg_stat_ssl,
             pg_catalog.pg_extension, pg_catalog.pg_index
         FROM PUBLIC;
         REVOKE SELECT (subname) ON pg_catalog.pg_subscription FROM PUBLIC",
    );
    let blind = Database::of_user(&pair.source_cluster, "app", "blind");
    let run = pgflit("check").source(&blind).target(&pair.target).follow();
    let run = run.dir(pair.dir()).run();
    let lines = lines(&run);
    for id in [
        "encryption",
        "event-triggers",
        "subscriptions",
        "prepared-transactions",
        "collation-version",
        "collations",
        "read-large-objects",
        "extensions",
    ] {
        let found = lines
            .iter()
            .find(|line| line.id == id && line.place == "source");
        let found = found.unwrap_or_else(|| panic!("no {id} in\n{}{}", run.stdout, run.stderr));
        assert_eq!(found.status, "WARN", "{id}: {}", found.text);
        assert!(found.text.contains("could not be seen"), "{}", found.text);
        assert!(found.text.contains("permission denied"), "{}", found.text);
    }
    // What can be seen is looked at all the same, to the last check.
    assert!(
        complaints(&lines).contains(&"read-tables"),
        "{}",
        run.stdout
    );
    assert!(lines.iter().any(|line| line.id == "segment-space"));
    assert_eq!(run.code(), Some(3));
}

/// How many statements the source was asked by one check, and how long its output is.
fn asked(pair: &Pair) -> (usize, usize) {
    let log = pair
        .source_cluster
        .data()
        .parent()
        .expect("a folder")
        .join("log");
    let before = std::fs::metadata(&log).expect("the log").len();
    let run = check(pair).run();
    let text = std::fs::read(&log).expect("the log");
    let text =
        String::from_utf8_lossy(&text[usize::try_from(before).expect("small")..]).into_owned();
    let is_statement = |line: &&str| {
        let logged = line.strip_prefix("pgflit: check LOG:  ");
        logged.is_some_and(|it| it.starts_with("execute ") || it.starts_with("statement: "))
    };
    let statements: Vec<_> = text.lines().filter(is_statement).collect();
    println!("{}", statements.join("\n"));
    (statements.len(), run.stdout.len())
}

/// Makes tables without an identity, 500 in a transaction.
const FILL: &str = "
    CREATE PROCEDURE fill(batches int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR batch IN 1 .. batches LOOP
        FOR n IN 1 .. 500 LOOP
          EXECUTE format('CREATE TABLE a_table_with_a_long_name_%s_%s (id int, note text)', batch, n);
        END LOOP;
        COMMIT;
      END LOOP;
    END $$;
    CREATE TABLE t (id int)";

fn tables_cost_no_queries(count: usize) {
    let source = source_options()
        .setting("log_statement", "all")
        .setting("log_line_prefix", "%a ")
        .setting("max_locks_per_transaction", "2000");
    let pair = Pair::with(source, target_options());
    pair.source.sql(FILL);
    let (queries, _) = asked(&pair);
    assert!(queries > 20, "{queries}");
    pair.source
        .sql(&format!("CALL fill({})", count.div_ceil(500)));
    let begun = std::time::Instant::now();
    let (again, bytes) = asked(&pair);
    println!(
        "{count} tables: {again} queries, {bytes} bytes, {:?}",
        begun.elapsed()
    );
    assert_eq!(again, queries);
    assert!(bytes < 16_000, "{bytes}");
}

#[test]
fn a_thousand_tables_cost_no_more_queries_than_one() {
    tables_cost_no_queries(1000);
}

#[test]
fn a_hundred_thousand_tables_cost_no_more_queries_than_one() {
    if long_tests_wanted() {
        tables_cost_no_queries(100_000);
    }
}
