//! Real drivers keep their connection, their prepared statements and their settings.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::stage::Stage;
use crate::proxy::drivers::{is_installed, root};

/// Each driver's program, if the driver is here.
fn programs() -> Vec<Command> {
    let installed = root().join("target/drivers");
    let program = |name: &str| root().join("tests/cutover/drivers").join(name);
    let mut programs = Vec::new();
    let python = installed.join("python");
    for (module, name) in [
        ("psycopg", "stays_with_psycopg.py"),
        ("asyncpg", "stays_with_asyncpg.py"),
    ] {
        if is_installed(&python.join(module)) {
            let mut command = Command::new("python3");
            command
                .env("PYTHONPATH", &python)
                .arg("-B")
                .arg(program(name));
            programs.push(command);
        }
    }
    let node = installed.join("node/node_modules");
    if is_installed(&node.join("pg")) {
        let mut command = Command::new("node");
        command
            .env("NODE_PATH", node)
            .arg(program("stays_with_node_postgres.cjs"));
        programs.push(command);
    }
    let jdbc: PathBuf = installed.join("postgresql.jar");
    if is_installed(&jdbc) {
        let mut command = Command::new("java");
        command
            .arg("-cp")
            .arg(jdbc)
            .arg(program("StaysWithJdbc.java"));
        programs.push(command);
    }
    programs
}

/// Starts one, and waits until it has its session.
fn start(command: &mut Command, port: u16) -> Child {
    let mut child = command
        .env("URI", format!("postgresql://app@127.0.0.1:{port}/app"))
        .env(
            "JDBC_URI",
            format!("jdbc:postgresql://127.0.0.1:{port}/app"),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it is installed");
    let mut line = String::new();
    let output = child.stdout.as_mut().expect("a pipe");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("it speaks");
    if line.trim() != "ready" {
        let output = child.wait_with_output().expect("it ends");
        panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    child
}

#[test]
fn drivers_keep_their_connection_statements_and_settings() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY, driver text)");
    let mut commands = programs();
    let mut running: Vec<Child> = Vec::new();
    for command in &mut commands {
        running.push(start(command, stage.port));
    }
    stage.moves("cutover");
    for (mut child, command) in running.into_iter().zip(&commands) {
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"go on\n").expect("it reads");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let count = stage.pair.target.number("SELECT count(*) FROM t");
    assert_eq!(usize::try_from(count), Ok(commands.len()));
    stage.until_equal(&["t"]);
}
