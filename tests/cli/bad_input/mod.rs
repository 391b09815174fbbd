//! What an operator types wrong, and what is wrong with a server: a clear error with a hint and
//! the documented exit code, and nothing made or left behind.

mod capture;
mod hold;
mod places;
mod servers;
mod typed;

use std::path::Path;

use crate::support::{Database, Finished, Pair, Pgflit, pgflit};

/// `clone` between the databases of `pair`.
fn clone(pair: &Pair) -> Pgflit {
    pgflit("clone").between(pair)
}

/// Fails unless `run` ended with `code`, an error that contains each of `texts`, and a hint.
#[track_caller]
fn assert_refused(run: Pgflit, code: i32, texts: &[&str]) -> Finished {
    let mut run = run.run();

    run = run.assert_code(code).assert_stderr("error: ");
    run = run.assert_stderr("hint: ");
    for text in texts {
        run = run.assert_stderr(text);
    }
    assert!(run.stdout.is_empty(), "stdout is for data: {}", run.stdout);
    run
}

/// As [`assert_refused`], and nothing is left of it.
#[track_caller]
fn assert_refused_cleanly(pair: &Pair, run: Pgflit, code: i32, texts: &[&str]) -> Finished {
    let run = assert_refused(run, code, texts);
    assert_nothing_is_left(pair);
    run
}

/// Fails if anything of pgflit is on the servers or in the work directory.
#[track_caller]
fn assert_nothing_is_left(pair: &Pair) {
    assert_source_is_clean(&pair.source);
    let relations = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                      WHERE nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast')";
    assert_eq!(pair.target.number(relations), 0, "relations on the target");
    assert_target_has_nothing_of_pgflit(&pair.target);
    assert_absent(&pair.dir());
}

#[track_caller]
fn assert_source_is_clean(source: &Database) {
    let names = |sql| source.sql(sql);
    assert_eq!(names("SELECT slot_name FROM pg_replication_slots"), "");
    assert_eq!(names("SELECT pubname FROM pg_publication"), "");
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'pgflit: slot'";
    assert_eq!(source.number(sessions), 0, "sessions that make a slot");
}

#[track_caller]
fn assert_target_has_nothing_of_pgflit(target: &Database) {
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname = 'pgflit'";
    assert_eq!(target.sql(schemas), "");
    assert_eq!(target.sql("SELECT roname FROM pg_replication_origin"), "");
}

#[track_caller]
fn assert_absent(path: &Path) {
    let entries = std::fs::read_dir(path).map(|entries| {
        let names = entries.flatten().map(|entry| entry.file_name());
        names.collect::<Vec<_>>()
    });
    assert!(!path.exists(), "{} is left: {entries:?}", path.display());
}
