//! What the benchmark is told.

use std::path::PathBuf;

use crate::shared::Result;

/// How much of it to run.
pub(crate) struct Options {
    /// Rounds; the middle one is printed.
    pub(crate) runs: usize,
    /// How long the load goes on before and behind each move.
    pub(crate) seconds: u64,
    /// pgbench's scale.
    pub(crate) scale: u32,
    /// Clients that do nothing, of the situation that has some.
    pub(crate) idle: u32,
    /// The pgflit that is measured.
    pub(crate) program: PathBuf,
    only: Vec<String>,
    contenders: Vec<String>,
}

const USAGE: &str = "options: --runs N --seconds N --scale N --idle N --program FILE \
                     --only \"8 clients\",… --contenders pgflit,pgbouncer";

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options {
            runs: 3,
            seconds: 5,
            scale: 10,
            idle: 500,
            program: env!("CARGO_BIN_EXE_pgflit").into(),
            only: Vec::new(),
            contenders: Vec::new(),
        };
        while let Some(option) = arguments.next() {
            // cargo bench adds it.
            if option == "--bench" {
                continue;
            }
            let value = arguments.next().ok_or(USAGE)?;
            let number = |text: &str| text.parse::<u32>().map_err(|_| USAGE);
            let words = || value.split(',').map(str::to_owned);
            match option.as_str() {
                "--runs" => options.runs = number(&value)?.max(1) as usize,
                "--seconds" => options.seconds = u64::from(number(&value)?.max(2)),
                "--scale" => options.scale = number(&value)?.max(1),
                "--idle" => options.idle = number(&value)?,
                "--program" => options.program = std::fs::canonicalize(&value)?,
                "--only" => options.only.extend(words()),
                "--contenders" => options.contenders.extend(words()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    /// Whether this situation is wanted: by its whole name, or by a part of it that is nobody's whole name.
    pub(crate) fn wants(&self, name: &str, all: &[String]) -> bool {
        let is_meant = |only: &String| match all.contains(only) {
            true => name == only,
            false => name.contains(only.as_str()),
        };
        self.only.is_empty() || self.only.iter().any(is_meant)
    }

    /// Whether this contender takes part.
    pub(crate) fn takes(&self, contender: &str) -> bool {
        self.contenders.is_empty() || self.contenders.iter().any(|name| name == contender)
    }
}
