//! From lines of the log to news.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::news::{Kind, News};
use super::{OWN, Queue};
use crate::base::milestone::{LAG, STAGE};

/// So many warnings are told within [`WARNINGS_PER`]: a server that is away is one every few seconds.
const WARNINGS_MAX: u32 = 10;
const WARNINGS_PER: Duration = Duration::from_secs(60);

/// Puts news into the queue.
pub(in crate::report) struct NewsLayer {
    queue: Queue,
    warnings: Mutex<Warnings>,
}

impl NewsLayer {
    pub(super) fn new(queue: Queue) -> Self {
        NewsLayer {
            queue,
            warnings: Mutex::new(Warnings::default()),
        }
    }

    /// Whether an event of these can be one, for the filter of the layer.
    pub(in crate::report) fn is_news(metadata: &Metadata<'_>) -> bool {
        kind(metadata).is_some()
    }
}

fn kind(metadata: &Metadata<'_>) -> Option<Kind> {
    match (metadata.target(), *metadata.level()) {
        (OWN, _) => None,
        (STAGE, _) => Some(Kind::Stage),
        (LAG, _) => Some(Kind::Lag),
        (target, Level::WARN) if is_ours(target) => Some(Kind::Warning),
        (target, Level::ERROR) if is_ours(target) => Some(Kind::Error),
        _ => None,
    }
}

fn is_ours(target: &str) -> bool {
    target == "pgflit" || target.starts_with("pgflit::")
}

impl<S: Subscriber> Layer<S> for NewsLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(kind) = kind(event.metadata()) else {
            return;
        };
        if kind == Kind::Warning {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if !warnings.may_be_told(Instant::now()) {
                self.queue.miss();
                return;
            }
        }
        let mut message = Message::default();
        event.record(&mut message);
        self.queue.put(News::now(kind, message.0));
    }
}

/// How many warnings were told lately.
#[derive(Debug, Default)]
struct Warnings {
    since: Option<Instant>,
    count: u32,
}

impl Warnings {
    fn may_be_told(&mut self, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= WARNINGS_PER)
        {
            self.since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        self.count <= WARNINGS_MAX
    }
}

/// The text of an event.
#[derive(Debug, Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_warnings_is_told_in_part() {
        let (mut warnings, now) = (Warnings::default(), Instant::now());
        let told = (0..100).filter(|_| warnings.may_be_told(now)).count();
        assert_eq!(told, WARNINGS_MAX as usize);
        assert!(warnings.may_be_told(now + WARNINGS_PER));
    }
}
