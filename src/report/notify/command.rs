//! A command of the operator's for each.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::news::News;

/// How long it may run.
const RUN_MAX: Duration = Duration::from_secs(30);

/// Runs it to its end, which it has to come to in time.
pub(super) fn run(command: &str, news: &News, json: &str) -> Result<(), String> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env("PGFLIT_EVENT", news.kind.as_str())
        .env("PGFLIT_MESSAGE", &news.message)
        .stdin(Stdio::piped())
        // Stdout is for what pgflit prints.
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    let deadline = Instant::now() + RUN_MAX;
    // It fits into a pipe's buffer but for the longest of messages, which a writer of its own waits with.
    let writer = child.stdin.take().map(|mut stdin| {
        let line = format!("{json}\n");
        thread::spawn(move || stdin.write_all(line.as_bytes()))
    });
    let ended = wait(&mut child, deadline);
    if let Some(writer) = writer {
        // Who does not read it has closed it by now.
        let _ = writer.join();
    }
    ended
}

fn wait(child: &mut Child, deadline: Instant) -> Result<(), String> {
    let failed = |error: io::Error| format!("waiting for it: {error}");
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("it ends with {status}")),
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
            None => {
                if let Ok(pid) = i32::try_from(child.id()) {
                    // What it has started goes with it.
                    let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
                }
                child.wait().map_err(failed)?;
                return Err(format!("it was killed after {RUN_MAX:?}"));
            }
        }
    }
}
