//! Somebody who is posted to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

/// A webhook on a free port of this machine, and what it got. Its thread ends with the test's process.
pub(crate) struct Webhook {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    got: Vec<Value>,
    /// What it answers first, before 204.
    answers: Vec<&'static str>,
    /// Connections that are not answered.
    kept: Vec<TcpStream>,
}

impl Webhook {
    /// One that takes everything.
    pub(crate) fn new() -> Self {
        Self::answering(&[])
    }

    /// One with other first answers: status lines, or nothing at all for an empty one.
    pub(crate) fn answering(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Mutex::new(State {
            answers: answers.iter().rev().copied().collect(),
            ..State::default()
        }));
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A test that has ended does not read it.
                let _ = answer(stream, &own);
            }
        });
        Webhook { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/services/secret", self.port)
    }

    /// What was posted, in its order.
    pub(crate) fn got(&self) -> Vec<Value> {
        lock(&self.state).got.clone()
    }

    /// The messages of one kind.
    pub(crate) fn messages(&self, event: &str) -> Vec<String> {
        let got = self.got();
        let of_kind = got.iter().filter(|news| news["event"] == event);
        of_kind
            .map(|news| news["message"].as_str().expect("a message").to_owned())
            .collect()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request and closes the connection.
fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut state = lock(state);
    let answer = state.answers.pop().unwrap_or("204 No Content");
    if answer.is_empty() {
        state.kept.push(stream);
        return Ok(());
    }
    if answer.starts_with("20") {
        state.got.push(serde_json::from_slice(&body).expect("JSON"));
    }
    drop(state);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
}
