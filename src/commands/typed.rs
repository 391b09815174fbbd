//! The command line of this process, for the report.

use std::ffi::OsString;

use crate::base::cause::chain;
use crate::cli::redaction::redact;
use crate::store::WorkDir;

/// What was typed, as a shell would read it, passwords hidden.
pub(super) fn command_line() -> String {
    line_of(std::env::args_os())
}

/// Keeps what was typed in the store of `work_dir`, if there is one. A report does without it.
pub(super) fn note(work_dir: &WorkDir) {
    if work_dir.has_begun()
        && let Err(error) = work_dir
            .open_store()
            .and_then(|mut store| store.note_command(&command_line()))
    {
        tracing::debug!("{}", chain(&error));
    }
}

/// Options whose value is a command of the operator's, with tokens in it as like as not, each by the fewest
/// letters that stand for it.
const COMMANDS: [&str; 2] = ["--notify-c", "--sw"];

fn line_of(arguments: impl Iterator<Item = OsString>) -> String {
    let mut is_command = false;
    let words = arguments.enumerate().map(|(at, word)| {
        let word = word.to_string_lossy();
        let was_option = std::mem::take(&mut is_command);
        let is_option = COMMANDS.iter().any(|option| word.starts_with(option));
        match at {
            // Where the program stands, or that a demo has begun it, is of no interest.
            0 if word.ends_with("pgcopydb") => "pgcopydb".to_owned(),
            0 => "pgflit".to_owned(),
            _ if was_option => "****".to_owned(),
            _ => match word.split_once('=').filter(|_| is_option) {
                Some((option, _)) => format!("{option}=****"),
                None => {
                    is_command = is_option;
                    quoted(&hidden(&word))
                }
            },
        }
    });
    let words: Vec<_> = words.collect();
    words.join(" ")
}

/// Each word by itself: what is hidden in one must not depend on another.
fn hidden(word: &str) -> String {
    match word.contains("://") && word.contains('\n') {
        // Where its password ends cannot be told.
        true => "****".to_owned(),
        false => without_paths(&redact(word)),
    }
}

/// URLs of the web end with their host: whoever knows all of a webhook's may post to it.
fn without_paths(word: &str) -> String {
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find("http") {
        let (before, url) = rest.split_at(at);
        shown.push_str(before);
        let scheme = ["https://", "http://"]
            .iter()
            .find(|it| url.starts_with(**it));
        let Some(scheme) = scheme else {
            shown.push_str("http");
            rest = &url["http".len()..];
            continue;
        };
        let ends = |one: char| one.is_whitespace() || "'\"`|;&<>".contains(one);
        let end = url.find(ends).unwrap_or(url.len());
        let authority = url[scheme.len()..end].find(['/', '?', '#']);
        match authority {
            Some(path) => {
                shown.push_str(&url[..scheme.len() + path]);
                shown.push_str("/****");
            }
            None => shown.push_str(&url[..end]),
        }
        rest = &url[end..];
    }
    shown + rest
}

fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "-_=./:,@%+*".contains(character);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_can_be_typed_again_and_holds_no_password() {
        let words = [
            "/usr/bin/pgflit",
            "clone",
            "--source",
            "postgres://ann:s3cret@db/shop?password=s3cret",
            "--target=host=b password='s3 cret' dbname=shop",
            "--filters",
            "it's.ini",
            "postgres://u:s3\ncret@h",
            "--notify=https://hooks.example.com:8443/T0/s3",
            "--notify-command",
            "curl -H 'Authorization: Bearer s3' http://chat/s3",
            "--switch-command=TOKEN=s3 ./move",
            "--config",
            "http://a/s3 http",
        ];
        let line = line_of(words.into_iter().map(OsString::from));
        assert!(!line.contains("s3"), "{line}");
        assert!(!line.contains("cret"), "{line}");
        let begin = "pgflit clone --source 'postgres://ann:****@db/shop?password=****' ";
        assert!(line.starts_with(begin), "{line}");
        assert!(line.contains(r"--filters 'it'\''s.ini'"), "{line}");
        assert!(
            line.contains("--notify=https://hooks.example.com:8443/****"),
            "{line}"
        );
        let end = "--notify-command **** --switch-command=**** --config 'http://a/**** http'";
        assert!(line.ends_with(end), "{line}");
    }
}
