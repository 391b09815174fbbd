//! What a client has asked for and the server has not answered yet.
//!
//! A server ends its answer to each Query, FunctionCall and Sync with one ReadyForQuery, with one
//! exception: while it reads a COPY FROM STDIN it passes over every Sync (`CopyGetData` in
//! PostgreSQL's `src/backend/commands/copyfromparse.c`). libpq sends one there each time: its
//! extended queries end with Sync before anybody knows that they begin a COPY, and the COPY's own
//! end is followed by another. So a count alone would be one too high ever after.
//!
//! What is asked is kept as *segments*: the messages up to and with the one that is answered by a
//! ReadyForQuery. When the server begins to read a COPY, the Syncs between the statement and the
//! end of the copied data are taken out again.
//!
//! Where a client does what no driver does (a Query in the middle of a failed pipeline, which the
//! server passes over too) too much is taken for outstanding, never too little: such a session is
//! not moved, and a pause waits for it until its time limit.

use std::collections::VecDeque;

/// What closes a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closer {
    /// Query or FunctionCall.
    Query,
    /// Sync after at least one message of the extended protocol.
    Sync,
    /// Sync with nothing between it and the segment before.
    BareSync,
}

/// Closed segments that are alike and follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segments {
    closer: Closer,
    /// CopyDone and CopyFail before the closer; segments with any are never taken together.
    copy_ends: u32,
    count: u32,
}

/// What was asked and not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// In the order in which they were asked.
    closed: VecDeque<Segments>,
    /// Whether the segment that is not closed yet has a message of the extended protocol.
    is_open: bool,
    /// CopyDone and CopyFail in the segment that is not closed yet.
    copy_ends: u32,
    /// How often the server has begun to read a COPY for the first of the segments.
    copies_begun: u32,
    /// The server reads a COPY whose end the client has not sent: it passes over every Sync.
    passes_over_syncs: bool,
    /// The server waits for the client's data.
    is_copying: bool,
}

impl Outstanding {
    /// The client sends a message of this type.
    pub fn asked(&mut self, tag: u8) {
        match tag {
            b'Q' | b'F' => self.close(Closer::Query),
            b'S' if self.passes_over_syncs => {}
            b'S' if self.is_open => self.close(Closer::Sync),
            b'S' => self.close(Closer::BareSync),
            // Of a COPY that has failed already: the server passes over it.
            b'c' | b'f' if self.is_empty() => {}
            b'c' | b'f' => {
                self.copy_ends = self.copy_ends.saturating_add(1);
                self.passes_over_syncs = false;
            }
            // CopyData and Flush ask for nothing.
            b'd' | b'H' => {}
            _ => {
                self.is_open = true;
                self.passes_over_syncs = false;
            }
        }
    }

    /// The server says ReadyForQuery.
    pub fn answered(&mut self) {
        self.copies_begun = 0;
        self.copy_is_over();
        self.drop_first(1);
        if self.closed.is_empty() && !self.is_open {
            self.copy_ends = 0;
        }
    }

    /// The server waits for the data of a COPY: CopyInResponse.
    pub fn copy_in(&mut self) {
        self.is_copying = true;
        self.copies_begun = self.copies_begun.saturating_add(1);
        let first = self.closed.front().copied();
        let has_sent_more = match first {
            // The extended protocol without a Sync so far.
            None => false,
            Some(first) if first.closer == Closer::Query => {
                self.drop_bare_syncs(1);
                if first.count > 1 || self.closed.len() > 1 {
                    return;
                }
                self.is_open
            }
            Some(first) if first.copy_ends >= self.copies_begun => return,
            Some(_) => {
                self.drop_first(1);
                self.drop_bare_syncs(0);
                if !self.closed.is_empty() {
                    return;
                }
                // The statement's segment is open again.
                std::mem::replace(&mut self.is_open, true)
            }
        };
        self.passes_over_syncs = !has_sent_more && self.copy_ends < self.copies_begun;
    }

    /// Both sides send data: CopyBothResponse, on replication connections.
    pub fn copy_both(&mut self) {
        self.is_copying = true;
    }

    /// The server completed a statement or reports an error: it no longer waits for data.
    pub fn copy_is_over(&mut self) {
        self.is_copying = false;
        self.passes_over_syncs = false;
    }

    /// Whether everything is answered.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.sends_nothing_more()
    }

    /// Whether the client may now wait for the server without the server waiting for the client.
    pub fn sends_nothing_more(&self) -> bool {
        !self.is_open && !self.is_copying
    }

    /// Whether the server waits for data of a COPY whose end the client has not sent.
    pub fn waits_for_copy(&self) -> bool {
        self.is_copying && self.passes_over_syncs
    }

    /// Whether it is a Sync that is missing for an answer.
    pub fn needs_sync(&self) -> bool {
        self.is_open
    }

    fn close(&mut self, closer: Closer) {
        let copy_ends = std::mem::take(&mut self.copy_ends);
        self.is_open = false;
        self.passes_over_syncs = false;
        match self.closed.back_mut() {
            Some(last) if last.closer == closer && last.copy_ends == 0 && copy_ends == 0 => {
                last.count = last.count.saturating_add(1);
            }
            _ => self.closed.push_back(Segments {
                closer,
                copy_ends,
                count: 1,
            }),
        }
    }

    fn drop_first(&mut self, count: u32) {
        if let Some(first) = self.closed.front_mut() {
            first.count = first.count.saturating_sub(count);
            if first.count == 0 {
                self.closed.pop_front();
            }
        }
    }

    /// Takes out the Syncs at this place with nothing before them.
    fn drop_bare_syncs(&mut self, at: usize) {
        let is_bare = |one: &&Segments| one.closer == Closer::BareSync && one.copy_ends == 0;
        while self.closed.get(at).filter(is_bare).is_some() {
            self.closed.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left after a conversation: small letters of the client's messages as they are, the
    /// server's as `<z` (ReadyForQuery), `<g` (CopyIn), `<w` (CopyBoth), `<e` (over).
    fn after(conversation: &str) -> Outstanding {
        let mut outstanding = Outstanding::default();
        for word in conversation.split_whitespace() {
            match word {
                "<z" => outstanding.answered(),
                "<g" => outstanding.copy_in(),
                "<w" => outstanding.copy_both(),
                "<e" => outstanding.copy_is_over(),
                word => word.bytes().for_each(|tag| outstanding.asked(tag)),
            }
        }
        outstanding
    }

    #[test]
    fn each_query_and_each_sync_has_its_answer() {
        for (conversation, is_empty) in [
            ("", true),
            ("Q", false),
            ("Q <z", true),
            ("QQ <z", false),
            ("QQ <z <z", true),
            ("F <z", true),
            ("PBES <z", true),
            ("PBE", false),
            ("PBEH", false),
            ("PBES PBES PBES <z <z", false),
            ("PBES PBES PBES <z <z <z", true),
            ("SSS <z <z <z", true),
            ("PBESQS <z <z", false),
            ("PBEQ <z", true),
        ] {
            assert_eq!(after(conversation).is_empty(), is_empty, "{conversation}");
        }
    }

    #[test]
    fn a_sync_within_a_copy_is_not_answered() {
        for (conversation, is_empty) in [
            // Simple.
            ("Q <g dd", false),
            ("Q <g dd c", false),
            ("Q <g dd c <z", true),
            ("Q <g d c <g d c <z", true),
            ("Q <g d S c <z", true),
            ("QS <g d c <z", true),
            ("Q <g ddd <e <z", true),
            ("Q <g ddd <e <z ddc", true),
            // As libpq does it.
            ("PBDES <g", false),
            ("PBDES <g dd c", false),
            ("PBDES <g dd cS", false),
            ("PBDES <g dd cS <e <z", true),
            ("PBDES <g dd fS <e <z", true),
            // An error before the end: the server passes over what comes until Sync.
            ("PBDES <g dd <e d cS <z", true),
            // As others do it: no Sync before the end.
            ("PBE dd cS <g", false),
            ("PBE dd cS <g <z", true),
            ("PBEH <g dd cS <z", true),
            ("PBEH <g dd SS cS <z", true),
            // Blindly, with everything in one piece.
            ("PBES dd cS <g", false),
            ("PBES dd cS <g <z", true),
            ("PBES S dd cS <g <z", true),
            // Within a pipeline.
            ("PBES PBES dd cS <z <g <z", true),
            ("PBES PBES <z <g cS PBES <z", false),
            ("PBES PBES <z <g cS PBES <z <z", true),
            // Two of them in one segment.
            ("PBE d c PBES <g <g d cS <z", true),
            ("PBE d c PBE d cS <g <g <z", true),
            // After another COPY.
            ("Q <g d c <z PBES <g d cS <z", true),
            ("Q <g d <e <z d c PBES <g d cS <z", true),
        ] {
            assert_eq!(after(conversation).is_empty(), is_empty, "{conversation}");
        }
    }

    #[test]
    fn a_walsender_that_streams_is_busy() {
        assert!(!after("Q <w dd").is_empty());
        assert!(after("Q <w dd c <e <z").is_empty());
    }

    #[test]
    fn a_client_that_owes_nothing_may_wait() {
        for (conversation, may_wait) in [
            ("Q", true),
            ("Q <g", false),
            ("Q <g d c <e", true),
            ("PBE", false),
            ("PBES", true),
            ("PBES <g", false),
        ] {
            let may = after(conversation).sends_nothing_more();
            assert_eq!(may, may_wait, "{conversation}");
        }
    }

    #[test]
    fn a_copy_that_is_not_ended_is_waited_for() {
        for (conversation, waits, needs_sync) in [
            ("Q", false, false),
            ("Q <g", true, false),
            ("Q <g d", true, false),
            ("Q d c <g", false, false),
            ("Q <g f", false, false),
            ("Q <g <e", false, false),
            ("PBES <g", true, true),
            ("PBES d c S <g", false, false),
        ] {
            let after = after(conversation);
            assert_eq!(after.waits_for_copy(), waits, "{conversation}");
            let is_missing = waits && after.needs_sync();
            assert_eq!(is_missing, needs_sync, "{conversation}");
        }
    }

    #[test]
    fn a_pipeline_of_any_length_takes_no_room() {
        let mut outstanding = Outstanding::default();
        for tag in b"PBES".iter().cycle().take(4_000_000) {
            outstanding.asked(*tag);
        }
        assert_eq!(outstanding.closed.len(), 1);
    }
}
