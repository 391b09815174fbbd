//! Signals that come before a command has begun.

use std::fs::File;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::pgflit;

#[test]
fn a_signal_in_the_first_moments_ends_with_the_code_of_a_stop() {
    for command in ["stream receive", "clone", "list tables"] {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let folder = tempfile::tempdir().expect("a folder");
            let config = folder.path().join("config");
            let made = Command::new("mkfifo").arg(&config).status();
            assert!(made.expect("mkfifo").success());
            let run = pgflit(command).dir(folder.path().join("work"));
            let run = run.arg("--config").arg(&config).start();
            // It reads its options, and waits for more of them.
            let options = File::options().write(true).open(&config);
            let options = options.expect("it has opened them");
            run.signal(signal);
            run.wait_for_exit().assert_code(9);
            drop(options);
        }
    }
}
