//! What the benchmark is told.

use crate::shared::Result;

/// How much of it to run.
pub(crate) struct Options {
    /// Rounds; the middle one is printed.
    pub(crate) runs: usize,
    /// Tables, and indexes, at a time.
    pub(crate) jobs: usize,
    /// pgbench's scale.
    pub(crate) scale: u32,
    /// Rows of the wide table; about 3 kB each with what is beside it.
    pub(crate) wide_rows: u32,
    /// How many small tables.
    pub(crate) small_tables: u32,
    /// The data sets, by name; none for all.
    pub(crate) only: Vec<String>,
}

const USAGE: &str = "options: --runs N --jobs N --scale N --wide-rows N --small-tables N \
                     --only pgbench|small|wide (may be repeated)";

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options {
            runs: 3,
            jobs: 2,
            scale: 100,
            wide_rows: 1_000_000,
            small_tables: 1000,
            only: Vec::new(),
        };
        while let Some(option) = arguments.next() {
            // cargo bench adds it.
            if option == "--bench" {
                continue;
            }
            let value = arguments.next().ok_or(USAGE)?;
            let number = || value.parse::<u32>().map_err(|_| USAGE);
            match option.as_str() {
                "--runs" => options.runs = number()?.max(1) as usize,
                "--jobs" => options.jobs = number()?.max(1) as usize,
                "--scale" => options.scale = number()?,
                "--wide-rows" => options.wide_rows = number()?,
                "--small-tables" => options.small_tables = number()?,
                "--only" => options.only.push(value),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}
