//! The last lines of a command that failed.

use std::error::Error;
use std::io::{self, Write};

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
    // There is nowhere left to say that stderr is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// An error and its causes, from what was being done to what stood in the way.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("copying public.orders")]
    struct Copying(#[source] io::Error);

    #[test]
    fn causes_follow_what_was_being_done() {
        let error = Copying(io::Error::other("connection was lost"));
        assert_eq!(chain(&error), "copying public.orders: connection was lost");
    }
}
