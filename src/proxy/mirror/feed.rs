//! The way of one client's transactions to one mirror: a bounded queue.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Mirror;
use super::counters::DropReason;
use super::state::{STATE_BYTES_MAX, State};
use super::unit::{Charge, Unit};

/// Both ends of it.
#[derive(Debug)]
pub struct Feed {
    mirror: Arc<Mirror>,
    inner: Mutex<Inner>,
    ready: Notify,
    /// The process of the mirror's server that serves this session; zero while none does.
    server_pid: Arc<AtomicU32>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Turn>,
    transactions: usize,
    is_closed: bool,
    /// The state of the session is not known any more.
    is_lost: bool,
}

/// What comes next for a mirror.
#[derive(Debug, Default)]
pub struct Turn {
    /// A transaction; none where it was dropped, or was none.
    pub unit: Option<(Arc<Unit>, Charge)>,
    /// The session's state that changed in it, or in those that were dropped before.
    pub state: State,
    /// For the state of those that were dropped.
    charge: Option<Charge>,
}

impl Feed {
    /// Empty.
    pub fn new(mirror: Arc<Mirror>) -> Self {
        Feed {
            mirror,
            inner: Mutex::default(),
            ready: Notify::new(),
            server_pid: Arc::default(),
            ended: Notify::new(),
        }
    }

    /// The mirror, as it was configured when the session began.
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Where it stands which process of the mirror's server serves this session; zero while none does.
    pub fn server_pid(&self) -> &Arc<AtomicU32> {
        &self.server_pid
    }

    /// Whether the mirror is sent what the client does from now on.
    pub fn is_open(&self) -> bool {
        let inner = self.lock();
        !inner.is_closed && !inner.is_lost
    }

    /// Everything was said, and the connection to the mirror is closed at both ends.
    pub fn end(&self) {
        self.ended.notify_one();
    }

    /// Returns once that is so. For one to wait for.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    /// A transaction has ended. Never waits: what there is no room for is dropped, but for the
    /// state that it changed.
    pub fn push(&self, unit: &Arc<Unit>, state: State) {
        let counters = &self.mirror.counters;
        counters.see();
        let mut inner = self.lock();
        if inner.is_lost {
            return counters.drop_for(DropReason::StateLost);
        }
        let config = &self.mirror.config;
        if inner.transactions >= config.queue_transactions {
            counters.drop_for(DropReason::QueueFull);
            return self.keep(inner, state);
        }
        let bytes = unit.bytes() + state.bytes();
        let Some(charge) = Charge::take(&self.mirror.used, bytes, config.queue_bytes) else {
            counters.drop_for(DropReason::Memory);
            return self.keep(inner, state);
        };
        inner.transactions += 1;
        inner.queue.push_back(Turn {
            unit: Some((Arc::clone(unit), charge)),
            state,
            charge: None,
        });
        drop(inner);
        self.ready.notify_one();
    }

    /// Memory for a transaction that is not complete yet; none if it would be more than all that
    /// waits may take.
    pub fn reserve(&self, bytes: usize) -> Option<Charge> {
        Charge::take(&self.mirror.used, bytes, self.mirror.config.queue_bytes)
    }

    /// Memory for state, none yet.
    pub fn empty_charge(&self) -> Charge {
        Charge::nothing(&self.mirror.used)
    }

    /// Makes the memory for state as much as `bytes`; false if there is none. State may take as much
    /// again as what waits: without it all of a session is lost.
    pub fn resize(&self, charge: &mut Charge, bytes: usize) -> bool {
        charge.resize(bytes, self.mirror.config.queue_bytes.saturating_mul(2))
    }

    /// A transaction has ended that was not kept: `state` is what it changed; none if that is not
    /// known.
    pub fn push_dropped(&self, why: DropReason, state: Option<State>) {
        self.mirror.counters.see();
        self.mirror.counters.drop_for(why);
        let mut inner = self.lock();
        match state {
            Some(state) => self.keep(inner, state),
            None => inner.is_lost = true,
        }
    }

    fn keep(&self, mut inner: MutexGuard<'_, Inner>, state: State) {
        if state.is_empty() || inner.is_lost {
            return;
        }
        if inner.queue.back().is_none_or(|last| last.unit.is_some()) {
            inner.queue.push_back(Turn::default());
        }
        let Some(last) = inner.queue.back_mut() else {
            return;
        };
        last.state.merge(state);
        let bytes = last.state.bytes();
        let charge = last.charge.get_or_insert_with(|| self.empty_charge());
        let has_room = bytes <= STATE_BYTES_MAX && self.resize(charge, bytes);
        inner.is_lost = !has_room;
        drop(inner);
        self.ready.notify_one();
    }

    /// What comes next; none once the client has gone and everything was taken. Cancel safe.
    pub async fn next(&self) -> Option<Turn> {
        loop {
            {
                let mut inner = self.lock();
                if let Some(turn) = inner.queue.pop_front() {
                    inner.transactions -= usize::from(turn.unit.is_some());
                    return Some(turn);
                }
                if inner.is_closed {
                    return None;
                }
            }
            self.ready.notified().await;
        }
    }

    /// The client has gone.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_one();
    }

    /// What the session's statements mean is not known any more: nothing else is sent.
    pub fn lose(&self) {
        self.lock().is_lost = true;
    }

    /// Whether that is so.
    pub fn is_lost(&self) -> bool {
        self.lock().is_lost
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::change::Change;
    use super::super::messages::build;
    use super::super::tests::mirror;
    use super::*;
    use crate::proxy::config::MirrorConfig;

    fn unit(bytes: usize) -> Arc<Unit> {
        Arc::new(Unit {
            requests: vec![0; bytes],
            answers: Vec::new(),
            rounds: Vec::new(),
            began: Instant::now(),
        })
    }

    fn feed(config: impl FnOnce(&mut MirrorConfig)) -> (Feed, Arc<Mirror>) {
        let mirror = mirror(config);
        (Feed::new(Arc::clone(&mirror)), mirror)
    }

    fn sets(name: &str, value: &str) -> State {
        let mut state = State::default();
        state.add(Change::Sets(name.into()), build::query(value));
        state
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_leaves_its_state() {
        let (feed, mirror) = feed(|config| config.queue_transactions = 1);
        feed.push(&unit(10), sets("a", "1"));
        for state in [sets("b", "2"), State::default(), sets("c", "3")] {
            feed.push(&unit(10), state);
        }
        feed.close();
        let mut turns = Vec::new();
        while let Some(turn) = feed.next().await {
            turns.push((turn.unit.is_some(), turn.state.named()));
        }
        let dropped = [build::query("2"), build::query("3")].concat();
        assert_eq!(turns, [(true, build::query("1")), (false, dropped)]);
        let counted = mirror.counters.read();
        assert_eq!((counted.seen, counted.dropped_in_all()), (4, 3));
        assert!(counted.dropped.contains(&("queue_full", 3)));
    }

    #[tokio::test]
    async fn state_is_counted_as_memory_and_bounded() {
        let (feed, mirror) = feed(|config| config.queue_bytes = 100_000);
        let long = "x".repeat(70_000);
        for _ in 0..100 {
            feed.push_dropped(DropReason::TooLarge, Some(sets("a", &long)));
        }
        assert!((70_000..80_000).contains(&mirror.waiting_bytes()));
        feed.push_dropped(DropReason::TooLarge, Some(sets("b", &long)));
        assert!(!feed.is_lost());
        feed.push_dropped(DropReason::TooLarge, Some(sets("c", &long)));
        assert!(feed.is_lost());
        drop(feed.next().await);
        assert_eq!(mirror.waiting_bytes(), 0);
    }

    #[tokio::test]
    async fn memory_is_bounded_over_all_clients_and_given_back() {
        let (feed, mirror) = feed(|config| config.queue_bytes = 1 << 20);
        let other = Feed::new(Arc::clone(&mirror));
        feed.push(&unit(700_000), State::default());
        other.push(&unit(700_000), State::default());
        assert!(mirror.counters.read().dropped.contains(&("memory", 1)));
        drop(feed.next().await);
        other.push(&unit(700_000), State::default());
        assert_eq!(mirror.counters.read().dropped_in_all(), 1);
    }

    #[tokio::test]
    async fn a_session_whose_state_is_lost_is_sent_nothing_more() {
        let (feed, mirror) = feed(|_| ());
        feed.push_dropped(DropReason::TooLarge, None);
        feed.push(&unit(1), State::default());
        feed.close();
        assert!(feed.next().await.is_none() && feed.is_lost());
        let counted = mirror.counters.read();
        assert_eq!(counted.dropped_in_all(), 2);
        assert_eq!(counted.outstanding(), 0);
    }
}
