//! The other end of the control socket: a command that asks a running proxy.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Reply, Request};

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
    },
}

/// Asks the proxy whose control socket is `path`.
///
/// # Errors
/// None runs, or it refuses.
pub fn ask(path: &Path, request: &Request) -> Result<Reply, AskError> {
    let mut stream = UnixStream::connect(path).map_err(|source| AskError::Nobody {
        path: path.to_owned(),
        source,
    })?;
    let limit = match request {
        Request::Pause { limit_ms } => ANSWER_MAX + Duration::from_millis(*limit_ms),
        Request::Status
        | Request::Clients
        | Request::Resume
        | Request::Reload
        | Request::Mirrors => ANSWER_MAX,
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
        .map_err(AskError::Lost)?;
    if line.is_empty() {
        return Err(AskError::Lost(io::ErrorKind::UnexpectedEof.into()));
    }
    match serde_json::from_slice(&line).map_err(AskError::Odd)? {
        Reply::Refused { problem, hint } => Err(AskError::Refused { problem, hint }),
        reply => Ok(reply),
    }
}
