//! The door: as much of HTTP/1.1 as a scraper and a load balancer need (RFC 9112).
//!
//! One request a connection, without a body, answered and closed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::exposition::CONTENT_TYPE;
use super::families;
use crate::proxy::control::Facts;

/// Bytes of a request up to the empty line: a scraper's has a few hundred.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// How long a request may take to arrive.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take to be read.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Connections at a time: a few scrapers. One more waits with the operating system.
const CONNECTIONS_MAX: usize = 16;

/// How long accepting waits after the operating system has refused.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// Answers for as long as it is polled.
pub async fn serve(listeners: Vec<TcpListener>, facts: Arc<Facts>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut serving = tokio::task::JoinSet::new();
    for listener in listeners {
        serving.spawn(accept(listener, Arc::clone(&facts), Arc::clone(&places)));
    }
    while serving.join_next().await.is_some() {}
    // Nobody is told anything.
    std::future::pending::<()>().await;
}

async fn accept(listener: TcpListener, facts: Arc<Facts>, places: Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let facts = Arc::clone(&facts);
                tokio::spawn(async move {
                    // Whoever went away needs no answer.
                    let _ = converse(stream, &facts).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(REFUSED_WAIT).await,
        }
    }
}

async fn converse(mut stream: TcpStream, facts: &Facts) -> io::Result<()> {
    let read = tokio::time::timeout(REQUEST_MAX, request(&mut stream)).await;
    let response = match read {
        Ok(Ok(head)) => respond(&head, facts),
        Ok(Err(RequestError::Lost(error))) => return Err(error),
        Ok(Err(RequestError::TooLong)) => {
            plain("431 Request Header Fields Too Large", "too long\n")
        }
        Err(_) => plain("408 Request Timeout", "too slow\n"),
    };
    let sent = async {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would reset the connection, and the answer be lost.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok(())
    };
    tokio::time::timeout(ANSWER_MAX, sent).await?
}

enum RequestError {
    Lost(io::Error),
    TooLong,
}

/// Everything up to the empty line.
async fn request(stream: &mut TcpStream) -> Result<Vec<u8>, RequestError> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut head).await;
        if read.map_err(RequestError::Lost)? == 0 {
            return Err(RequestError::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
        if memchr::memmem::find(&head, b"\r\n\r\n").is_some() {
            return Ok(head);
        }
        if head.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
    }
}

fn respond(head: &[u8], facts: &Facts) -> String {
    match path(head) {
        Err(response) => response,
        Ok("/metrics") => response("200 OK", CONTENT_TYPE, &families::tell(facts)),
        Ok("/health") => match facts.stop.asked() {
            None => plain("200 OK", "ok\n"),
            Some(_) => plain("503 Service Unavailable", "stopping\n"),
        },
        Ok(_) => plain("404 Not Found", "there are /metrics and /health\n"),
    }
}

/// What is asked for, without a query behind it; or why nothing is.
fn path(head: &[u8]) -> Result<&str, String> {
    let bad = || plain("400 Bad Request", "this is no HTTP request\n");
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| bad())?;
    let mut words = line.split(' ');
    let words = (words.next(), words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some("HTTP/1.0" | "HTTP/1.1"), None) = words else {
        return Err(bad());
    };
    if method != "GET" {
        let told = "Allow: GET\r\n";
        return Err(response_with(
            "405 Method Not Allowed",
            "text/plain",
            told,
            "GET only\n",
        ));
    }
    Ok(target.split('?').next().unwrap_or(target))
}

fn plain(status: &str, body: &str) -> String {
    response(status, "text/plain; charset=utf-8", body)
}

fn response(status: &str, content_type: &str, body: &str) -> String {
    response_with(status, content_type, "", body)
}

fn response_with(status: &str, content_type: &str, more: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{more}Connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_a_method_a_path_and_a_version() {
        assert_eq!(
            path(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
            Ok("/metrics")
        );
        assert_eq!(path(b"GET /health?x=1 HTTP/1.0\r\n\r\n"), Ok("/health"));
        for (head, status) in [
            (&b"POST /metrics HTTP/1.1\r\n\r\n"[..], "405 "),
            (b"GET /metrics\r\n\r\n", "400 "),
            (b"GET  /metrics HTTP/1.1\r\n\r\n", "400 "),
            (b"GET /metrics HTTP/2\r\n\r\n", "400 "),
            (b"\xff\xff\r\n\r\n", "400 "),
            (b"\r\n\r\n", "400 "),
        ] {
            let refused = path(head).expect_err("a refusal");
            assert!(
                refused.starts_with(&format!("HTTP/1.1 {status}")),
                "{refused}"
            );
            assert!(refused.contains("Connection: close\r\n\r\n"));
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_errors_and_not_panics(head: Vec<u8>) {
            let _ = path(&head);
        }
    }
}
