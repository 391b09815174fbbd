//! What the benchmark is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::shared::Result;

/// How much of it to run.
pub(crate) struct Options {
    /// Rounds; the middle one is printed.
    pub(crate) runs: usize,
    /// Share of the full size of each workload.
    pub(crate) scale: f64,
    /// The workloads, and `lag`, by name; none for all.
    pub(crate) only: Vec<String>,
    /// Contenders whose names contain one of these; none for all.
    pub(crate) contenders: Vec<String>,
    /// The longest that a contender may take.
    pub(crate) limit: Duration,
    /// JSON in place of tables.
    pub(crate) json: bool,
    /// The pgflit to measure.
    pub(crate) program: PathBuf,
    /// Transactions a second at which lag is measured.
    pub(crate) rates: Vec<u32>,
    /// How long at each.
    pub(crate) seconds: u64,
}

const USAGE: &str = "options: --only W1,W2,W3,W4,W5,W6,W7,lag --runs N --scale small|full|FACTOR \
    --contenders PART_OF_NAME,… --limit SECONDS --json --program FILE \
    --rates TRANSACTIONS_A_SECOND,… --seconds N";
/// What `--only` may name.
const KNOWN: [&str; 8] = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "lag"];
/// What `--scale small` means.
const SMALL: f64 = 0.02;

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options {
            runs: 3,
            scale: 1.0,
            only: Vec::new(),
            contenders: Vec::new(),
            limit: Duration::from_secs(180),
            json: false,
            program: env!("CARGO_BIN_EXE_pgflit").into(),
            rates: vec![500, 2000],
            seconds: 30,
        };
        while let Some(option) = arguments.next() {
            match option.as_str() {
                // cargo bench adds it.
                "--bench" => continue,
                "--json" => {
                    options.json = true;
                    continue;
                }
                _ => {}
            }
            let value = arguments.next().ok_or(USAGE)?;
            let words = || value.split(',').map(str::to_owned);
            let number = |text: &str| text.parse::<u32>().map_err(|_| USAGE);
            match option.as_str() {
                "--runs" => options.runs = number(&value)?.max(1) as usize,
                "--scale" => options.scale = scale(&value)?,
                "--only" => {
                    let known =
                        |name: &String| KNOWN.iter().any(|of| of.eq_ignore_ascii_case(name));
                    match words().all(|name| known(&name)) {
                        true => options.only.extend(words()),
                        false => return Err(USAGE.into()),
                    }
                }
                "--contenders" => options.contenders.extend(words()),
                "--limit" => options.limit = Duration::from_secs(number(&value)?.into()),
                "--program" => options.program = value.into(),
                "--rates" => options.rates = value.split(',').map(number).collect::<Rates>()?,
                "--seconds" => options.seconds = number(&value)?.into(),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    /// Whether a workload, or `lag`, was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let same = |only: &String| only.eq_ignore_ascii_case(name);
        self.only.is_empty() || self.only.iter().any(same)
    }

    /// Whether a contender was asked for.
    pub(crate) fn wants_contender(&self, name: &str) -> bool {
        self.contenders.is_empty() || self.contenders.iter().any(|part| name.contains(part))
    }
}

type Rates = std::result::Result<Vec<u32>, &'static str>;

fn scale(value: &str) -> Result<f64> {
    match value {
        "small" => Ok(SMALL),
        "full" => Ok(1.0),
        factor => match factor.parse::<f64>() {
            Ok(factor) if factor > 0.0 => Ok(factor),
            _ => Err(USAGE.into()),
        },
    }
}
