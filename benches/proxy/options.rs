//! What the benchmark is told.

use std::path::PathBuf;

use crate::shared::Result;

/// How much of it to run.
pub(crate) struct Options {
    /// Rounds; the middle one is printed.
    pub(crate) runs: usize,
    /// How long each load lasts.
    pub(crate) seconds: u32,
    /// pgbench's scale.
    pub(crate) scale: u32,
    /// Numbers of clients.
    pub(crate) clients: Vec<u32>,
    /// Clients that do nothing.
    pub(crate) idle: u32,
    /// Megabytes that COPY moves.
    pub(crate) megabytes: u32,
    /// The pgflit that is measured.
    pub(crate) program: PathBuf,
    only: Vec<String>,
    contenders: Vec<String>,
}

const USAGE: &str = "options: --runs N --seconds N --scale N --clients 1,16,64,500 --idle N \
                     --megabytes N --program FILE --only select|tpcb|copy|idle|prepared|… \
                     --contenders direct,pgflit,pgbouncer";

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options {
            runs: 3,
            seconds: 5,
            scale: 10,
            clients: vec![1, 16, 64, 500],
            idle: 10_000,
            megabytes: 1000,
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
                "--seconds" => options.seconds = number(&value)?.max(1),
                "--scale" => options.scale = number(&value)?.max(1),
                "--idle" => options.idle = number(&value)?,
                "--megabytes" => options.megabytes = number(&value)?.max(1),
                "--clients" => {
                    let counts = value.split(',').map(number);
                    options.clients = counts.collect::<std::result::Result<_, _>>()?;
                }
                "--program" => options.program = std::fs::canonicalize(&value)?,
                "--only" => options.only.extend(words()),
                "--contenders" => options.contenders.extend(words()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    /// Whether this is to be run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }

    /// Whether any load of pgbench is.
    pub(crate) fn wants_load(&self) -> bool {
        self.only.is_empty()
            || self
                .only
                .iter()
                .any(|only| !["copy", "idle"].contains(&only.as_str()))
    }

    /// Whether this contender takes part.
    pub(crate) fn takes(&self, contender: &str) -> bool {
        let mut names = self.contenders.iter();
        self.contenders.is_empty() || names.any(|name| contender.starts_with(name.as_str()))
    }
}
