//! What applications do: pgbench, in its three ways of asking.

use std::fmt;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::Servers;
use crate::contenders::Contender;
use crate::options::Options;
use crate::shared::cpu::cpu;
use crate::shared::{Result, median};

/// One of them.
pub(crate) struct Load {
    is_select: bool,
    mode: &'static str,
    clients: u32,
}

/// What it took.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// Transactions a second.
    pub(crate) rate: f64,
    /// Half of the transactions took at most this.
    pub(crate) p50: Duration,
    /// And all but a hundredth this.
    pub(crate) p99: Duration,
    /// Processor time of the proxy for each transaction.
    pub(crate) cpu: Option<Duration>,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.is_select {
            true => "select (pgbench -S)",
            false => "tpcb",
        };
        let clients = match self.clients {
            1 => "1 client".to_owned(),
            clients => format!("{clients} clients"),
        };
        write!(f, "{name}, {}, {clients}", self.mode)
    }
}

impl Load {
    /// All that are to be run.
    pub(crate) fn all(options: &Options) -> Vec<Load> {
        let mut loads = Vec::new();
        for is_select in [true, false] {
            for mode in ["simple", "extended", "prepared"] {
                for clients in &options.clients {
                    let load = Load {
                        is_select,
                        mode,
                        clients: *clients,
                    };
                    if options.wants(&load.to_string()) {
                        loads.push(load);
                    }
                }
            }
        }
        loads
    }

    /// Runs it once.
    pub(crate) fn run(
        &self,
        contender: &Contender,
        servers: &Servers,
        options: &Options,
    ) -> Result<Measured> {
        let folder = tempfile::tempdir()?;
        let mut pgbench = Command::new(servers.server.programs().path("pgbench"));
        let log = folder.path().join("log");
        pgbench
            .current_dir(folder.path())
            .args(["-n", "-l", "--log-prefix"])
            .arg(&log);
        pgbench.args(["-M", self.mode, "-c", &self.clients.to_string()]);
        pgbench.args(["-j", if self.clients == 1 { "1" } else { "2" }]);
        pgbench.args(["-T", &options.seconds.to_string()]);
        // The log itself takes time: of many transactions a sample is enough.
        if self.clients > 1 {
            pgbench.args(["--sampling-rate", "0.1"]);
        }
        if self.is_select {
            pgbench.arg("-S");
        }
        let before = contender.pid().map(cpu);
        let output = pgbench.arg(contender.uri()).output()?;
        let after = contender.pid().map(cpu);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let number = |head: &str| -> Result<f64> {
            let line = said.lines().find_map(|line| line.strip_prefix(head));
            let word = line.and_then(|line| line.split([' ', '/']).find(|word| !word.is_empty()));
            Ok(word.ok_or("pgbench said nothing of use")?.parse()?)
        };
        let transactions = number("number of transactions actually processed:")?;
        let mut took = latencies(folder.path())?;
        took.sort_unstable();
        let at = |share: f64| took.get((took.len() as f64 * share) as usize);
        Ok(Measured {
            rate: number("tps =")?,
            p50: median(took.iter().copied()).unwrap_or_default(),
            p99: at(0.99).copied().unwrap_or_default(),
            cpu: before
                .zip(after)
                .map(|(before, after)| (after - before).div_f64(transactions)),
        })
    }
}

/// Of all transactions that pgbench has logged in `folder`.
fn latencies(folder: &std::path::Path) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path())?;
        let micros = text
            .lines()
            .filter_map(|line| line.split(' ').nth(2)?.parse().ok());
        all.extend(micros.map(Duration::from_micros));
    }
    Ok(all)
}
