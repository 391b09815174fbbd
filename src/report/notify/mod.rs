//! News for those who do not watch: a webhook, a command (`--notify`, `--notify-command`).
//!
//! What is told is taken from the log: warnings, errors, and the lines of the targets in
//! [`crate::base::milestone`]; the end of the command comes from whoever runs it. A thread of its own
//! delivers it, one after the other, so that nothing that migrates ever waits for a webhook.
//!
//! Everything is bounded: 64 news wait, further ones are counted and told of with the next
//! that is delivered; a webhook has ten seconds for an answer and is asked three times; a command has
//! thirty seconds, then its processes are killed; and the end of pgflit waits no longer than
//! 15 seconds for what is still to be delivered. Whoever cannot be told is a warning in the log, no more.

mod command;
mod layer;
mod news;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::cli::ExitCode;
use crate::cli::options::NotifySettings;
pub(super) use layer::NewsLayer;
use news::News;
pub use news::{About, Kind};

/// So many news wait to be delivered; a migration has some dozens in all.
const QUEUE_MAX: usize = 64;

/// How long the end waits for deliveries: longer than one webhook that does not answer.
const END_MAX: Duration = Duration::from_secs(15);

/// The target of what is logged here, which is no news itself.
const OWN: &str = "pgflit::notify";

/// Tells news to whoever was named.
pub struct Notifier {
    queue: Sender<News>,
    missed: Arc<AtomicU64>,
    /// Whether there was any news.
    is_told_of: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    about: About,
}

impl Notifier {
    /// Begins; none if nobody is to be told.
    pub fn start(settings: &NotifySettings, about: About) -> Option<Self> {
        if *settings == NotifySettings::default() {
            return None;
        }
        let (queue, waiting) = bounded(QUEUE_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let told = Told {
            settings: settings.clone(),
            about: about.clone(),
            missed: Arc::clone(&missed),
        };
        let named = thread::Builder::new().name("notify".to_owned());
        match named.spawn(move || told.deliver_all(&waiting)) {
            Ok(thread) => Some(Notifier {
                queue,
                missed,
                is_told_of: Arc::default(),
                thread,
                about,
            }),
            Err(error) => {
                tracing::warn!(target: OWN, "nobody is notified: {error}");
                None
            }
        }
    }

    /// What puts news of the log into the queue.
    pub(super) fn layer(&self) -> NewsLayer {
        NewsLayer::new(Queue {
            waiting: self.queue.clone(),
            missed: Arc::clone(&self.missed),
            is_told_of: Arc::clone(&self.is_told_of),
        })
    }

    /// Tells how the command has ended, and waits, not for long, until everything is delivered. From
    /// cron it is started again and again: that another runs, or that nothing was left to do, is no news.
    pub fn end(self, code: ExitCode, problem: Option<&str>) {
        let is_news = match code {
            ExitCode::Busy => false,
            ExitCode::Done => self.is_told_of.load(Ordering::Relaxed),
            _ => true,
        };
        if !is_news {
            return;
        }
        let deadline = Instant::now() + END_MAX;
        let news = News::end(&self.about, code, problem);
        if self.queue.send_deadline(news, deadline).is_err() {
            tracing::warn!(target: OWN, "the end was not told: news before it are still being delivered");
            return;
        }
        drop(self.queue);
        // The log's layer still holds an end of the queue: the news of the end is the last.
        while !self.thread.is_finished() {
            if Instant::now() >= deadline {
                tracing::warn!(target: OWN, "not everything was told within {END_MAX:?}");
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The log's end of it.
struct Queue {
    waiting: Sender<News>,
    missed: Arc<AtomicU64>,
    is_told_of: Arc<AtomicBool>,
}

impl Queue {
    /// Puts `news` in, or counts it where there is no room.
    fn put(&self, news: News) {
        self.is_told_of.store(true, Ordering::Relaxed);
        if let Err(TrySendError::Full(_)) = self.waiting.try_send(news) {
            self.miss();
        }
    }

    fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }
}

/// The thread's own.
struct Told {
    settings: NotifySettings,
    about: About,
    missed: Arc<AtomicU64>,
}

impl Told {
    fn deliver_all(&self, waiting: &Receiver<News>) {
        let webhook = self.settings.url.clone().map(webhook::Webhook::new);
        while let Ok(news) = waiting.recv() {
            let missed = self.missed.swap(0, Ordering::Relaxed);
            let json = news.json(&self.about, missed);
            if let Some(webhook) = &webhook
                && let Err(problem) = webhook.post(&json)
            {
                tracing::warn!(target: OWN, "not told to {}: {problem}", webhook.url());
            }
            if let Some(command) = &self.settings.command
                && let Err(problem) = command::run(command, &news, &json)
            {
                tracing::warn!(target: OWN, "the notify command: {problem}");
            }
            if news.kind == Kind::End {
                return;
            }
        }
    }
}
