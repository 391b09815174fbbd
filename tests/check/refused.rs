//! What check would fail for, `clone` does not begin with.

use super::{check, complaints, lines};
use pgflit::worker::cluster::ClusterOptions;

use crate::support::{Pair, pgflit, source_options, target_options};

/// A pair of whose source much cannot be on the target.
fn unsound_pair() -> Pair {
    let prepares = |options: ClusterOptions| options.setting("max_prepared_transactions", "5");
    let pair = Pair::with(prepares(source_options()), prepares(target_options()));
    pair.source.sql(
        "CREATE ROLE shopkeeper; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO shopkeeper;
         INSERT INTO t VALUES (1)",
    );
    pair.source
        .sql("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'left'");
    pair
}

/// Nothing is there of a migration that was refused.
fn assert_nothing_made(pair: &Pair) {
    assert!(!pair.dir().exists());
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(pair.source.number(slots), 0);
    let publications = "SELECT count(*) FROM pg_publication";
    assert_eq!(pair.source.number(publications), 0);
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit'
                  UNION ALL SELECT count(*) FROM pg_class WHERE relname = 't'";
    assert_eq!(pair.target.sql(there), "0\n0");
}

#[test]
fn clone_does_not_begin_with_what_check_fails_for() {
    let pair = unsound_pair();
    let found = check(&pair).run().assert_code(3);
    let found = lines(&found);
    let failed = found.iter().filter(|line| line.status == "FAIL");
    let failed: Vec<_> = failed.map(|line| line.id.as_str()).collect();
    assert_eq!(failed, ["roles", "prepared-transactions"]);

    let clone = || pgflit("clone").between(&pair);
    clone()
        .arg("--follow")
        .run()
        .assert_code(7)
        .assert_stderr("the check roles fails: these roles are not on the target: shopkeeper")
        .assert_stderr("--skip-check roles")
        .assert_stderr("2 such things in all");
    assert_nothing_made(&pair);
    clone()
        .args(["--follow", "--skip-check", "roles"])
        .run()
        .assert_code(6)
        .assert_stderr("the check prepared-transactions fails: 1 prepared transaction");
    assert_nothing_made(&pair);

    // Without --follow nobody waits for it.
    clone()
        .arg("--no-owner")
        .run()
        .assert_code(0)
        .assert_stderr("both servers are checked: 1 warning (durability)");
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 1);
}

#[test]
fn what_is_skipped_warns_and_what_there_is_no_check_of_is_refused() {
    let pair = unsound_pair();
    let skip = [
        "--skip-check",
        "roles",
        "--skip-check",
        "prepared-transactions",
    ];
    let found = check(&pair).args(skip).run().assert_code(0);
    let found = lines(&found);
    let mut warned = complaints(&found);
    warned.retain(|id| *id != "durability");
    assert_eq!(warned, ["roles", "prepared-transactions"]);
    for command in ["check", "clone"] {
        let run = pgflit(command)
            .between(&pair)
            .args(["--skip-check", "rolls"]);
        run.run()
            .assert_code(1)
            .assert_stderr("--skip-check \"rolls\": there is no such check")
            .assert_stderr("roles");
    }
    let file = pair.path("skip.toml");
    std::fs::write(
        &file,
        "skip-check = [\"roles\", \"prepared-transactions\"]\n",
    )
    .expect("a file");
    let config = format!("--config={}", file.display());
    check(&pair).arg(config).run().assert_code(0);
}
