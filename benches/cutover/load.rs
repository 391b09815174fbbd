//! The application: pgbench, sessions that do nothing, and what its log says.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, NoTls};

use crate::options::Options;
use crate::shared::Result;
use crate::shared::sql::sql;
use crate::stage::{DATABASE, Stage};

/// What the application does meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    pub(crate) clients: u32,
    /// Transactions a second; as many as can be without it.
    pub(crate) rate: Option<u32>,
    pub(crate) idle: u32,
    pub(crate) sequences: u32,
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} clients", self.clients)?;
        if let Some(rate) = self.rate {
            write!(f, ", {rate} transactions a second")?;
        }
        if self.idle > 0 {
            write!(f, ", {} idle sessions", self.idle)?;
        }
        if self.sequences > 0 {
            write!(f, ", {} sequences", self.sequences)?;
        }
        Ok(())
    }
}

impl Situation {
    /// All that are to be measured.
    pub(crate) fn all(options: &Options) -> Vec<Situation> {
        let plain = |clients, rate| Situation {
            clients,
            rate,
            idle: 0,
            sequences: 0,
        };
        let all = [
            plain(8, None),
            plain(64, None),
            plain(200, Some(1000)),
            // What two cores carry, too.
            plain(200, Some(500)),
            Situation {
                idle: options.idle,
                ..plain(8, None)
            },
            Situation {
                sequences: 200,
                ..plain(8, None)
            },
        ];
        let mut all = Vec::from(all);
        let names: Vec<String> = all.iter().map(Situation::to_string).collect();
        all.retain(|one| options.wants(&one.to_string(), &names));
        all
    }
}

/// What comes after a move may still be due to it.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// How many of the longest transactions are told of.
const TOLD: usize = 16;

/// Clients at work.
pub(crate) struct Load {
    pgbench: Child,
    folder: tempfile::TempDir,
    _idle: Vec<Client>,
}

/// What they have seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Of any client, of those transactions that were under way while traffic moved, or a second later.
    pub(crate) longest: Duration,
    /// The same of a time as long just before: what this machine does by itself.
    pub(crate) longest_before: Duration,
    /// Half of the transactions took at most this.
    pub(crate) median: Duration,
    /// A second.
    pub(crate) rate: f64,
    /// Clients that were ended, and transactions that failed.
    pub(crate) errors: u64,
}

impl Load {
    /// Through whoever listens on `port`, for `seconds`.
    pub(crate) async fn start(
        stage: &Stage,
        situation: &Situation,
        port: u16,
        seconds: u64,
    ) -> Result<Self> {
        // What was made ready is not to be written to the disk in the middle of it.
        for cluster in [&stage.source, &stage.target] {
            sql(cluster, DATABASE, "CHECKPOINT")?;
        }
        nix::unistd::sync();
        let mut idle = Vec::new();
        for _ in 0..situation.idle {
            let (client, connection) = tokio_postgres::connect(&stage.uri(port), NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute("SELECT 1").await?;
            idle.push(client);
        }
        let folder = tempfile::tempdir()?;
        let mut pgbench = Command::new(stage.source.programs().path("pgbench"));
        pgbench
            .current_dir(folder.path())
            .args(["-n", "-l", "-j", "2", "-M", "simple"]);
        pgbench.args(["-c", &situation.clients.to_string()]);
        pgbench.args(["-T", &seconds.to_string()]);
        if let Some(rate) = situation.rate {
            pgbench.args(["-R", &rate.to_string()]);
        }
        let pgbench = pgbench
            .arg(stage.uri(port))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Load {
            pgbench,
            folder,
            _idle: idle,
        })
    }

    /// Waits for its end. Traffic moved between `moved.0` and `moved.1`; `tells` of the longest transactions
    /// then.
    pub(crate) fn end(
        self,
        seconds: u64,
        moved: (SystemTime, SystemTime),
        tells: bool,
    ) -> Result<Seen> {
        let output = self.pgbench.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors = said.lines().filter(|line| line.contains("error:")).count() as u64;
        if errors > 0 {
            eprintln!("{said}");
        }
        let mut all = transactions(self.folder.path())?;
        all.sort_unstable();
        let since = moved.0.duration_since(UNIX_EPOCH)?;
        let until = moved.1.duration_since(UNIX_EPOCH)? + AFTERWARDS;
        let is_then =
            |(took, ended): &&(Duration, Duration)| *ended >= since && *ended - *took <= until;
        let from = since.saturating_sub(until - since);
        let is_before = |(took, ended): &&(Duration, Duration)| {
            (from..since).contains(ended) && *ended - *took >= from
        };
        if tells {
            let tell = |(took, ended): &(Duration, Duration)| {
                let after = ended.as_secs_f64() - since.as_secs_f64();
                let took = took.as_secs_f64() * 1e3;
                eprintln!("{took:.1} ms, ended after {after:.3} s");
            };
            all.iter().rev().filter(is_before).take(TOLD).for_each(tell);
            all.iter().rev().filter(is_then).take(TOLD).for_each(tell);
        }
        let longest = all.iter().rev().find(is_then);
        let longest = longest.ok_or("pgbench did nothing then")?.0;
        let longest_before = all.iter().rev().find(is_before);
        // None where everything takes longer than that.
        let longest_before = longest_before.map_or(until - since, |before| before.0);
        let took: Vec<Duration> = all.into_iter().map(|(took, _)| took).collect();
        Ok(Seen {
            longest,
            longest_before,
            median: took[took.len() / 2],
            rate: took.len() as f64 / seconds as f64,
            errors,
        })
    }
}

/// How long each transaction took that pgbench has logged in `folder`, and when it ended, since 1970. With
/// a rate, from when it should have begun.
fn transactions(folder: &Path) -> Result<Vec<(Duration, Duration)>> {
    let mut all = Vec::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path())?;
        all.extend(text.lines().filter_map(|line| {
            let mut numbers = line.split(' ').skip(2).map(str::parse::<u64>);
            let took = Duration::from_micros(numbers.next()?.ok()?);
            let seconds = Duration::from_secs(numbers.nth(1)?.ok()?);
            Some((took, seconds + Duration::from_micros(numbers.next()?.ok()?)))
        }));
    }
    Ok(all)
}
