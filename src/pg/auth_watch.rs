//! `require_auth` for sessions: tokio-postgres answers whatever the server asks for, so what the
//! server asks is read on its way, before there is an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use postgres_protocol::message::backend::{AUTHENTICATION_TAG, ERROR_RESPONSE_TAG};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::address::AllowedMethods;
use super::connect::Stream;
use super::login::method_name;
use crate::wire::frame;

/// A stream that fails with [`io::ErrorKind::PermissionDenied`] when the server asks for a method
/// that is not allowed, or for none when one is required.
#[derive(Debug)]
pub(super) struct AuthWatch {
    pub(super) stream: Stream,
    /// None once the login is through.
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    allowed: AllowedMethods,
    seen: BytesMut,
    asked: bool,
}

impl AuthWatch {
    pub(super) fn new(stream: Stream, allowed: AllowedMethods) -> Self {
        let watch = (!allowed.is_any()).then(|| Watch {
            allowed,
            seen: BytesMut::new(),
            asked: false,
        });
        AuthWatch { stream, watch }
    }
}

impl Watch {
    /// Looks at `bytes` more of the server's; true once the login is through.
    fn look(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.seen.extend_from_slice(bytes);
        loop {
            let header = frame::Header::peek(&self.seen).map_err(io::Error::other)?;
            let Some(header) = header.filter(|header| self.seen.len() >= header.frame_bytes())
            else {
                return Ok(false);
            };
            let body = frame::take_body(&mut self.seen, header);
            match (header.tag, body.first_chunk::<4>()) {
                (AUTHENTICATION_TAG, Some(code))
                    if self.asked_for(u32::from_be_bytes(*code))? =>
                {
                    return Ok(true);
                }
                // It will be reported by who reads it.
                (ERROR_RESPONSE_TAG, _) => return Ok(true),
                _ => {}
            }
        }
    }

    /// Checks one authentication request; true if it is AuthenticationOk.
    fn asked_for(&mut self, code: u32) -> io::Result<bool> {
        let ok = code == 0;
        let method = match method_name(code) {
            // The later messages of SCRAM ask for nothing new.
            None if ok && !self.asked => "none",
            None => return Ok(ok),
            Some(method) => method,
        };
        self.asked = true;
        match self.allowed.allows(method) {
            true => Ok(ok),
            false => {
                let text =
                    format!("the server asks for \"{method}\", which require_auth does not allow");
                Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
            }
        }
    }
}

impl AsyncRead for AuthWatch {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let (Poll::Ready(Ok(())), Some(watch)) = (&read, &mut this.watch)
            && watch.look(&buffer.filled()[before..])?
        {
            this.watch = None;
        }
        read
    }
}

impl AsyncWrite for AuthWatch {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::address::{Address, Environment};

    fn watch(methods: &str) -> Watch {
        let text = format!("user=u require_auth={methods}");
        let address = Address::parse_with(&text, &Environment::default()).expect("an address");
        Watch {
            allowed: address.allowed_methods().clone(),
            seen: BytesMut::new(),
            asked: false,
        }
    }

    fn request(code: u8) -> Vec<u8> {
        vec![b'R', 0, 0, 0, 8, 0, 0, 0, code]
    }

    #[test]
    fn a_method_that_is_not_allowed_fails_before_it_is_answered() {
        assert!(watch("scram-sha-256").look(&request(3)).is_err());
        assert!(watch("scram-sha-256").look(&request(0)).is_err());
        assert!(matches!(watch("none").look(&request(0)), Ok(true)));
        assert!(matches!(watch("password").look(&request(3)), Ok(false)));
    }

    #[test]
    fn a_request_cut_in_two_is_still_seen() {
        let mut watch = watch("scram-sha-256");
        let bytes = request(5);
        assert!(matches!(watch.look(&bytes[..6]), Ok(false)));
        assert!(watch.look(&bytes[6..]).is_err());
    }

    #[test]
    fn scram_to_its_end_is_scram() {
        let mut watch = watch("scram-sha-256");
        for code in [10, 11, 12] {
            assert!(matches!(watch.look(&request(code)), Ok(false)));
        }
        assert!(matches!(watch.look(&request(0)), Ok(true)));
    }
}
