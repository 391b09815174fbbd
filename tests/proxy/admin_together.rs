//! The console of one of several processes of a proxy: what it says is for all of them.

use std::net::TcpStream;

use nix::sys::signal::Signal;

use super::admin::Console;
use super::wire;
use crate::support::{Run, SOON, eventually};

/// A proxy of two processes, each with a client of both databases, and the newer one's console.
struct Two {
    console: Console,
    newer: Run,
    /// Clients of `app`.
    app: [TcpStream; 2],
    /// Clients of `other`; the first is the older process's.
    other: [TcpStream; 2],
}

fn another(console: &Console) -> Run {
    let listen = format!("127.0.0.1:{}", console.proxied.port);
    let proxy = console.proxied.ask("proxy").arg("--listen").arg(listen);
    let proxy = proxy
        .arg("--config")
        .arg(console.folder.path().join("proxy.toml"));
    let run = proxy.source(&console.proxied.direct).start();
    run.wait_for_stderr("listening on 127.0.0.1:");
    run
}

impl Two {
    fn new() -> Self {
        // Whom the older one has stays there until the test is over.
        let more = "[proxy]\nreuse_port = true\n[limits]\ndrain_limit = \"1h\"";
        let mut console = Console::with(more);
        let of_older = ["app", "other"].map(|name| console.session(name));
        let newer = another(&console);
        // It takes nobody new from now on, and keeps whom it has.
        console.proxied.proxy.signal(Signal::SIGTERM);
        console.proxied.proxy.wait_for_stderr("stopping: ");
        let of_newer = ["app", "other"].map(|name| console.session(name));
        console.port = Console::port_of(&newer);
        let ([app, other], [its_app, its_other]) = (of_older, of_newer);
        Two {
            console,
            newer,
            app: [app, its_app],
            other: [other, its_other],
        }
    }

    /// Returns once so many clients are kept waiting with something to say.
    #[track_caller]
    fn until_held(&self, count: u64) {
        eventually(SOON, "clients are held", || {
            self.console.proxied.status()["clients"]["held"] == count
        });
    }
}

fn speak(sessions: &mut [TcpStream; 2]) {
    for session in sessions {
        wire::send_query(session, "SELECT 1");
    }
}

fn are_answered(sessions: &mut [TcpStream; 2]) {
    for session in sessions {
        wire::until(session, b'Z');
    }
}

#[test]
fn a_pause_of_one_database_is_of_all_processes() {
    let mut two = Two::new();
    two.console.ask("PAUSE app TIMEOUT 60000");
    speak(&mut two.app);
    two.until_held(2);
    speak(&mut two.other);
    are_answered(&mut two.other);
    for (command, sqlstate) in [
        ("pause app", "55000"),
        ("resume", "55000"),
        ("resume other", "55000"),
        ("pause nowhere", "3D000"),
    ] {
        let refused = two.console.refused(command);
        assert!(refused.contains(sqlstate), "{command}: {refused}");
    }
    // Who comes in a process that starts now comes into the pause.
    let third = another(&two.console);
    third.wait_for_stderr("traffic is paused");
    assert!(third.stderr().contains("database \"app\""));
    two.newer.signal(Signal::SIGTERM);
    two.newer.wait_for_stderr("stopping: ");
    two.console.port = Console::port_of(&third);
    wire::query(&mut two.console.session("other"), "SELECT 1");
    std::thread::scope(|scope| {
        let late = scope.spawn(|| two.console.session("app"));
        eventually(SOON, "it waits", || {
            two.console.proxied.status()["clients"]["waiting"] == 1
        });
        two.console.ask("RESUME app");
        late.join().expect("it is let in");
    });
    are_answered(&mut two.app);
    assert!(two.console.refused("resume app").contains("55000"));
}

#[test]
fn a_pause_that_one_process_cannot_make_is_none() {
    let mut two = Two::new();
    wire::query(&mut two.other[0], "BEGIN");
    let refused = two.console.refused("PAUSE other TIMEOUT 300");
    let why = format!("process {}: 1 clients", two.console.proxied.proxy.pid());
    assert!(
        refused.contains("55P03") && refused.contains(&why),
        "{refused}"
    );
    speak(&mut two.other);
    are_answered(&mut two.other);
    // Nor is one that nobody waits for any more.
    let mut psql = two.console.begin("PAUSE other TIMEOUT 60000");
    eventually(SOON, "it is held", || {
        two.console.proxied.status()["pauses"][0]["scope"]["database"] == "other"
    });
    wire::send_query(&mut two.other[1], "SELECT 1");
    two.until_held(1);
    psql.kill().expect("killed");
    psql.wait().expect("ended");
    wire::until(&mut two.other[1], b'Z');
    let older = &two.console.proxied.proxy;
    older.wait_for_stderr("resumed, clients go on: database \"other\"");
    wire::query(&mut two.other[0], "COMMIT");
    two.console.ask("PAUSE other");
    two.console.ask("RESUME other");
}

#[test]
fn maintenance_is_of_all_processes() {
    let mut two = Two::new();
    wire::query(&mut two.other[0], "BEGIN");
    // It does not wait for transactions that run.
    two.console.ask("MAINTENANCE ON");
    assert!(two.console.refused("maintenance on").contains("55000"));
    wire::query(&mut two.other[0], "COMMIT");
    speak(&mut two.app);
    speak(&mut two.other);
    two.until_held(4);
    let third = another(&two.console);
    third.wait_for_stderr("traffic is paused");
    two.console.ask("MAINTENANCE OFF");
    are_answered(&mut two.app);
    are_answered(&mut two.other);
    assert!(two.console.refused("maintenance off").contains("55000"));
    two.console.ask("PAUSE");
    speak(&mut two.app);
    two.until_held(2);
    two.console.proxied.resume();
    are_answered(&mut two.app);
}

#[test]
fn a_maintenance_that_one_process_does_not_answer_to_stays_on_in_none() {
    let mut two = Two::new();
    let older = &two.console.proxied.proxy;
    older.signal(Signal::SIGSTOP);
    let mut psql = two.console.begin("MAINTENANCE ON");
    two.newer.wait_for_stderr("maintenance has begun");
    // It begins with that.
    let third = another(&two.console);
    third.wait_for_stderr("traffic is paused");
    let refused = psql.wait().expect("ended");
    assert!(!refused.success());
    for process in [&two.newer, &third] {
        process.wait_for_stderr("resumed, clients go on: maintenance");
    }
    // What waits to be read there begins it, and ends it.
    older.signal(Signal::SIGCONT);
    older.wait_for_stderr("maintenance has begun");
    speak(&mut two.app);
    are_answered(&mut two.app);
}

#[test]
fn a_reload_is_of_all_processes() {
    let two = Two::new();
    two.console.ask("RELOAD");
    for process in [&two.console.proxied.proxy, &two.newer] {
        process.wait_for_stderr("the configuration was read again");
    }
    let path = two.console.folder.path().join("proxy.toml");
    std::fs::write(path, "nonsense").expect("written");
    let refused = two.console.refused("RELOAD");
    assert!(
        refused.contains("F0000") && refused.contains("the configuration is not reloaded"),
        "{refused}"
    );
}
