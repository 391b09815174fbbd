//! The terminal below the bars.
//!
//! indicatif fills each line with spaces to its end, so that the cursor goes to the next by
//! wrapping, and waits at the end of the last. What the terminal itself writes there, such as
//! `^C`, wraps too, and every line after it is drawn one too low. Here lines end as lines do, and
//! the last is an empty one: whatever is written on it is wiped away with it, and the prompt of a
//! shell whose pgflit was killed stands on it.

use std::io;

use console::Term;
use indicatif::TermLike;

/// What the spaces stand for that fill a line.
#[derive(Debug, PartialEq, Eq)]
enum EndOfLine {
    /// Something stands before them.
    OfText,
    /// Nothing does: it is the last line.
    OfEmptyLine,
}

fn end_of_line(text: &str, width: usize) -> Option<EndOfLine> {
    let is_filler = text.bytes().all(|byte| byte == b' ');
    is_filler.then_some(match (1..width).contains(&text.len()) {
        true => EndOfLine::OfText,
        // Its text, which is none, or all of its width.
        false => EndOfLine::OfEmptyLine,
    })
}

/// Stderr, without the spaces.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    pub(super) fn stderr() -> Self {
        // Buffered: what is drawn at a time appears at a time.
        Screen(Term::buffered_stderr())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        match end_of_line(text, self.width().into()) {
            None => self.0.write_str(text),
            Some(EndOfLine::OfText) => self.0.write_line(""),
            Some(EndOfLine::OfEmptyLine) => Ok(()),
        }
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_line_ends_it_and_what_fills_an_empty_one_is_nothing() {
        assert_eq!(end_of_line(" copying", 10), None);
        assert_eq!(end_of_line("\r", 10), None);
        assert_eq!(end_of_line("  ", 10), Some(EndOfLine::OfText));
        for empty in ["", "          "] {
            assert_eq!(end_of_line(empty, 10), Some(EndOfLine::OfEmptyLine));
        }
    }
}
