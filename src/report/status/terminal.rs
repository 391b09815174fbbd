//! The terminal of the dashboard: taken over, given back whatever happens.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::dashboard::{View, draw};
use super::history::History;
use crate::base::Shutdown;
use crate::migration::status::Status;
use crate::report::terminal::knows_unicode;
use crate::store::Error;

/// How soon a key, a signal and news are noticed.
const TICK: Duration = Duration::from_millis(100);

/// Whether there is a terminal to draw on and to read keys from.
pub fn is_there() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// Gives the terminal back when it goes, also while a panic unwinds; the hook that is set with it
/// does so before the panic's message.
struct Screen(ratatui::DefaultTerminal);

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows `first`, and then what `looks` brings, until somebody leaves or a signal comes. The error is
/// that of a look, after which there are no more.
///
/// # Errors
/// The terminal refuses.
pub fn watch(
    first: Status,
    looks: &Receiver<Result<Status, Error>>,
    colored: bool,
    shutdown: &Shutdown,
) -> io::Result<Option<Error>> {
    let mut history = History::default();
    history.note(&first);
    let mut status = first;
    let unicode = knows_unicode();
    let mut screen = Screen(ratatui::try_init()?);
    loop {
        let view = View {
            status: &status,
            history: &history,
            colored,
            unicode,
        };
        screen.0.draw(|frame| draw(frame, &view))?;
        loop {
            if shutdown.asked() || leaves()? {
                return Ok(None);
            }
            match looks.try_recv() {
                Ok(Ok(looked)) => {
                    history.note(&looked);
                    status = looked;
                    break;
                }
                Ok(Err(error)) => return Ok(Some(error)),
                Err(TryRecvError::Disconnected) => return Ok(None),
                Err(TryRecvError::Empty) => {}
            }
        }
    }
}

/// Waits for a moment; whether somebody wants to leave.
fn leaves() -> io::Result<bool> {
    if !event::poll(TICK)? {
        return Ok(false);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
            KeyCode::Char('c' | 'd') => key.modifiers.contains(KeyModifiers::CONTROL),
            _ => false,
        },
        _ => false,
    })
}
