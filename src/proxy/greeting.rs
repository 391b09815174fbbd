//! What a client says first: encryption, then what it wants.

use super::channel::{Channel, ChannelError};
use super::client_tls::{ClientTls, has_named_protocol};
use super::notice::Refusal;
use crate::pg::connect::Stream;
use crate::wire::startup::{CancelKey, FirstPacket, Startup};

/// The first byte of a TLS handshake; no length of a first packet begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client wants.
#[derive(Debug)]
pub enum Wish {
    /// A session.
    Session(Channel, Startup),
    /// To cancel a statement; the connection is closed when that is done.
    Cancel(Channel, CancelKey),
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    /// It closed, as programs that look whether something listens here do.
    #[error("the client closed the connection")]
    Closed,
    /// TLS did not come about.
    #[error("TLS with the client failed: {0}")]
    Tls(String),
    /// It was told why.
    #[error("refused: {}", .0.message)]
    Refused(Refusal),
}

/// Reads up to the startup message; refuses what is none.
pub async fn greet(stream: Stream, tls: Option<&ClientTls>) -> Result<Wish, GreetingError> {
    let mut channel = Channel::new(direct_tls(stream, tls).await?);
    let mut has_asked_for_gss = false;
    loop {
        let (packet, bytes) = match next_packet(&mut channel).await {
            Ok(found) => found,
            Err(ChannelError::Closed(_)) => return Err(GreetingError::Closed),
            Err(error) => return refuse(channel, Refusal::protocol(error)).await,
        };
        channel.skip(bytes);
        match packet {
            FirstPacket::Startup(startup) => return Ok(Wish::Session(channel, startup)),
            FirstPacket::Cancel(key) => return Ok(Wish::Cancel(channel, key)),
            // Whatever came unencrypted behind the request could be an attacker's, to be taken for
            // the client's own words once they are encrypted.
            FirstPacket::Ssl | FirstPacket::Gss if !channel.input.is_empty() => {
                let refusal = Refusal::protocol("bytes behind the request to encrypt");
                return refuse(channel, refusal).await;
            }
            FirstPacket::Ssl => channel = encrypt(channel, tls).await?,
            FirstPacket::Gss if !has_asked_for_gss => {
                has_asked_for_gss = true;
                answer(&mut channel, b"N").await?;
            }
            FirstPacket::Gss => {
                let refusal = Refusal::protocol("GSSAPI encryption is refused already");
                return refuse(channel, refusal).await;
            }
        }
    }
}

/// TLS without a word before it, as clients since 17 can.
async fn direct_tls(stream: Stream, tls: Option<&ClientTls>) -> Result<Stream, GreetingError> {
    let Stream::Tcp(socket) = stream else {
        return Ok(stream);
    };
    let mut first = [0];
    match socket.peek(&mut first).await {
        Ok(1) if first == [TLS_HANDSHAKE] => {}
        Ok(1) => return Ok(Stream::Tcp(socket)),
        Ok(_) | Err(_) => return Err(GreetingError::Closed),
    }
    let Some(tls) = tls else {
        return Err(GreetingError::Tls(
            "no certificate is configured".to_owned(),
        ));
    };
    let stream = tls.accept(socket).await.map_err(GreetingError::Tls)?;
    match has_named_protocol(&stream) {
        true => Ok(Stream::Tls(Box::new(stream))),
        false => Err(GreetingError::Tls(
            "the client did not name the protocol (ALPN)".to_owned(),
        )),
    }
}

/// Answers a request for TLS. Local sockets and what is encrypted already need none.
async fn encrypt(mut channel: Channel, tls: Option<&ClientTls>) -> Result<Channel, GreetingError> {
    let tls = tls.filter(|_| matches!(channel.stream, Stream::Tcp(_)));
    answer(&mut channel, if tls.is_some() { b"S" } else { b"N" }).await?;
    match (channel.stream, tls) {
        (Stream::Tcp(socket), Some(tls)) => {
            let stream = tls.accept(socket).await.map_err(GreetingError::Tls)?;
            Ok(Channel::new(Stream::Tls(Box::new(stream))))
        }
        (stream, _) => Ok(Channel::new(stream)),
    }
}

async fn next_packet(channel: &mut Channel) -> Result<(FirstPacket, usize), ChannelError> {
    loop {
        if let Some(found) = FirstPacket::parse(&channel.input)? {
            return Ok(found);
        }
        channel.read_more().await?;
    }
}

async fn answer(channel: &mut Channel, byte: &[u8; 1]) -> Result<(), GreetingError> {
    let sent = channel.send(byte).await;
    sent.map_err(|_| GreetingError::Closed)
}

async fn refuse<T>(mut channel: Channel, refusal: Refusal) -> Result<T, GreetingError> {
    // Whether the client reads it is the client's affair.
    let _ = channel.send(&refusal.encode()).await;
    Err(GreetingError::Refused(refusal))
}
