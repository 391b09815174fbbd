//! What the page about troubleshooting explains, and what it does not.
//!
//! An error is a chain: what was being done, its cause, the cause of that, with `: ` between. Each
//! piece must be one of the page's messages, or the words of somebody else: a server's with its
//! SQLSTATE, the operating system's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// What is between the pieces of a chain.
const BETWEEN: &str = ": ";

static PAGE: LazyLock<Page> =
    LazyLock::new(|| Page::of(include_str!("../../docs/troubleshooting.md")));

/// Fails unless the page explains every error that is printed in `text`, a whole stderr or log.
///
/// A line that is not complete yet is left out.
#[track_caller]
pub(crate) fn assert_explained(text: &str) {
    for chain in errors(text) {
        if let Some(piece) = PAGE.unexplained(&chain) {
            panic!(
                "docs/troubleshooting.md does not list {piece:?} of\nerror: {chain}\n\
                 Put a row there that helps whoever reads this."
            );
        }
    }
}

/// The same for every file in a folder `log` somewhere below `folder`.
#[track_caller]
pub(crate) fn assert_logs_explained(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            assert_logs_explained(&path);
        } else if folder.ends_with("log") {
            let bytes = fs::read(&path).unwrap_or_default();
            assert_explained(&String::from_utf8_lossy(&bytes));
        }
    }
}

/// The messages of a page.
struct Page {
    messages: Vec<Vec<Part>>,
}

/// A piece of a message.
enum Part {
    /// These letters.
    Text(String),
    /// `{name}`: anything that ends before the next piece of the chain.
    Value,
    /// `{doing}`: such a value that says what was being done: `reading`, `opening a session`.
    Doing,
    /// `{message}`: what another program says, which may have several pieces.
    Words,
}

impl Page {
    /// The code spans in the first column of the tables of `page`.
    fn of(page: &str) -> Self {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells = rows.filter_map(|row| row.split_once(" | ").map(|(cell, _)| cell));
        let spans = cells.flat_map(|cell| cell.split('`').step_by(2));
        // What a message ends in may be an error with a row of its own: `{reason}` is that piece, then.
        let spans = spans.flat_map(|span| [Some(span), without_reason(span)]);
        let messages = spans.flatten().map(parts);
        let messages = messages.filter(|parts| says_something(parts));
        Page {
            messages: messages.collect(),
        }
    }

    /// The first piece of `chain` from which on it is not explained; none if all of it is.
    fn unexplained<'a>(&self, chain: &'a str) -> Option<&'a str> {
        let mut starts = BTreeSet::from([0]);
        let mut last = 0;
        while let Some(start) = starts.pop_first() {
            last = start;
            for end in self.ends(&chain[start..]) {
                match start + end == chain.len() {
                    true => return None,
                    false => starts.insert(start + end + BETWEEN.len()),
                };
            }
        }
        chain[last..].split(BETWEEN).next()
    }

    /// Where the first piece of `rest` may end.
    fn ends(&self, rest: &str) -> BTreeSet<usize> {
        let known = self.messages.iter().flat_map(|parts| ends(parts, rest));
        let known = known.chain(end_of_server_words(rest));
        known
            .chain(end_of_system_words(rest))
            .filter(|end| rest[*end..].is_empty() || rest[*end..].starts_with(BETWEEN))
            .collect()
    }
}

/// `asking: {reason}` without the reason.
fn without_reason(message: &str) -> Option<&str> {
    let (before, reason) = message.rsplit_once(BETWEEN)?;
    let is_value = reason.starts_with('{') && reason.find('}') == Some(reason.len() - 1);
    is_value.then_some(before)
}

fn parts(message: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = message;
    while let Some((text, (name, after))) = rest
        .split_once('{')
        .and_then(|(text, value)| Some((text, value.split_once('}')?)))
    {
        parts.push(Part::Text(text.to_owned()));
        parts.push(match name {
            "doing" => Part::Doing,
            "message" => Part::Words,
            _ => Part::Value,
        });
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

/// Whether there is a word to know a message by: `{origin}: {reason}` would explain everything.
/// Articles and the like are none.
fn says_something(parts: &[Part]) -> bool {
    let is_word = |word: &str| word.chars().count() >= 4;
    parts.iter().any(|part| match part {
        Part::Text(text) => text.split(|c: char| !c.is_alphabetic()).any(is_word),
        Part::Value | Part::Doing | Part::Words => false,
    })
}

/// Where `rest` may have been read to, if it begins with `parts`.
fn ends(parts: &[Part], rest: &str) -> BTreeSet<usize> {
    let mut read = BTreeSet::from([0]);
    for part in parts {
        let after = |at: usize| match part {
            Part::Text(text) if rest[at..].starts_with(text) => BTreeSet::from([at + text.len()]),
            Part::Text(_) => BTreeSet::new(),
            Part::Doing if !is_doing(&rest[at..]) => BTreeSet::new(),
            Part::Value | Part::Doing => {
                let end = rest[at..].find(BETWEEN).map_or(rest.len(), |end| at + end);
                boundaries(rest, at, end)
            }
            Part::Words => boundaries(rest, at, rest.len()),
        };
        read = read.into_iter().flat_map(after).collect();
    }
    read
}

/// Whether `words` begin with what somebody does.
fn is_doing(words: &str) -> bool {
    let first = words.split(|c: char| !c.is_alphabetic()).next();
    first.is_some_and(|word| word.ends_with("ing"))
}

fn boundaries(text: &str, from: usize, to: usize) -> BTreeSet<usize> {
    (from..=to)
        .filter(|at| text.is_char_boundary(*at))
        .collect()
}

/// What servers begin with that goes on in small letters behind a colon.
const GOES_ON_SMALL: [&str; 3] = [
    "could not extend file ",
    "could not write ",
    "invalid regular expression: ",
];

/// Where what a server says ends, if `rest` begins with that: with its SQLSTATE, detail and context,
/// which nothing follows. The message may quote what has a colon, `invalid input: "a: b"`; our own
/// pieces go on in small letters.
fn end_of_server_words(rest: &str) -> Option<usize> {
    let (message, _) = rest.split_once(" (SQLSTATE ")?;
    let goes_on = |piece: &str| !piece.starts_with(|c: char| c.is_lowercase());
    let is_one = message.split(BETWEEN).skip(1).all(goes_on)
        || GOES_ON_SMALL.iter().any(|begin| rest.starts_with(begin));
    is_one.then_some(rest.len())
}

/// Where what the operating system says ends: `No such file or directory (os error 2)`.
fn end_of_system_words(rest: &str) -> Option<usize> {
    const END: &str = " (os error ";
    let piece = rest.split(BETWEEN).next()?;
    let is_one = piece.starts_with(char::is_uppercase) && piece.contains(END);
    is_one.then_some(piece.len())
}

/// The chains in `text`, without `error: `. A server's message may have several lines.
fn errors(text: &str) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else {
            break;
        };
        if let Some(chain) = line.strip_prefix("error: ") {
            errors.push(chain.to_owned());
            is_inside = true;
        } else if line.is_empty() || line.starts_with("hint: ") || begins_with_a_time(line) {
            is_inside = false;
        } else if let Some(error) = errors.last_mut().filter(|_| is_inside) {
            error.push('\n');
            error.push_str(line);
        }
    }
    errors
}

/// Whether `line` is one of the log's: `2026-11-22 …`.
fn begins_with_a_time(line: &str) -> bool {
    let date = line.as_bytes().get(..5);
    date.is_some_and(|date| date[..4].iter().all(u8::is_ascii_digit) && date[4] == b'-')
}

#[cfg(test)]
const SMALL_PAGE: &str = "Not `a row: anything`.\n\
    | `{0}`, `{origin}: {reason}`, `{one} on the {}` | values alone explain nothing |\n\
    | `copying {table} part {part}`, `{path} line {line}: {reason}` | `the second column` |\n\
    | `{program} failed: {message}`, `no \"{name}\" here: {reason}`, `{doing} on the target` | such |\n";

#[test]
fn pieces_are_explained_one_by_one() {
    let page = Page::of(SMALL_PAGE);
    for known in [
        "copying a.b part 3",
        "copying a.b part 3: no \"x\" here",
        "copying a.b part 3: Connection refused (os error 111)",
        "copying a.b part 3: invalid input syntax: \"a\nb\" (SQLSTATE 22P02): a detail: more [line 1]",
        "copying a.b part 3: pg_dump failed: pg_dump: error: lost: for good",
        "copying a.b part 3: could not extend file \"x\": wrote only 1 of 2 bytes (SQLSTATE 53100)",
        "/tmp/x line 3: why",
        "/tmp/x line 3: no \"x\" here: no \"y\" here",
        "opening a session on the target: no \"x\" here",
    ] {
        assert_eq!(page.unexplained(known), None, "{known}");
    }
    for (chain, unknown) in [
        ("", ""),
        ("something else", "something else"),
        ("a row: anything", "a row"),
        ("the second column", "the second column"),
        ("copying a.b part 3: something else", "something else"),
        ("copying a.b part 3: odd: no \"x\" here", "odd"),
        ("copying a.b part 3: odd: refused (SQLSTATE 42501)", "odd"),
        ("copying a.b part 3: odd (os error 2)", "odd (os error 2)"),
        ("copying a.b", "copying a.b"),
        ("roles are not on the target", "roles are not on the target"),
        ("no \"x\" here and more", "no \"x\" here and more"),
        ("/tmp/x line 3: why: odd", "odd"),
        ("no \"x\" here: why: odd", "odd"),
    ] {
        assert_eq!(page.unexplained(chain), Some(unknown), "{chain}");
    }
}

#[test]
fn what_is_not_on_the_page_about_troubleshooting_fails() {
    assert_explained(
        "2026-11-22 09:00:00 [1] INFO  error: is no error here\nerror: asked to stop\n",
    );
    assert_explained("error: asked to st");
    let unknown = "error: asked to stop: the moon is full\nhint: wait\n";
    let failed = std::panic::catch_unwind(|| assert_explained(unknown));
    let said = failed.expect_err("it is not on the page");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(said.contains("\"the moon is full\""), "{said}");
}

#[test]
fn errors_are_found_among_other_lines() {
    let text = "2026-11-22 09:00:00 [1] INFO  x\nerror: a: b\nsecond (SQLSTATE XX000)\nhint: c\nd\n\
                error: e\n\n  hint: f\nerror: g\n2026-11-22 09:00:00 [1] INFO  y\nerror: torn";
    assert_eq!(errors(text), ["a: b\nsecond (SQLSTATE XX000)", "e", "g"]);
}
