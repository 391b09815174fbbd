//! Proxies on several machines: each has a work directory of its own, and knows the servers alone.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::bank::{self, Bank};
use super::stage::{Stage, listens};
use crate::support::{Database, Run, SOON, eventually, pgflit};

/// A proxy on another machine.
struct Machine {
    run: Run,
    port: u16,
}

impl Machine {
    /// Whose `[cutover]` has this role, and this lease.
    fn with(stage: &Stage, name: &str, (role, lease): (&str, &str)) -> Self {
        Self::start(stage, name, (role, lease), 0)
    }

    fn start(stage: &Stage, name: &str, (role, lease): (&str, &str), port: u16) -> Self {
        let server = |port: u16| format!("host=127.0.0.1 port={port} dbname=app sslmode=disable");
        let (source, target) = (&stage.pair.source_cluster, &stage.pair.target_cluster);
        let text = format!(
            "[proxy]\nlisten = \"127.0.0.1:{port}\"\n\
             [[database]]\nname = \"app\"\nsource = \"{}\"\ntarget = \"{}\"\n\
             [[auth]]\nmethod = \"trust\"\n\
             [cutover]\nuser = \"{role}\"\nshared = true\nlease = \"{lease}\"\n",
            server(source.port()),
            server(target.port())
        );
        let dir = stage.pair.path(name);
        fs::create_dir_all(&dir).expect("a folder");
        let config = dir.join("proxy.toml");
        fs::write(&config, text).expect("written");
        let run = pgflit("proxy")
            .arg("--config")
            .arg(config)
            .dir(&dir)
            .start();
        let port = listens(&run);
        Machine { run, port }
    }

    /// The database through this proxy, as the application.
    fn database(&self, stage: &Stage) -> Database {
        let own = stage.pair.source_cluster.port();
        stage.past_proxy().at_port(own, self.port)
    }

    /// Waits until its clients are served.
    fn until_it_serves(&self) {
        self.run.wait_for_stderr("as the servers say");
    }
}

const OWN: (&str, &str) = ("postgres", "10s");

#[test]
fn two_machines_move_together_and_back() {
    let mut stage = Stage::without_proxy(bank::SCHEMA);
    let machines = ["east", "west"].map(|name| Machine::with(&stage, name, OWN));
    machines.iter().for_each(Machine::until_it_serves);
    let ports = [machines[0].port, machines[1].port];
    let bank = Bank::open_at(&ports, 6, 11);
    stage.port = ports[0];
    stage.command("cutover --dry-run").run().assert_code(0);
    bank.goes_on();
    for side in ["target", "source", "target"] {
        let words = if side == "target" {
            "cutover"
        } else {
            "rollback"
        };
        let told = stage.moves(words);
        assert_eq!(told["ended"].as_array().map(Vec::len), Some(0), "{told}");
        bank.goes_on();
        for port in ports {
            stage.port = port;
            assert_eq!(stage.serves(), side);
        }
    }
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0);
    stage.until_equal(&bank::TABLES);
    // One that comes later finds out by itself.
    let late = Machine::with(&stage, "late", OWN);
    stage.port = late.port;
    assert_eq!(stage.serves(), "target");
}
