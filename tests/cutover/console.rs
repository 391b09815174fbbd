//! Traffic is moved from the admin console.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::bank::{self, Bank};
use super::stage::Stage;
use crate::support::{
    Held, Pair, Run, SOON, children, driver_runtime, eventually, eventually_some,
};

const PASSWORD: &str = "xkcd-936-horse";

/// A file that names both servers, with a console for ann, who may do everything, and bob, who may look.
/// `options` are plain values, `cutover` is what is in that table; none for no table.
pub(super) fn config(pair: &Pair, options: &str, cutover: Option<&str>) -> PathBuf {
    let password = pair.path("password");
    fs::write(&password, PASSWORD).expect("written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("mode");
    let (source, target) = (pair.source.uri(), pair.target.uri());
    let cutover = cutover.map_or(String::new(), |more| {
        format!("[cutover]\nuser = \"postgres\"\n{more}\n")
    });
    let text = format!(
        "{options}
        # What moves.
        [[database]]
        name = \"app\"
        source = \"{source}\"
        target = \"{target}\"   # the new one
        [[user]]
        name = \"ann\"
        password_file = \"password\"
        [[user]]
        name = \"bob\"
        password_file = \"password\"
        [[auth]]
        method = \"passthrough\"
        [admin]
        listen = \"127.0.0.1:0\"
        users = \"ann\"
        read_only_users = \"bob\"
        {cutover}"
    );
    let path = pair.path("proxy.toml");
    fs::write(&path, text).expect("written");
    path
}

/// With limits that no test runs into.
const PATIENT: &str = "max-pause = \"60s\"\nmax-lag = \"1GB\"\n";

pub(super) fn stage() -> Stage {
    Stage::configured(bank::SCHEMA, |pair| Some(config(pair, PATIENT, Some(""))))
}

/// The console of one process of the proxy.
pub(super) struct Console {
    port: u16,
}

type Row = HashMap<String, String>;

impl Console {
    pub(super) fn of(proxy: &Run) -> Self {
        let port = eventually_some(SOON, "the console is there", || {
            let printed = proxy.stderr();
            let (_, rest) = printed.split_once("the console is at 127.0.0.1:")?;
            rest.lines().next()?.trim().parse().ok()
        });
        Console { port }
    }

    /// That of the stage's proxy.
    pub(super) fn on(stage: &Stage) -> Self {
        Self::of(stage.proxy.as_ref().expect("it runs"))
    }

    /// What psql prints, with the names of columns, or its complaint.
    fn psql(&self, stage: &Stage, user: &str, command: &str) -> Result<String, String> {
        let text = format!(
            "host=127.0.0.1 port={} dbname=pgflit user={user}",
            self.port
        );
        let mut psql = stage.pair.source.program("psql");
        psql.args([
            "-X",
            "-A",
            "-F",
            "|",
            "-P",
            "footer=off",
            "-v",
            "VERBOSITY=verbose",
        ]);
        psql.args(["-d", &text, "-c", command]);
        psql.env("PGPASSWORD", PASSWORD).stdin(Stdio::null());
        let output = psql.output().expect("psql");
        let said = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
        match output.status.success() {
            true => Ok(said(&output.stdout)),
            false => Err(said(&output.stderr)),
        }
    }

    #[track_caller]
    pub(super) fn ask(&self, stage: &Stage, command: &str) -> String {
        let said = self.psql(stage, "ann", command);
        said.unwrap_or_else(|said| panic!("{command}: {said}"))
    }

    #[track_caller]
    pub(super) fn refused(&self, stage: &Stage, command: &str) -> String {
        let said = self.psql(stage, "ann", command);
        said.expect_err(command)
    }

    /// The rows of a table as maps, by its columns.
    #[track_caller]
    fn rows(&self, stage: &Stage, command: &str) -> Vec<Row> {
        let said = self.ask(stage, command);
        let mut lines = said.lines();
        let names: Vec<_> = lines.next().expect("columns").split('|').collect();
        let row = |line: &str| {
            let names = names.iter().map(|name| (*name).to_owned());
            names.zip(line.split('|').map(str::to_owned)).collect()
        };
        lines.map(row).collect()
    }

    /// The last attempt.
    #[track_caller]
    fn attempt(&self, stage: &Stage) -> Row {
        self.rows(stage, "SHOW CUTOVER").remove(0)
    }

    #[track_caller]
    fn task(&self, stage: &Stage, number: u32) -> Row {
        let tasks = self.rows(stage, "SHOW TASKS");
        let number = number.to_string();
        let task = tasks.into_iter().find(|task| task["task"] == number);
        task.expect("it is there")
    }

    /// Waits for the end of a task.
    #[track_caller]
    fn ended(&self, stage: &Stage, number: u32) -> Row {
        eventually_some(4 * SOON, "the task ends", || {
            let task = self.task(stage, number);
            let is_over = !["running", "stopping"].contains(&task["state"].as_str());
            is_over.then_some(task)
        })
    }

    /// Begins a task, which ends well.
    #[track_caller]
    pub(super) fn does(&self, stage: &Stage, number: u32, command: &str) -> Row {
        let begun = self.ask(stage, command);
        assert_eq!(begun, format!("task|command\n{number}|{command}"));
        let ended = self.ended(stage, number);
        assert_eq!(
            (ended["state"].as_str(), ended["exit_code"].as_str()),
            ("done", "0"),
            "{ended:?}"
        );
        assert_eq!(ended["command"], command);
        ended
    }
}

/// What `SHOW REPLICATION` says of each stream: its state.
fn streams(rows: &[Row]) -> Vec<(&str, &str)> {
    let told = rows.iter();
    told.map(|row| (row["stream"].as_str(), row["state"].as_str()))
        .collect()
}

#[test]
fn traffic_goes_there_and_back_from_the_console() {
    let stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 4, 41);
    assert_eq!(console.ask(&stage, "SHOW TASKS").lines().count(), 1);
    let nothing = console.attempt(&stage);
    assert_eq!((&*nothing["serves"], &*nothing["attempt"]), ("source", ""));
    let rehearsed = console.does(&stage, 1, "CUTOVER DRY RUN");
    assert!(rehearsed["said"].contains("\"rehearsed\":true"));
    assert_eq!(console.attempt(&stage)["state"], "rehearsed");
    bank.goes_on();
    let rows = console.rows(&stage, "SHOW REPLICATION");
    assert_eq!(streams(&rows), [("migration", "running")]);
    assert_eq!(
        (&*rows[0]["slot"], &*rows[0]["plugin"]),
        ("pgflit", "pgoutput")
    );
    let last = |row: &Row| row["replay_lsn"].contains('/') && !row["lag_bytes"].is_empty();
    assert!(last(&rows[0]), "{rows:?}");

    console.does(&stage, 2, "CUTOVER");
    let attempt = console.attempt(&stage);
    assert_eq!(
        (
            &*attempt["serves"],
            &*attempt["to"],
            &*attempt["state"],
            &*attempt["in_doubt"]
        ),
        ("target", "target", "done", "0")
    );
    attempt["held_ms"].parse::<u64>().expect("a number");
    assert!(attempt["begun"].ends_with("UTC"), "{attempt:?}");
    bank.goes_on();
    let rows = console.rows(&stage, "SHOW REPLICATION");
    assert_eq!(
        streams(&rows),
        [("migration", "ended"), ("reverse", "running")]
    );
    assert_eq!(
        (&*rows[1]["from"], &*rows[1]["slot"]),
        ("target", "pgflit_reverse")
    );
    // A driver, which ends its own transactions by the same word.
    driver_runtime().block_on(async {
        let text = format!(
            "host=127.0.0.1 port={} dbname=pgflit user=ann password={PASSWORD}",
            console.port
        );
        let (client, connection) = tokio_postgres::connect(&text, tokio_postgres::NoTls)
            .await
            .expect("connected");
        tokio::spawn(connection);
        for statement in ["BEGIN", "ROLLBACK", "ABORT", "ROLLBACK WORK"] {
            let rows = client.query(statement, &[]).await.expect(statement);
            assert!(rows.is_empty(), "{statement}");
        }
        let row = client.query_one("ROLLBACK", &[]).await.expect("a task");
        assert_eq!(row.get::<_, i32>("task"), 3);
        assert_eq!(row.get::<_, &str>("command"), "ROLLBACK");
    });
    assert_eq!(console.ended(&stage, 3)["state"], "done");
    assert_eq!(stage.serves(), "source");
    bank.goes_on();
    // Refused by the task itself: it is there already.
    console.ask(&stage, "ROLLBACK");
    let refused = console.ended(&stage, 4);
    assert_eq!(
        (&*refused["state"], &*refused["exit_code"]),
        ("failed", "3")
    );
    assert!(refused["said"].starts_with("error: "), "{refused:?}");
    assert!(refused["said"].contains("; hint: "), "{refused:?}");

    console.does(&stage, 5, "CUTOVER");
    console.does(&stage, 6, "FINALIZE");
    bank.goes_on();
    let rows = console.rows(&stage, "SHOW REPLICATION");
    assert_eq!(
        streams(&rows),
        [
            ("migration", "ended"),
            ("reverse", "ended"),
            ("forward", "ended")
        ]
    );
    let past = stage.past_proxy();
    past.try_sql("SELECT 1").expect_err("it is fenced still");
    console.does(&stage, 7, "FINALIZE LIFT FENCE");
    past.sql("SELECT 1");
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
    let tasks = console.rows(&stage, "SHOW TASKS");
    let numbers: Vec<_> = tasks.iter().map(|task| task["task"].as_str()).collect();
    assert_eq!(numbers, ["7", "6", "5", "4", "3", "2", "1"]);
}

/// What is left of a task that was stopped: nothing.
#[track_caller]
fn is_undone(stage: &Stage, console: &Console, number: u32) {
    let stopped = console.ended(stage, number);
    assert_eq!(
        (&*stopped["state"], &*stopped["exit_code"]),
        ("stopped", "9"),
        "{stopped:?}"
    );
    let attempt = console.attempt(stage);
    assert_eq!(
        (&*attempt["state"], &*attempt["in_doubt"]),
        ("aborted", "0"),
        "{attempt:?}"
    );
    assert!(attempt["problem"].contains("asked to stop"), "{attempt:?}");
    assert_eq!(stage.serves(), "source");
    stage.past_proxy().sql("SELECT 1");
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(
        stage.pair.target.number(slots),
        0,
        "the way back is still armed"
    );
}

#[test]
fn a_task_that_is_asked_to_stop_undoes_what_it_has_done() {
    let stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 3, 42);
    // While the way back is armed: its slot waits for a transaction.
    let open = Held::open(&stage.pair.target, "SELECT pg_current_xact_id()");
    console.ask(&stage, "CUTOVER");
    let slots = "SELECT count(*) FROM pg_replication_slots";
    eventually(SOON, "a slot is being made", || {
        stage.pair.target.number(slots) == 1
    });
    console.ask(&stage, "STOP_TASK 1");
    is_undone(&stage, &console, 1);
    drop(open);
    bank.goes_on();

    // Between two attempts: a transaction that is open keeps clients from being held.
    let open = Held::open(&stage.database(), "UPDATE account SET id = id WHERE false");
    console.ask(&stage, "CUTOVER");
    eventually(SOON, "the first attempt is undone", || {
        console.task(&stage, 2)["said"].contains("tried again in")
    });
    console.ask(&stage, "STOP_TASK 2");
    is_undone_between_attempts(&stage, &console);
    drop(open);
    bank.goes_on();
    let (broken, _) = bank.close(&stage.pair.source);
    assert_eq!(broken, 0, "connections broke");
}

#[test]
fn clients_that_are_held_go_on_when_the_task_is_stopped() {
    let stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 2, 45);
    bank.close(&stage.pair.source);
    stage.until_equal(&bank::TABLES);
    // The stream cannot be drained. Nothing is open there, which the way back would wait for.
    let follow = stage.follow.as_ref().expect("it runs");
    let streams = children(follow.pid()).into_iter();
    let mut streams = streams.filter(|one| one.line.contains("stream apply"));
    let apply = Pid::from_raw(streams.next().expect("apply runs").pid as i32);
    kill(apply, Signal::SIGSTOP).expect("it is there");
    console.ask(&stage, "CUTOVER");
    eventually(SOON, "clients are held", || {
        console.attempt(&stage)["state"] == "holding" && stage.past_proxy().try_sql("").is_err()
    });
    assert_eq!(console.attempt(&stage)["in_doubt"], "1");
    let refused = console.refused(&stage, "CUTOVER DRY RUN");
    assert!(
        refused.contains("55000") && refused.contains("task 1 (CUTOVER) is running"),
        "{refused}"
    );
    // Another process of the proxy does not know of that task, and the lock does.
    let second = stage.proxy_command().start();
    let other = Console::of(&second);
    other.ask(&stage, "CUTOVER");
    let busy = other.ended(&stage, 1);
    assert_eq!((&*busy["state"], &*busy["exit_code"]), ("failed", "8"));
    console.ask(&stage, "STOP_TASK 1");
    is_undone(&stage, &console, 1);
    let late = console.refused(&stage, "STOP_TASK 1");
    assert!(late.contains("has ended already"), "{late}");
    kill(apply, Signal::SIGCONT).expect("it is there");
    console.does(&stage, 2, "CUTOVER");
    assert_eq!(stage.serves(), "target");
}

#[track_caller]
fn is_undone_between_attempts(stage: &Stage, console: &Console) {
    let stopped = console.ended(stage, 2);
    assert_eq!(
        (&*stopped["state"], &*stopped["exit_code"]),
        ("stopped", "9"),
        "{stopped:?}"
    );
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(stage.pair.target.number(slots), 0);
    assert_eq!(console.attempt(stage)["state"], "aborted");
}

/// The stream cannot end while its supervisor is stopped: what comes after the decision waits for it.
fn decided_and_not_done(stage: &Stage, console: &Console) {
    let follow = stage.follow.as_ref().expect("it runs");
    follow.signal(Signal::SIGSTOP);
    console.ask(stage, "CUTOVER");
    eventually(SOON, "it is decided", || {
        console.attempt(stage)["state"] == "switched"
    });
}

#[test]
fn what_is_decided_goes_on_to_its_end_whoever_asks_it_to_stop() {
    let stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 3, 43);
    decided_and_not_done(&stage, &console);
    console.ask(&stage, "STOP_TASK 1");
    assert_eq!(console.task(&stage, 1)["state"], "stopping");
    // A second signal would end it where it stands.
    let again = console.refused(&stage, "STOP_TASK 1");
    assert!(again.contains("was asked to stop already"), "{again}");
    bank.goes_on();
    let follow = stage.follow.as_ref().expect("it runs");
    follow.signal(Signal::SIGCONT);
    let ended = console.ended(&stage, 1);
    assert_eq!((&*ended["state"], &*ended["exit_code"]), ("done", "0"));
    assert_eq!(console.attempt(&stage)["state"], "done");
    assert_eq!(stage.serves(), "target");
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
}

#[test]
fn a_proxy_that_is_killed_leaves_its_task_running() {
    goes_on_without(|_, _, proxy| {
        proxy.signal(Signal::SIGKILL);
        proxy.wait_for_exit();
    });
}

#[test]
fn a_proxy_that_ends_says_that_its_task_goes_on() {
    goes_on_without(|stage, console, proxy| {
        console.ask(stage, "SHUTDOWN");
        let ended = proxy.wait_for_exit().assert_code(0);
        ended.assert_stderr("task 1 (CUTOVER) goes on without this process");
    });
}

/// A proxy ends in the middle of what comes after the decision.
fn goes_on_without(end: impl FnOnce(&Stage, &Console, Run)) {
    let mut stage = stage();
    let console = Console::on(&stage);
    let bank = Bank::open(&stage, 3, 44);
    decided_and_not_done(&stage, &console);
    let proxy = stage.proxy.take().expect("it runs");
    end(&stage, &console, proxy);
    stage.start_proxy();
    let console = Console::on(&stage);
    bank.goes_on();
    assert_eq!(console.ask(&stage, "SHOW TASKS").lines().count(), 1);
    let attempt = console.attempt(&stage);
    assert_eq!(
        (&*attempt["serves"], &*attempt["state"]),
        ("target", "switched")
    );
    let follow = stage.follow.as_ref().expect("it runs");
    follow.signal(Signal::SIGCONT);
    eventually(2 * SOON, "what was begun is done", || {
        console.attempt(&stage)["state"] == "done"
    });
    // Its last words are in its file.
    let log = stage.pair.dir().join("log");
    eventually(SOON, "it has said so", || {
        let outputs = fs::read_dir(&log).expect("logs");
        let mut outputs = outputs.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
        outputs.any(|text| text.contains("\"serves\":\"target\""))
    });
    console.does(&stage, 1, "ROLLBACK");
    bank.goes_on();
    let (_, longest) = bank.close(&stage.pair.source);
    println!("the longest that a client has waited: {longest:?}");
}

#[test]
fn a_task_needs_rights_and_to_be_told_how() {
    let stage = Stage::configured(bank::SCHEMA, |pair| Some(config(pair, "", None)));
    let console = Console::on(&stage);
    let refused = console.refused(&stage, "CUTOVER");
    assert!(
        refused.contains("55000") && refused.contains("[cutover]"),
        "{refused}"
    );
    config(&stage.pair, "", Some("shared = true"));
    let second = stage.proxy_command().start();
    let shared = Console::of(&second);
    for command in ["CUTOVER", "ROLLBACK", "FINALIZE"] {
        let refused = shared.refused(&stage, command);
        assert!(refused.contains("is on another machine"), "{refused}");
    }
    config(&stage.pair, "", Some(""));
    let third = stage.proxy_command().start();
    let console = Console::of(&third);
    for command in [
        "CUTOVER",
        "ROLLBACK",
        "ROLLBACK DRY RUN",
        "FINALIZE",
        "STOP_TASK 1",
    ] {
        let refused = console.psql(&stage, "bob", command);
        let refused = refused.expect_err("he may look");
        assert!(refused.contains("42501"), "{command}: {refused}");
    }
    for show in ["SHOW TASKS", "SHOW CUTOVER", "SHOW REPLICATION"] {
        console.psql(&stage, "bob", show).expect("he may look");
    }
    assert_eq!(console.ask(&stage, "SHOW TASKS").lines().count(), 1);
    let unknown = console.refused(&stage, "STOP_TASK 7");
    assert!(unknown.contains("42704"), "{unknown}");
    // Before there is a migration.
    let store = stage.pair.dir().join("pgflit.db");
    fs::rename(&store, store.with_extension("away")).expect("renamed");
    assert_eq!(console.attempt(&stage)["serves"], "source");
    assert_eq!(console.ask(&stage, "SHOW REPLICATION").lines().count(), 1);
    fs::rename(store.with_extension("away"), &store).expect("renamed back");
}
