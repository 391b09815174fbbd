//! Real drivers through the proxy. Their programs are in `drivers/`, and end with 0 if everything is
//! as without a proxy; `.ci/setup test` installs the drivers into `target/drivers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::certificates::certificate;
use crate::support::{Proxied, source_options};

/// Makes a driver that is not installed a failure; without it the test does without, and says so.
const ALL: &str = "PGFLIT_ALL_DRIVERS";

/// A server, and a proxy that finds out by SCRAM who clients are, encrypted or not.
struct Bench {
    proxied: Proxied,
    ca: PathBuf,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (ca, key) = certificate(folder.path());
        let config = folder.path().join("proxy.toml");
        let text = format!(
            "[tls]\ncertificate = {ca:?}\nkey = {key:?}\n\
             [[user]]\nname = \"driver\"\npassword_env = \"DRIVER_PASSWORD\"\n"
        );
        std::fs::write(&config, text).expect("written");
        let proxied = Proxied::with(source_options(), |proxy| {
            proxy
                .arg("--config")
                .arg(&config)
                .env("DRIVER_PASSWORD", "wheel")
        });
        proxied
            .direct
            .sql("CREATE ROLE driver LOGIN SUPERUSER PASSWORD 'wheel'");
        Bench {
            proxied,
            ca,
            _folder: folder,
        }
    }

    /// Runs a driver's program to its end.
    #[track_caller]
    fn run(&self, command: &mut Command) {
        let port = self.proxied.port;
        let output = command
            .env(
                "URI",
                format!("postgresql://driver:wheel@127.0.0.1:{port}/app"),
            )
            .env(
                "JDBC_URI",
                format!("jdbc:postgresql://127.0.0.1:{port}/app"),
            )
            .env("USER_NAME", "driver")
            .env("PASSWORD", "wheel")
            .env("CA", &self.ca)
            .output()
            .expect("it is installed");
        assert!(
            output.status.success(),
            "{command:?} ended with {}\n{}\n{}\nthe proxy: {}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.proxied.proxy.stderr(),
        );
    }
}

/// Whether a driver is here.
#[track_caller]
pub(crate) fn is_installed(driver: &Path) -> bool {
    let is_there = driver.exists();
    assert!(
        is_there || std::env::var_os(ALL).is_none(),
        "{} is missing: .ci/setup test installs it",
        driver.display()
    );
    if !is_there {
        eprintln!("left out: {} is not there", driver.display());
    }
    is_there
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn program(name: &str) -> PathBuf {
    root().join("tests/proxy/drivers").join(name)
}

#[track_caller]
fn python(module: &str, name: &str) {
    let modules = root().join("target/drivers/python");
    if is_installed(&modules.join(module)) {
        let mut python = Command::new("python3");
        python
            .env("PYTHONPATH", modules)
            .arg("-B")
            .arg(program(name));
        Bench::new().run(&mut python);
    }
}

#[track_caller]
fn node(module: &str, name: &str) {
    let modules = root().join("target/drivers/node/node_modules");
    if is_installed(&modules.join(module)) {
        let mut node = Command::new("node");
        node.env("NODE_PATH", modules).arg(program(name));
        Bench::new().run(&mut node);
    }
}

#[test]
fn psycopg() {
    python("psycopg", "with_psycopg.py");
}

#[test]
fn asyncpg() {
    python("asyncpg", "with_asyncpg.py");
}

#[test]
fn node_postgres() {
    node("pg", "with_node_postgres.cjs");
}

#[test]
fn postgres_js() {
    node("postgres", "with_postgres_js.cjs");
}

#[test]
fn jdbc() {
    let driver = root().join("target/drivers/postgresql.jar");
    if is_installed(&driver) {
        let mut java = Command::new("java");
        java.arg("-cp").arg(driver).arg(program("WithJdbc.java"));
        Bench::new().run(&mut java);
    }
}
