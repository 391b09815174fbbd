//! The last lines of a command that failed.

use std::error::Error;

use super::progress::printable;
use super::{log_file, terminal};
use crate::base::cause::chain;

/// Prints `error: what: cause: cause`, then `hint: …`, on stderr.
pub fn print(error: &(dyn Error + 'static), hint: Option<&str>) {
    print_text(&text_of(error, hint));
}

/// A server's message may have several lines; whatever else would steer the terminal is escaped.
fn text_of(error: &(dyn Error + 'static), hint: Option<&str>) -> String {
    let mut text = format!("error: {}\n", chain(error));
    if let Some(hint) = hint {
        text.push_str(&format!("hint: {hint}\n"));
    }
    text.lines().map(|line| printable(line) + "\n").collect()
}

/// Prints a `text` that is a whole error already.
pub fn print_text(text: &str) {
    log_file::append(text);
    terminal::write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("copying \u{1b}[2Jevil\nDETAIL: more")]
    struct Evil;

    #[test]
    fn a_name_in_an_error_cannot_steer_the_terminal() {
        assert_eq!(
            text_of(&Evil, Some("look")),
            "error: copying \\u{1b}[2Jevil\nDETAIL: more\nhint: look\n"
        );
    }
}
