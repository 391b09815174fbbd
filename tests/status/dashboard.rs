//! `status --watch` as somebody sees it who sits at a terminal.

use nix::sys::signal::Signal;

use super::running::following;
use crate::support::{Pair, Pgflit, SOON, Terminal, eventually, pgflit_on};

fn watch(terminal: &Terminal, pair: &Pair) -> Pgflit {
    let watch = pgflit_on(terminal, "status --watch --interval 100ms").dir(pair.dir());
    watch.env("LC_ALL", "C.UTF-8")
}

/// Returns once the terminal is as it was before.
#[track_caller]
fn assert_put_back(terminal: &Terminal) {
    eventually(SOON, "the terminal is put back", || terminal.is_put_back());
}

#[test]
fn every_terminal_shows_what_matters_and_is_put_back() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    let _clone = following(&pair);
    let running = "running: live replay";
    let all = [
        running,
        "source to target: live replay",
        "slot pgflit",
        "PostgreSQL",
        "segments",
        "q quits",
    ];
    let some = [running, "changes", "lag", "q quits"];
    for (columns, rows, locale, texts) in [
        (80, 24, "C.UTF-8", &all[..]),
        (80, 24, "C", &all[..]),
        (40, 12, "C.UTF-8", &some[..]),
        (40, 12, "C", &some[..]),
        (120, 40, "C.UTF-8", &all[..]),
        (120, 40, "C", &all[..]),
    ] {
        let terminal = Terminal::new(columns, rows);
        assert_put_back(&terminal);
        let run = watch(&terminal, &pair).env("LC_ALL", locale).start();
        let shown = terminal.wait_for(texts);
        let size = format!("{columns} by {rows} in {locale}:\n{shown}");
        assert!(terminal.is_taken(), "{size}");
        assert_eq!(shown.is_ascii(), locale == "C", "{size}");
        assert!(!shown.contains("work of before"), "{size}");
        assert!(
            shown.trim_end().lines().count() <= usize::from(rows),
            "{size}"
        );
        terminal.types("q");
        run.wait_for_exit().assert_code(0);
        assert_put_back(&terminal);
    }
}

#[test]
fn a_signal_and_control_c_leave_as_q_does() {
    let pair = Pair::new();
    let _clone = following(&pair);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let terminal = Terminal::new(80, 24);
        let run = watch(&terminal, &pair).start();
        terminal.wait_for(&["q quits"]);
        run.signal(signal);
        run.wait_for_exit().assert_code(0);
        assert_put_back(&terminal);
    }
    // It is a key there, and no signal.
    for keys in ["\u{3}", "\u{1b}"] {
        let terminal = Terminal::new(80, 24);
        let run = watch(&terminal, &pair).start();
        terminal.wait_for(&["q quits"]);
        terminal.types(keys);
        run.wait_for_exit().assert_code(0);
        assert_put_back(&terminal);
    }
}
