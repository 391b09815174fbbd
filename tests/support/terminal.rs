//! A terminal that nobody sits at.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{self, Termios};

use super::SOON;
use super::wait::eventually;

/// A pseudo terminal, and what is on its screen.
pub(crate) struct Terminal {
    /// Where keys are typed.
    keyboard: File,
    /// The end that programs have.
    end: OwnedFd,
    screen: Arc<Mutex<vt100::Parser>>,
    before: Termios,
}

impl Terminal {
    /// One of this size, on which somebody has worked before.
    #[track_caller]
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).expect("a pseudo terminal");
        let keyboard = File::from(pty.master);
        let mut written = keyboard.try_clone().expect("a descriptor");
        let sizes = [rows, columns].map(|size| NonZero::new(size).expect("not zero"));
        let parser = vt100::Parser::new(sizes[0], sizes[1], 0);
        let screen = Arc::new(Mutex::new(parser));
        let shown = Arc::clone(&screen);
        // Ends when nobody has the other end any more.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = written.read(&mut bytes) {
                let mut screen = shown.lock().unwrap_or_else(PoisonError::into_inner);
                screen.process(&bytes[..count]);
            }
        });
        let before = termios::tcgetattr(&pty.slave).expect("a terminal");
        let mut other = File::from(pty.slave.try_clone().expect("a descriptor"));
        other.write_all(b"$ work of before\r\n").expect("written");
        Terminal {
            keyboard,
            end: pty.slave,
            screen,
            before,
        }
    }

    /// For a program to read from, or to write to.
    pub(crate) fn end(&self) -> Stdio {
        self.end.try_clone().expect("a descriptor").into()
    }

    /// Types `keys`.
    pub(crate) fn types(&self, keys: &str) {
        let mut keyboard = &self.keyboard;
        keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// What can be read on it now, a line for each row without the blanks at its end.
    pub(crate) fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Returns once it shows all of `texts`, with what it shows then.
    #[track_caller]
    pub(crate) fn wait_for(&self, texts: &[&str]) -> String {
        let mut shown = String::new();
        eventually(SOON, &format!("{texts:?} are on the terminal"), || {
            shown = self.text();
            texts.iter().all(|text| shown.contains(text))
        });
        shown
    }

    /// Whether a program draws on it: on the other screen, without a cursor, and keys are its own.
    pub(crate) fn is_taken(&self) -> bool {
        let hides = self.look(|screen| screen.alternate_screen() && screen.hide_cursor());
        hides && self.modes() != self.before
    }

    /// Whether all of it is as it was: the screen of before, a cursor, and keys are lines again.
    pub(crate) fn is_put_back(&self) -> bool {
        let shows = self.look(|screen| !screen.alternate_screen() && !screen.hide_cursor());
        shows && self.modes() == self.before && self.text().starts_with("$ work of before")
    }

    fn modes(&self) -> Termios {
        termios::tcgetattr(&self.end).expect("a terminal")
    }

    fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        at(screen.screen())
    }
}
