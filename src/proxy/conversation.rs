//! What client and server have said to each other so far, as far as the proxy must know it.

use super::outstanding::Outstanding;
use super::scan::{FrameScanner, Step};
use super::statistics::client::Now;
use super::statistics::sqlstate::{ErrorScanner, SqlstateClass};
use crate::wire::WireError;

/// Whether a transaction is open: the byte of a ReadyForQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `I`: none.
    Idle,
    /// `T`: one is open.
    Open,
    /// `E`: one is open and can only be rolled back.
    Failed,
}

impl TransactionStatus {
    fn of_byte(byte: u8) -> Result<Self, WireError> {
        match byte {
            b'I' => Ok(TransactionStatus::Idle),
            b'T' => Ok(TransactionStatus::Open),
            b'E' => Ok(TransactionStatus::Failed),
            _ => Err(WireError::Short("ReadyForQuery")),
        }
    }
}

/// What a piece of the server's stream contained.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Answers that ended: ReadyForQuery.
    pub answers: u32,
    /// Of these, how many with no transaction open behind them.
    pub transactions: u32,
    /// The classes of errors. Takes no memory while there are none; at most a byte for each header
    /// that was read at once.
    pub errors: Vec<SqlstateClass>,
    /// Whether the last message that began is an ErrorResponse; none if none began.
    pub ends_with_error: Option<bool>,
}

/// The state of a session from its first ReadyForQuery on.
///
/// A session is at a *movable point* when everything asked is answered, no transaction is open and
/// neither direction stands within a message: then the server's side of it is what can be asked
/// for in SQL, and nothing else.
#[derive(Debug, Clone)]
pub struct Conversation {
    client: FrameScanner,
    server: FrameScanner,
    error: ErrorScanner,
    outstanding: Outstanding,
    status: TransactionStatus,
    has_said_goodbye: bool,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation {
            client: FrameScanner::default(),
            server: FrameScanner::default(),
            error: ErrorScanner::default(),
            outstanding: Outstanding::default(),
            status: TransactionStatus::Idle,
            has_said_goodbye: false,
        }
    }
}

impl Conversation {
    /// Takes in what the client sends.
    ///
    /// # Errors
    /// A length that no message has.
    pub fn from_client(&mut self, mut bytes: &[u8]) -> Result<(), WireError> {
        while let Some(step) = self.client.step(&mut bytes)? {
            self.client_step(step);
        }
        Ok(())
    }

    /// As [`Conversation::from_client`], but only up to the first point at which the client can be
    /// made to wait for the server; gives the bytes that were taken in.
    ///
    /// # Errors
    /// A length that no message has.
    pub fn from_client_until_quiet(&mut self, bytes: &[u8]) -> Result<usize, WireError> {
        let mut rest = bytes;
        while let Some(step) = self.client.step(&mut rest)? {
            self.client_step(step);
            if self.is_client_quiet() {
                break;
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Takes in what the server sends.
    ///
    /// # Errors
    /// A length that no message has, or a ReadyForQuery of no known status.
    pub fn from_server(&mut self, mut bytes: &[u8]) -> Result<Heard, WireError> {
        let mut heard = Heard::default();
        while let Some(step) = self.server.step(&mut bytes)? {
            match step {
                Step::Message(header) => {
                    heard.ends_with_error = Some(header.tag == b'E');
                    match header.tag {
                        b'Z' if header.body_bytes != 1 => {
                            return Err(WireError::Short("ReadyForQuery"));
                        }
                        b'G' => self.outstanding.copy_in(),
                        b'W' => self.outstanding.copy_both(),
                        b'C' => self.outstanding.copy_is_over(),
                        b'E' => {
                            self.outstanding.copy_is_over();
                            self.error = ErrorScanner::Field;
                        }
                        _ => {}
                    }
                }
                Step::Body { tag: b'Z', piece } => {
                    self.status =
                        TransactionStatus::of_byte(piece.first().copied().unwrap_or_default())?;
                    self.outstanding.answered();
                    heard.answers += 1;
                    heard.transactions += u32::from(self.status == TransactionStatus::Idle);
                }
                Step::Body { tag: b'E', piece } => heard.errors.extend(self.error.read(piece)),
                Step::Body { .. } => {}
            }
        }
        Ok(heard)
    }

    /// Whether the session could go on with another server.
    pub fn is_movable(&self) -> bool {
        self.status == TransactionStatus::Idle
            && self.outstanding.is_empty()
            && self.client.is_at_boundary()
            && self.server.is_at_boundary()
    }

    /// Whether the client can be made to wait for what the server answers, without the server
    /// waiting for the client.
    pub fn is_client_quiet(&self) -> bool {
        self.client.is_at_boundary() && self.outstanding.sends_nothing_more()
    }

    /// Whether everything that was asked is answered.
    pub fn is_answered(&self) -> bool {
        self.outstanding.is_empty()
    }

    /// Whether the server waits for data of a COPY whose end the client has not sent: if so, whether
    /// that is to be followed by a Sync.
    pub fn waits_for_copy(&self) -> Option<bool> {
        let waits = self.outstanding.waits_for_copy() && self.client.is_at_boundary();
        waits.then(|| self.outstanding.needs_sync())
    }

    /// What the session does now, as its statistics see it.
    pub fn now(&self) -> Now {
        match (self.outstanding.is_empty(), self.status) {
            (false, _) => Now::Asked,
            (true, TransactionStatus::Idle) => Now::Idle,
            (true, TransactionStatus::Open | TransactionStatus::Failed) => Now::InTransaction,
        }
    }

    /// Whether a message of the proxy's own may be put into what the client reads.
    pub fn is_server_at_boundary(&self) -> bool {
        self.server.is_at_boundary()
    }

    /// What the last ReadyForQuery said.
    pub fn status(&self) -> TransactionStatus {
        self.status
    }

    /// Whether the client has sent Terminate: that it then closes is no loss.
    pub fn has_said_goodbye(&self) -> bool {
        self.has_said_goodbye
    }

    fn client_step(&mut self, step: Step<'_>) {
        if let Step::Message(header) = step {
            match header.tag {
                b'X' => self.has_said_goodbye = true,
                tag => self.outstanding.asked(tag),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let header = crate::wire::frame::header(tag, body.len()).expect("fits");
        [&header, body].concat()
    }

    #[test]
    fn a_session_is_movable_between_transactions_only() {
        let mut session = Conversation::default();
        assert!(session.is_movable());
        let begin = message(b'Q', b"BEGIN\0");
        session.from_client(&begin[..7]).expect("valid");
        assert!(!session.is_movable() && !session.is_client_quiet());
        session.from_client(&begin[7..]).expect("valid");
        assert!(!session.is_movable() && session.is_client_quiet());
        let heard = session.from_server(&message(b'Z', b"T")).expect("valid");
        assert_eq!((heard.answers, heard.transactions), (1, 0));
        assert!(!session.is_movable() && session.is_answered());
        session
            .from_client(&message(b'Q', b"COMMIT\0"))
            .expect("valid");
        session
            .from_server(&message(b'Z', b"I")[..5])
            .expect("valid");
        assert!(!session.is_movable());
        let heard = session.from_server(b"I").expect("valid");
        assert_eq!((heard.answers, heard.transactions), (1, 1));
        assert!(session.is_movable());
        // A notification that has come only in part.
        session
            .from_server(&message(b'A', b"1234567")[..9])
            .expect("valid");
        assert!(!session.is_movable() && !session.is_server_at_boundary());
    }

    #[test]
    fn a_pipeline_is_cut_where_the_client_can_wait() {
        let mut session = Conversation::default();
        let one = [message(b'P', b"x"), message(b'S', b"")].concat();
        let two = [one.clone(), one.clone()].concat();
        let taken = session.from_client_until_quiet(&two).expect("valid");
        assert_eq!(taken, one.len());
        assert!(session.is_client_quiet() && !session.is_answered());
    }

    #[test]
    fn odd_ready_for_query_is_an_error() {
        let mut session = Conversation::default();
        assert!(session.from_server(&message(b'Z', b"")).is_err());
        assert!(session.clone().from_server(&message(b'Z', b"X")).is_err());
        assert!(session.from_server(&message(b'Z', b"II")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_known_does_not_depend_on_where_reads_cut(
            talk in proptest::collection::vec(
                (any::<bool>(), prop::sample::select(b"QPBESHdcfZGCEA".to_vec()), 0_usize..9), 0..20),
            at in 1_usize..12,
        ) {
            let (mut whole, mut cut) = (Conversation::default(), Conversation::default());
            for (is_client, tag, length) in talk {
                let body = if tag == b'Z' { vec![b'I'] } else { vec![0; length] };
                let bytes = message(tag, &body);
                let mut heard = Heard::default();
                for piece in bytes.chunks(at) {
                    if is_client {
                        cut.from_client(piece).expect("valid");
                    } else {
                        heard.answers += cut.from_server(piece).expect("valid").answers;
                    }
                }
                if is_client {
                    whole.from_client(&bytes).expect("valid");
                } else {
                    let all = whole.from_server(&bytes).expect("valid");
                    prop_assert_eq!(all.answers, heard.answers);
                }
                prop_assert_eq!(whole.is_movable(), cut.is_movable());
                prop_assert_eq!(&whole.outstanding, &cut.outstanding);
            }
        }

        #[test]
        fn hostile_bytes_are_errors_and_not_panics(client: Vec<u8>, server: Vec<u8>) {
            let mut session = Conversation::default();
            let _ = session.from_client_until_quiet(&client);
            let _ = session.from_client(&client);
            let _ = session.from_server(&server);
        }
    }
}
