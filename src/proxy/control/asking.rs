//! The other end of a control socket: who asks a running process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Reply, Request, Scope};
use crate::proxy::unix_socket::connect;

/// How much longer than a pause may take its answer may: for a machine under load.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Bytes of an answer: a line for each of a hundred thousand clients.
const REPLY_BYTES_MAX: u64 = 100 << 20;

/// A running proxy could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// None runs, or its socket is another's.
    #[error("no proxy answers on the control socket {}", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It went away while it was asked.
    #[error("asking the proxy")]
    Lost(#[source] io::Error),
    /// One of several processes went away, or does not answer; the others have been asked.
    #[error("process {pid} of the proxy does not answer")]
    Silent {
        /// Which.
        pid: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It speaks another version's words.
    #[error("the proxy's answer is not understood")]
    Odd(#[source] serde_json::Error),
    /// It could not do it.
    #[error("the proxy refuses: {problem}")]
    Refused {
        /// Why.
        problem: String,
        /// What to do.
        hint: Option<String>,
        /// As in [`Reply::Refused`].
        sqlstate: Option<String>,
    },
}

/// Asks the process whose control socket is `path`. Blocks.
///
/// # Errors
/// None answers there, or it refuses.
pub fn ask_one(path: &Path, request: &Request) -> Result<Reply, AskError> {
    ask_within(limit_of(request), path, request)
}

/// How long the answer to `request` may take.
pub fn limit_of(request: &Request) -> Duration {
    match request {
        // It waits for nobody.
        Request::Pause {
            scope: Scope::Maintenance,
            ..
        } => ANSWER_MAX,
        Request::Pause { limit_ms, .. }
        | Request::WarmUp { limit_ms, .. }
        | Request::Drain { limit_ms, .. }
        | Request::Survey { limit_ms, .. } => ANSWER_MAX + Duration::from_millis(*limit_ms),
        Request::Hold { drain_limit_ms, .. } => ANSWER_MAX + Duration::from_millis(*drain_limit_ms),
        // Sessions that go first may take a while, and those that were not held.
        Request::Switch { .. } => 3 * ANSWER_MAX,
        _ => ANSWER_MAX,
    }
}

/// The same with an answer within `limit`.
///
/// # Errors
/// As [`ask_one`].
pub fn ask_within(limit: Duration, path: &Path, request: &Request) -> Result<Reply, AskError> {
    let mut stream = match connect(path) {
        Ok(stream) => stream,
        // It is there, and takes nobody.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(AskError::Lost(in_words(error)));
        }
        Err(source) => {
            let path = path.to_owned();
            return Err(AskError::Nobody { path, source });
        }
    };
    let mut text = serde_json::to_vec(request).map_err(AskError::Odd)?;
    text.push(b'\n');
    let mut line = Vec::new();
    stream
        .set_read_timeout(Some(limit))
        .and_then(|()| stream.write_all(&text))
        .and_then(|()| {
            let limited = stream.take(REPLY_BYTES_MAX);
            BufReader::new(limited).read_until(b'\n', &mut line)
        })
        .map_err(|error| AskError::Lost(in_words(error)))?;
    if line.is_empty() {
        return Err(AskError::Lost(io::ErrorKind::UnexpectedEof.into()));
    }
    match serde_json::from_slice(&line).map_err(AskError::Odd)? {
        Reply::Refused {
            problem,
            hint,
            sqlstate,
        } => Err(AskError::Refused {
            problem,
            hint,
            sqlstate,
        }),
        reply => Ok(reply),
    }
}

/// The operating system says of a time limit that something is "temporarily unavailable".
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer within the time limit")
        }
        _ => error,
    }
}
