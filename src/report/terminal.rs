//! Stderr, which the log and progress bars share.
//!
//! Whatever is written while bars are shown goes above them: they are taken away, and drawn again
//! below. Both write to the one stderr of the process, so what they share is the process's too.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

/// The bars that are shown now.
static BARS: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes whole lines to stderr. There is nowhere left to say that stderr is closed.
pub fn write(lines: &[u8]) {
    let write = || {
        let _ = io::stderr().lock().write_all(lines);
    };
    match &*bars() {
        Some(bars) => bars.suspend(write),
        None => write(),
    }
}

/// What is written from now on goes above `bars`; none: there are none any more.
pub(super) fn keep_above(shown: Option<ProgressBar>) {
    *bars() = shown;
}

fn bars() -> MutexGuard<'static, Option<ProgressBar>> {
    BARS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether stderr is a terminal that can redraw lines.
pub fn can_redraw() -> bool {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// Whether the locale says that the terminal knows more than ASCII, as libc would find out.
pub fn knows_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let mut set = set.filter_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    set.next().is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
