//! The proxy's configuration is written anew once traffic has moved for good.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use pgflit::base::failpoint::PLACES_OF_EXCHANGES;

use super::bank::{self, Bank};
use super::console::{self, Console};
use super::stage::Stage;

fn stage() -> Stage {
    Stage::configured(bank::SCHEMA, |pair| {
        Some(console::config(
            pair,
            "max-pause = \"60s\"",
            Some("save_config = true   # once it is over"),
        ))
    })
}

impl Stage {
    fn file(&self) -> PathBuf {
        self.config.clone().expect("a file")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).expect("it is there")
    }

    /// The proxy is killed, and another one reads what is on disk.
    fn restart(&mut self) {
        let proxy = self.proxy.take().expect("it runs");
        proxy.signal(Signal::SIGKILL);
        proxy.wait_for_exit();
        self.start_proxy();
    }

    fn backup(&self, number: u32) -> PathBuf {
        let mut name = self.file().into_os_string();
        name.push(format!(".before-{number}"));
        name.into()
    }
}

#[test]
fn killed_at_every_place_no_proxy_goes_to_the_old_server() {
    let mut stage = stage();
    let old = stage.text();
    stage.moves("cutover");
    // Taken away by hand, before anything is final: nobody is sent to the source.
    let target = stage.pair.target.uri().to_owned();
    let line = old.lines().find(|line| line.contains(&target));
    fs::write(stage.file(), old.replace(line.expect("a target"), "")).expect("written");
    let refused = stage.proxy_command().run().assert_code(12);
    refused.assert_stderr("the proxy's configuration names none");
    fs::write(stage.file(), &old).expect("written");
    for place in PLACES_OF_EXCHANGES {
        let finalize = stage.command("finalize --yes").arg("--config");
        let finalize = finalize.arg(stage.file()).env("PGFLIT_KILL_AT", place);
        let killed = finalize.run();
        assert_eq!(killed.code(), None, "{place}: {}", killed.stderr);
        assert_eq!(
            stage.text() != old,
            *place == "configuration written",
            "{place}"
        );
        stage.restart();
        assert_eq!(stage.serves(), "target", "{place}");
        stage.database().sql("UPDATE account SET id = id");
    }
    let finalize = stage.command("finalize --yes").arg("--config");
    finalize.arg(stage.file()).run().assert_code(0);
    stage.restart();
    assert_eq!(stage.serves(), "target");
    for number in [1, 2] {
        let kept = fs::read_to_string(stage.backup(number)).expect("a copy");
        assert_eq!(kept, old, "copy {number}");
    }
    assert!(!stage.backup(3).exists());
    // The old one again: its source is the old server, and its target may be anybody.
    let new = stage.text();
    fs::write(stage.file(), &old).expect("written");
    let console = Console::on(&stage);
    let refused = console.refused(&stage, "RELOAD");
    assert!(refused.contains("is named source"), "{refused}");
    assert_eq!(stage.serves(), "target");
    let refused = stage.proxy_command().run().assert_code(12);
    refused.assert_stderr("another work directory");
    fs::write(stage.file(), &new).expect("written");
    console.ask(&stage, "RELOAD");
    assert_eq!(stage.serves(), "target");
}

#[test]
fn finalize_in_the_console_exchanges_the_servers_under_traffic() {
    let mut stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 3, 51);
    let old = stage.text();
    console.does(&stage, 1, "CUTOVER");
    let ended = console.does(&stage, 2, "FINALIZE LIFT FENCE");
    assert!(ended["said"].contains("before-1"), "{ended:?}");
    let new = stage.text();
    let uri = |side: &str| format!("source = \"{side}\"");
    assert!(old.contains(&uri(stage.pair.source.uri())));
    assert!(new.contains(&uri(stage.pair.target.uri())));
    for kept in ["# What moves.", "# the new one", "# once it is over"] {
        assert!(new.contains(kept), "{kept} is missing: {new}");
    }
    assert!(!new.contains("target ="), "{new}");
    bank.goes_on();
    console.ask(&stage, "RELOAD");
    bank.goes_on();
    assert_eq!(stage.serves(), "target");
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
    // The source takes writes by now: it would be seen who goes there. Without the work directory, too.
    stage.restart();
    assert_eq!(stage.serves(), "target");
    let refused = Console::on(&stage).refused(&stage, "CUTOVER");
    assert!(refused.contains("has a target"), "{refused}");
    fs::remove_file(stage.pair.dir().join("authority.json")).expect("removed");
    stage.restart();
    assert_eq!(stage.serves(), "target");
}
