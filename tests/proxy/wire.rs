//! A client that can say anything.

use std::io::{Read, Write};

use bytes::{Buf, BufMut};

/// A session's first packet, of protocol 3.`minor`.
pub(crate) fn startup(minor: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut packet = vec![0; 4];
    packet.put_u32((3 << 16) | minor);
    for (name, value) in parameters {
        packet.put_slice(format!("{name}\0{value}\0").as_bytes());
    }
    packet.put_u8(0);
    let length = packet.len() as u32;
    packet[..4].copy_from_slice(&length.to_be_bytes());
    packet
}

/// A message.
pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.put_u32(body.len() as u32 + 4);
    message.put_slice(body);
    message
}

/// A request with a code of its own and nothing else.
pub(super) fn request(code: u32) -> Vec<u8> {
    [8_u32.to_be_bytes(), code.to_be_bytes()].concat()
}

/// The next message, or none at the end of the stream.
pub(super) fn next(socket: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 5];
    socket.read_exact(&mut header).ok()?;
    let mut length = &header[1..];
    let mut body = vec![0; length.get_u32() as usize - 4];
    socket.read_exact(&mut body).ok()?;
    Some((header[0], body))
}

/// Everything up to the next message of this type, which is the last.
#[track_caller]
pub(crate) fn until(socket: &mut impl Read, tag: u8) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while found.last().is_none_or(|(last, _)| *last != tag) {
        let Some(message) = next(socket) else {
            panic!("the stream ended before '{}': {found:?}", tag as char);
        };
        found.push(message);
    }
    found
}

/// The SQLSTATE of the error that the proxy or the server ends with; none if it just closes.
pub(super) fn refusal(socket: &mut impl Read) -> Option<String> {
    while let Some((tag, body)) = next(socket) {
        if tag == b'E' {
            let mut fields = body.split(|byte| *byte == 0);
            let code = fields.find(|field| field.first() == Some(&b'C'))?;
            return Some(String::from_utf8_lossy(&code[1..]).into_owned());
        }
    }
    None
}

/// Logs in as the superuser; what the server said.
#[track_caller]
pub(super) fn log_in(socket: &mut (impl Read + Write), minor: u32) -> Vec<(u8, Vec<u8>)> {
    let packet = startup(minor, &[("user", "postgres"), ("database", "app")]);
    socket.write_all(&packet).expect("sent");
    until(socket, b'Z')
}

/// Runs one query to its end.
#[track_caller]
pub(super) fn query(socket: &mut (impl Read + Write), sql: &str) -> Vec<(u8, Vec<u8>)> {
    send_query(socket, sql);
    until(socket, b'Z')
}

/// Sends one query.
#[track_caller]
pub(super) fn send_query(socket: &mut impl Write, sql: &str) {
    let text = format!("{sql}\0");
    let message = message(b'Q', text.as_bytes());
    socket.write_all(&message).expect("sent");
}
