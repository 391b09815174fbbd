//! The last lines of a command that failed.

use std::error::Error;

use super::{log_file, terminal};
use crate::base::cause::chain;

/// Prints `error: what: cause: cause`, then `hint: …`, on stderr.
pub fn print(error: &(dyn Error + 'static), hint: Option<&str>) {
    let mut text = format!("error: {}\n", chain(error));
    if let Some(hint) = hint {
        text.push_str(&format!("hint: {hint}\n"));
    }
    print_text(&text);
}

/// Prints a `text` that is a whole error already.
pub fn print_text(text: &str) {
    log_file::append(text);
    terminal::write(text.as_bytes());
}
