//! Clients that do not know the protocol, or know it too well.

use std::io::{Read, Write};

use super::wire;
use crate::support::{Proxied, SOON, eventually};

#[test]
fn what_is_no_protocol_is_refused_and_harms_nobody() {
    let proxied = Proxied::new();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    for (bytes, sqlstate) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some("08P01")),
        (0x7fff_ffff_u32.to_be_bytes().to_vec(), Some("08P01")),
        (0x8000_0000_u32.to_be_bytes().to_vec(), Some("08P01")),
        (vec![0; 4], Some("08P01")),
        (wire::request(2 << 16), Some("08P01")),
        (wire::startup(0, &[("database", "app")]), Some("28000")),
        // Bytes behind a request to encrypt are no part of it.
        (
            [wire::request(80_877_103), packet.clone()].concat(),
            Some("08P01"),
        ),
        // A TLS handshake, where there is no certificate.
        (vec![0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], None),
    ] {
        let mut socket = proxied.socket();
        socket.write_all(&bytes).expect("sent");
        let said = wire::refusal(&mut socket);
        assert_eq!(said.as_deref(), sqlstate, "{bytes:?}");
    }
    // Garbage in a session.
    for bytes in [
        &b"Q\x80\0\0\0"[..],
        b"Q\0\0\0\x03",
        b"\xff\xff\xff\xff\xff\xff",
    ] {
        let mut session = proxied.socket();
        wire::log_in(&mut session, 0);
        session.write_all(bytes).expect("sent");
        assert_eq!(
            wire::refusal(&mut session).as_deref(),
            Some("08P01"),
            "{bytes:?}"
        );
        assert_eq!(wire::next(&mut session), None);
    }
    // A type that no message has is the server's to refuse.
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    session.write_all(b"y\0\0\0\x04").expect("sent");
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("08P01"));
    // Half a startup packet, half a message.
    let mut half = proxied.socket();
    half.write_all(&packet[..9]).expect("sent");
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    session.write_all(b"Q\0\0\0\x20SELECT").expect("sent");
    drop(session);
    half.write_all(&packet[9..]).expect("sent");
    wire::until(&mut half, b'Z');
    eventually(SOON, "the other is gone", || {
        proxied.status()["clients"]["total"] == 1
    });
    assert_eq!(proxied.database.sql("SELECT 1"), "1");
}

#[test]
fn encryption_that_there_is_not_is_declined_in_the_servers_words() {
    let proxied = Proxied::new();
    let mut socket = proxied.socket();
    let mut answer = [0];
    for code in [80_877_104, 80_877_103] {
        socket.write_all(&wire::request(code)).expect("sent");
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, *b"N");
    }
    wire::log_in(&mut socket, 0);
    let refused = proxied.database.with("sslmode=require").try_sql("SELECT 1");
    assert!(
        refused
            .expect_err("no TLS")
            .contains("does not support SSL")
    );
    assert_eq!(
        proxied.database.with("gssencmode=prefer").sql("SELECT 1"),
        "1"
    );
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    for byte in packet {
        session.write_all(&[byte]).expect("sent");
    }
    wire::until(&mut session, b'Z');
    for byte in wire::message(b'Q', b"SELECT 'slow'\0") {
        session.write_all(&[byte]).expect("sent");
    }
    let said = wire::until(&mut session, b'Z');
    assert!(said.iter().any(|(_, body)| body.ends_with(b"slow")));
}
