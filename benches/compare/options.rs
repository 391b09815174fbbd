//! What the benchmark is told.

use crate::shared::Result;

/// How much of it to run.
pub(crate) struct Options {
    /// Rounds; the middle one is printed.
    pub(crate) runs: usize,
    /// About how large a table is.
    pub(crate) megabytes: u32,
    /// The data sets, by name; none for all.
    pub(crate) only: Vec<String>,
}

const USAGE: &str = "options: --runs N --megabytes N --only narrow|wide|many (may be repeated)";

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options {
            runs: 3,
            megabytes: 1000,
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
                "--megabytes" => options.megabytes = number()?.max(1),
                "--only" => options.only.push(value),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}
