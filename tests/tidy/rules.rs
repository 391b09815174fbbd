//! The floors, and which crate has which home.

use super::imports::{code_of, module_of, references};

/// From the ground up. A module may use every line before its own, and what is in its own line
/// only at the top.
const FLOORS: [&[&str]; 6] = [
    &["base"],
    &["wire"],
    &["pg", "store", "segment"],
    &["catalog", "worker"],
    &["clone", "cdc", "proxy", "verify"],
    TOP,
];

/// The top line, whose modules may use each other, but for what [`is_allowed`] says.
const TOP: &[&str] = &["main", "cli", "commands", "report", "migration"];

/// The parts of `cdc` that meet in its model, the segments and the store, and never directly.
const CDC_WORKERS: [&str; 3] = ["receive", "transform", "apply"];

/// Words that may stand in the code of these modules alone.
const HOMES: [(&str, &[&str]); 9] = [
    ("clap::", &["cli"]),
    ("clap_complete::", &["cli"]),
    ("clap_mangen::", &["cli"]),
    ("rusqlite::", &["store"]),
    ("print!", &["report", "cli", "main"]),
    ("println!", &["report", "cli", "main"]),
    ("eprint!", &["report", "cli", "main"]),
    ("eprintln!", &["report", "cli", "main"]),
    ("process::exit", &["main"]),
];

/// Everything in the file `path` (below `src/`) that a rule forbids, for people.
pub(super) fn complaints(path: &str, text: &str) -> Vec<String> {
    let code = code_of(text);
    let module = module_of(path);
    // lib.rs names its children and nothing else; main.rs is the module `main`.
    let own = match path {
        "lib.rs" => return Vec::new(),
        "main.rs" => "main",
        _ => module[0].as_str(),
    };
    let Some(own_floor) = floor(own) else {
        return vec![format!(
            "{path}: {own} has no floor; give it one in tests/tidy/rules.rs"
        )];
    };
    let mut found = Vec::new();
    for target in references(&module, &code) {
        let Some(other) = target.first() else {
            continue;
        };
        let name = target.join("::");
        match floor(other) {
            // A name that lib.rs itself defines.
            None => found.push(format!("{path}: {name} is no module with a floor")),
            Some(other_floor) if !is_allowed((own, own_floor), (other, other_floor)) => {
                found.push(format!("{path}: {own} may not use {name}"));
            }
            Some(_) if crosses_workers(&module, &target) => {
                found.push(format!("{path}: {} may not use {name}", module[1]));
            }
            Some(_) => {}
        }
    }
    for (word, homes) in HOMES {
        if mentions(&code, word) && !homes.contains(&own) {
            found.push(format!("{path}: {word} belongs to {}", homes.join(", ")));
        }
    }
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|line| line.contains(&module))
}

/// Below is allowed, above never; beside only within one module and at the top, where nobody but
/// `main` uses `commands`, and nobody uses `main`.
fn is_allowed((own, own_floor): (&str, usize), (other, other_floor): (&str, usize)) -> bool {
    let at_top = FLOORS[own_floor] == TOP && FLOORS[other_floor] == TOP;
    match other {
        _ if own == other || other_floor < own_floor => true,
        "commands" => own == "main",
        "main" => false,
        _ => at_top,
    }
}

fn crosses_workers(module: &[String], target: &[String]) -> bool {
    let worker = |path: &[String]| {
        let part = path.get(1).filter(|_| path[0] == "cdc");
        part.and_then(|part| CDC_WORKERS.iter().position(|worker| worker == part))
    };
    matches!((worker(module), worker(target)), (Some(own), Some(other)) if own != other)
}

/// Whether `word` stands in `code` and is not the end of a longer one.
fn mentions(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upward_import_is_refused() {
        let found = complaints("pg/session.rs", "use crate::clone::plan::Plan;");
        assert_eq!(found, ["pg/session.rs: pg may not use clone::plan::Plan"]);
    }

    #[test]
    fn a_sideways_import_is_refused() {
        for (path, text) in [
            ("pg/copy.rs", "use crate::store::Store;"),
            ("clone/mod.rs", "use crate::{base::Lsn, cdc::Change};"),
            ("catalog/a.rs", "use super::super::worker::Spawn;"),
            ("report/a.rs", "use crate::commands::clone;"),
            ("migration/a.rs", "use crate::commands::clone;"),
        ] {
            assert_eq!(complaints(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn imports_from_below_and_within_a_module_are_allowed() {
        for (path, text) in [
            (
                "pg/copy.rs",
                "use crate::{wire::Frame, base::Lsn, pg::Session};",
            ),
            (
                "cdc/apply/lane.rs",
                "use crate::cdc::change::Change; use super::group::Group;",
            ),
            (
                "commands/clone.rs",
                "use crate::{cli::Options, report::Table, migration::Run};",
            ),
            ("migration/run.rs", "use crate::report::Event;"),
            ("main.rs", "use pgflit::commands; fn main() { println!() }"),
            ("lib.rs", "pub mod base;"),
        ] {
            assert_eq!(complaints(path, text), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn the_workers_of_change_capture_do_not_know_each_other() {
        for text in [
            "use crate::cdc::receive::Slot;",
            "use super::super::receive::Slot;",
        ] {
            let found = complaints("cdc/apply/lane.rs", text);
            assert_eq!(
                found,
                ["cdc/apply/lane.rs: apply may not use cdc::receive::Slot"]
            );
        }
    }

    #[test]
    fn crates_and_printing_have_their_homes() {
        for (path, text) in [
            ("commands/clone.rs", "use clap::Parser;"),
            ("clone/plan.rs", "rusqlite::Connection::open(path)"),
            ("cdc/apply/mod.rs", "fn f() { eprintln!(\"x\") }"),
            ("commands/x.rs", "std::process::exit(1)"),
        ] {
            assert_eq!(complaints(path, text).len(), 1, "{path}: {text}");
            assert_eq!(complaints(path, &format!("// {text}")), [""; 0]);
        }
        assert_eq!(complaints("report/table.rs", "println!()"), [""; 0]);
    }

    #[test]
    fn a_module_without_a_floor_is_refused() {
        assert_eq!(complaints("misc/a.rs", "").len(), 1);
        assert_eq!(complaints("base/a.rs", "use crate::misc::x;").len(), 1);
    }
}
