//! Whether the target has answered what it must.

use std::collections::VecDeque;

use postgres_protocol::message::backend::Message;

use crate::pg;

use super::error::ApplyError;
use super::expect::Expect;

/// The answers of the server, as they come.
pub(super) struct Answers<'a> {
    pub(super) expected: &'a mut VecDeque<Expect>,
    pub(super) unanswered: &'a mut usize,
    pub(super) conflicts: &'a mut u64,
    /// Rows that the step before touched.
    pub(super) before: &'a mut u64,
    /// The first answer that is not what it must be; the others are read all the same.
    pub(super) failed: Result<(), ApplyError>,
}

impl Answers<'_> {
    fn fail(&mut self, error: impl FnOnce() -> ApplyError) {
        if self.failed.is_ok() {
            self.failed = Err(error());
        }
    }

    /// Takes what the server says next.
    pub(super) fn take(&mut self, message: Message) {
        match message {
            Message::CommandComplete(body) => match (self.expected.pop_front(), body.tag()) {
                (Some(Expect::Ready) | None, _) => {
                    self.fail(|| pg::Error::Protocol("more answers than requests".into()).into())
                }
                (_, Err(error)) => self.fail(|| pg::Error::from(error).into()),
                (Some(expect), Ok(tag)) => match expect.check(tag, self.before) {
                    Ok(noted) => *self.conflicts += u64::from(noted),
                    Err(error) => self.fail(|| error),
                },
            },
            Message::ErrorResponse(body) => {
                let error = pg::Error::from(pg::server_error(&body));
                match self.expected.front() {
                    Some(Expect::Ready) | None => self.fail(|| error.into()),
                    Some(_) => {
                        if let Some(expect) = self.expected.pop_front() {
                            self.fail(|| expect.refused(error));
                        }
                    }
                }
                // The server passes over what comes after it, up to what asks for the answers.
                while !matches!(self.expected.front(), Some(Expect::Ready) | None) {
                    self.expected.pop_front();
                }
            }
            Message::ReadyForQuery(_) => {
                *self.unanswered = self.unanswered.saturating_sub(1);
                *self.before = 0;
                if !matches!(self.expected.pop_front(), Some(Expect::Ready)) {
                    self.fail(|| pg::Error::Protocol("fewer answers than requests".into()).into());
                }
            }
            _ => {}
        }
    }
}
