//! Proxies on several machines: each has a work directory of its own, and knows the servers alone.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::bank::{self, Bank};
use super::stage::{Stage, listens};
use crate::support::{Database, Held, Run, SOON, eventually, pgflit};

/// A proxy on another machine.
struct Machine {
    name: &'static str,
    run: Run,
    port: u16,
}

impl Machine {
    /// Whose `[cutover]` has this role, and this lease.
    fn start(stage: &Stage, name: &'static str, (role, lease): (&str, &str)) -> Self {
        let server = |port: u16| format!("host=127.0.0.1 port={port} dbname=app sslmode=disable");
        let (source, target) = (&stage.pair.source_cluster, &stage.pair.target_cluster);
        let text = format!(
            "[proxy]\nlisten = \"127.0.0.1:0\"\n\
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
        Machine { name, run, port }
    }

    /// How many of its clients wait with something to say.
    fn held(&self, stage: &Stage) -> u64 {
        let asked = pgflit("proxy status --json")
            .dir(stage.pair.path(self.name))
            .run();
        let told: Value = serde_json::from_str(&asked.assert_code(0).stdout).expect("JSON");
        told["clients"]["held"].as_u64().expect("a number")
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

/// As [`bank::SCHEMA`], and each transfer says which server took it, and when.
fn schema() -> String {
    format!(
        "{} ALTER TABLE ledger ADD COLUMN port text DEFAULT current_setting('port'),
                               ADD COLUMN at timestamptz DEFAULT clock_timestamp();",
        bank::SCHEMA
    )
}

/// No transfer was written on the source after the first on the target.
fn assert_order(stage: &Stage) {
    let (source, target) = (&stage.pair.source_cluster, &stage.pair.target_cluster);
    let late = stage.pair.target.number(&format!(
        "SELECT count(*) FROM ledger WHERE port = '{}'
            AND at > (SELECT min(at) FROM ledger WHERE port = '{}')",
        source.port(),
        target.port()
    ));
    assert_eq!(late, 0, "both sides took transfers at the same time");
}

const OWN: (&str, &str) = ("postgres", "10s");

#[test]
fn two_machines_move_together_and_back() {
    let mut stage = Stage::without_proxy(bank::SCHEMA, |_| None);
    let machines = ["east", "west"].map(|name| Machine::start(&stage, name, OWN));
    machines.iter().for_each(Machine::until_it_serves);
    let banks = [0, 1].map(|at: usize| Bank::open_at(machines[at].port, (3 * at, 3), 11));
    stage.command("cutover --dry-run").run().assert_code(0);
    for side in ["target", "source", "target"] {
        let words = if side == "target" {
            "cutover"
        } else {
            "rollback"
        };
        let told = stage.moves(words);
        assert_eq!(told["ended"].as_array().map(Vec::len), Some(0), "{told}");
        banks.iter().for_each(Bank::goes_on);
        for machine in &machines {
            stage.port = machine.port;
            assert_eq!(stage.serves(), side);
        }
    }
    for bank in banks {
        let (broken, longest) = bank.close(&stage.pair.target);
        println!("the longest that a client has waited: {longest:?}");
        assert_eq!(broken, 0);
    }
    stage.until_equal(&bank::TABLES);
    // One that comes later finds out by itself, also when the migration is over and tidied away.
    stage
        .command("finalize --yes --lift-fence")
        .run()
        .assert_code(0);
    stage.command("stream cleanup").run().assert_code(0);
    let late = Machine::start(&stage, "late", OWN);
    stage.port = late.port;
    assert_eq!(stage.serves(), "target");
    // The next migration between the same servers begins where it is told.
    let again = stage.command("clone --follow --drop-if-exists").start();
    again.wait_for_stderr("live replay");
    for machine in machines.iter().chain([&late]) {
        stage.port = machine.port;
        eventually(SOON, "traffic goes to the source", || {
            stage.serves() == "source"
        });
    }
    // What machines are told, nobody else may say.
    let past = Database::of_user(&stage.pair.target_cluster, "app", "app");
    let refused = past.try_sql("INSERT INTO pgflit.proxy_request (proxy, request) VALUES (1, '')");
    assert!(refused.expect_err("refused").contains("permission denied"));
}

/// Ends the session that tells a machine, and lets it open no other; or lets it again.
fn cut_off(stage: &Stage, is_cut: bool) {
    let can = if is_cut { "NOLOGIN" } else { "LOGIN" };
    for database in [&stage.pair.source, &stage.pair.target] {
        database.sql(&format!(
            "ALTER ROLE coordinator {can};
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coordinator'"
        ));
    }
}

#[test]
fn a_machine_that_hears_nothing_waits_and_then_goes_where_traffic_went() {
    let mut stage = Stage::without_proxy(&schema(), |_| None);
    for database in [&stage.pair.source, &stage.pair.target] {
        database.sql("CREATE ROLE coordinator LOGIN SUPERUSER");
    }
    let east = Machine::start(&stage, "east", OWN);
    let west = Machine::start(&stage, "west", ("coordinator", "1s"));
    east.until_it_serves();
    west.until_it_serves();
    let (of_east, of_west) = (
        Bank::open_at(east.port, (0, 3), 21),
        Bank::open_at(west.port, (3, 3), 22),
    );
    // Nobody moves anything meanwhile.
    cut_off(&stage, true);
    west.run
        .wait_for_stderr("has not told this proxy for 1s that traffic goes there: clients wait");
    eventually(SOON, "its clients wait", || west.held(&stage) == 3);
    of_east.goes_on();
    cut_off(&stage, false);
    of_west.goes_on();
    // Traffic moves without it.
    cut_off(&stage, true);
    eventually(SOON, "its clients wait", || west.held(&stage) == 3);
    let told = stage.moves("cutover");
    assert_eq!(told["ended"].as_array().map(Vec::len), Some(1), "{told}");
    of_east.goes_on();
    cut_off(&stage, false);
    west.run
        .wait_for_stderr("traffic goes to the target from now on");
    of_west.goes_on();
    for port in [east.port, west.port] {
        stage.port = port;
        assert_eq!(stage.serves(), "target");
    }
    assert_eq!(of_east.close(&stage.pair.target).0, 0, "connections broke");
    assert!(
        of_west.close(&stage.pair.target).0 > 0,
        "some were ended by the fence"
    );
    stage.until_equal(&bank::TABLES);
    assert_order(&stage);
}

#[test]
fn machines_find_out_by_themselves_when_whoever_moves_them_has_gone() {
    let mut stage = Stage::without_proxy(&schema(), |_| None);
    let machines = ["east", "west"].map(|name| Machine::start(&stage, name, OWN));
    machines.iter().for_each(Machine::until_it_serves);
    let banks = [0, 1].map(|at: usize| Bank::open_at(machines[at].port, (2 * at, 2), 31));
    let kill_at = |place: &str| {
        let killed = stage.command("cutover --yes --max-pause 1s");
        let killed = killed.env("PGFLIT_KILL_AT", place).run();
        killed.assert_stderr(&format!("killed at {place}"));
    };
    kill_at("stream drained");
    banks.iter().for_each(Bank::goes_on);
    for machine in &machines {
        machine
            .run
            .wait_for_stderr("whoever moves traffic has gone: attempt ");
    }
    kill_at("decided");
    banks.iter().for_each(Bank::goes_on);
    for machine in &machines {
        machine
            .run
            .wait_for_stderr("traffic goes to the target from now on");
    }
    stage.command("cutover --yes").run().assert_code(0);
    for (machine, bank) in machines.iter().zip(banks) {
        stage.port = machine.port;
        assert_eq!(stage.serves(), "target");
        assert_eq!(bank.close(&stage.pair.target).0, 0, "connections broke");
    }
    stage.until_equal(&bank::TABLES);
    assert_order(&stage);
}

#[test]
fn a_machine_that_dies_while_it_is_counted_on_ends_the_attempt_and_not_the_next() {
    let mut stage = Stage::without_proxy(&schema(), |_| None);
    let machines = ["east", "west"].map(|name| Machine::start(&stage, name, OWN));
    machines.iter().for_each(Machine::until_it_serves);
    let [east, west] = machines;
    let bank = Bank::open_at(east.port, (0, 3), 41);
    // Somebody's transaction keeps everybody waiting for a while.
    let open = Held::open(&east.database(&stage), "SELECT 1");
    let moving = stage.command("cutover --yes --drain-limit 60s --max-pause 60s");
    let moving = moving.start();
    moving.wait_for_stderr("noted");
    west.run.signal(Signal::SIGKILL);
    west.run.wait_for_exit();
    moving.wait_for_stderr("its session has ended");
    open.commit();
    moving.wait_for_exit().assert_code(0);
    bank.goes_on();
    stage.port = east.port;
    assert_eq!(stage.serves(), "target");
    assert_eq!(bank.close(&stage.pair.target).0, 0, "connections broke");
    assert_order(&stage);
}
