//! `pgflit clone --follow`, `pgflit proxy`, `pgflit cutover` and back.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::load::{Load, Situation};
use crate::options::Options;
use crate::shared::Result;
use crate::stage::{DATABASE, Stage, runtime};
use crate::table::Row;

/// How long replication is given to come into step with the load.
const IN_STEP: Duration = Duration::from_secs(3);

/// A process that ends with the benchmark, and the work directory's streams with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A cutover and a rollback, each in the middle of a load.
pub(crate) fn measure(situation: &Situation, options: &Options) -> Result<Vec<Row>> {
    runtime()?.block_on(measure_both(situation, options))
}

async fn measure_both(situation: &Situation, options: &Options) -> Result<Vec<Row>> {
    let stage = Stage::new(situation, options)?;
    let (follow, _) = start(&stage, options, &["clone", "--follow"], "live replay")?;
    let listen = ["proxy", "--listen", "127.0.0.1:0"];
    let (_proxy, told) = start(&stage, options, &listen, "listening on 127.0.0.1:")?;
    let port = told.trim().parse()?;
    let mut rows = Vec::new();
    for (name, word) in [
        ("pgflit cutover", "cutover"),
        ("pgflit rollback", "rollback"),
    ] {
        let seconds = 2 * options.seconds + IN_STEP.as_secs();
        let load = Load::start(&stage, situation, port, seconds).await?;
        tokio::time::sleep(IN_STEP + Duration::from_secs(options.seconds)).await;
        let began = SystemTime::now();
        let mut moving = command(&stage, options, &[word, "--yes", "--json"]);
        let moved = moving.stderr(Stdio::piped()).output()?;
        let ended = SystemTime::now();
        let seen = load.end(seconds, (began, ended), options.runs == 1)?;
        if !moved.status.success() {
            let said = String::from_utf8_lossy(&moved.stderr);
            return Err(format!("{word} ended with {}:\n{said}", moved.status).into());
        }
        let told: serde_json::Value = serde_json::from_slice(&moved.stdout)?;
        let held = told["held_ms"].as_f64().ok_or("no held_ms")?;
        if options.runs == 1 {
            eprintln!("{}", told["steps"]);
        }
        rows.push(Row {
            name,
            paused: Duration::from_secs_f64(held / 1000.0),
            seen,
        });
    }
    drop(follow);
    // What streams on is a process of its own.
    let lock = stage.folder.path().join("work/forward/pgflit.lock");
    let text = std::fs::read_to_string(lock).unwrap_or_default();
    if let Some(pid) = text.split(' ').next().and_then(|pid| pid.parse().ok()) {
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    Ok(rows)
}

fn command(stage: &Stage, options: &Options, words: &[&str]) -> Command {
    let mut command = Command::new(&options.program);
    command
        .args(words)
        .args(["--source", &stage.source.uri(DATABASE)])
        .args(["--target", &stage.target.uri(DATABASE)])
        .arg("--dir")
        .arg(stage.folder.path().join("work"));
    command
}

/// Starts it, and returns what it says behind `until`.
fn start(
    stage: &Stage,
    options: &Options,
    words: &[&str],
    until: &str,
) -> Result<(Running, String)> {
    let mut child = command(stage, options, words)
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take().ok_or("no stderr")?;
    let running = Running(child);
    let mut lines = BufReader::new(stderr).lines();
    let mut said = String::new();
    let rest = loop {
        let line = lines.next().ok_or_else(|| format!("it ended: {said}"))??;
        if let Some((_, rest)) = line.split_once(until) {
            break rest.to_owned();
        }
        said += &line;
    };
    std::thread::spawn(move || lines.for_each(drop));
    Ok((running, rest))
}
