//! Being asked to stop.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether someone asked this process to stop. Clones share the answer.
///
/// The first SIGINT or SIGTERM asks; the second ends the process at once with exit code 9. Both
/// are safe: nothing that pgflit needs to go on lives in memory alone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    asked: Arc<AtomicBool>,
}

/// The exit code of a process that a signal has stopped.
const STOPPED: i32 = 9;

/// How often waits look whether they should end: short enough to feel immediate, long enough to
/// cost nothing.
pub const POLL: Duration = Duration::from_millis(20);

/// How long work may take to end by itself: longer than a COMMIT, shorter than a person waits.
const GRACE: Duration = Duration::from_secs(1);

/// Whether nothing in this process listens yet. What signals do belongs to the process, and so does
/// this.
static NOBODY_LISTENS: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Makes SIGINT and SIGTERM end the process at once with exit code 9, until something listens to
/// them: for the moments in which nothing has been begun, and commands that only look.
pub fn end_at_once() -> io::Result<()> {
    NOBODY_LISTENS.store(true, Ordering::SeqCst);
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, STOPPED, Arc::clone(&NOBODY_LISTENS))?;
    }
    Ok(())
}

impl Shutdown {
    /// One that listens to SIGINT and SIGTERM, and to [`Shutdown::ask`].
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // Order matters: registered first, the conditional exit sees the flag of an earlier
            // signal, not of the one being delivered.
            flag::register_conditional_shutdown(signal, STOPPED, Arc::clone(&shutdown.asked))?;
            flag::register(signal, Arc::clone(&shutdown.asked))?;
        }
        NOBODY_LISTENS.store(false, Ordering::SeqCst);
        Ok(shutdown)
    }

    /// Asks everything that shares this to stop.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether stopping was asked for.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Sleeps for `wait`, or until asked to stop. True if asked.
    pub fn sleep(&self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        while !self.asked() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(POLL));
        }
        true
    }

    /// Returns a moment after being asked to stop: to abandon work that ends by itself where it
    /// can, and cannot while a server makes it wait. Cancel safe.
    pub async fn overdue(&self) {
        self.wait().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Returns once asked to stop. Cancel safe.
    pub async fn wait(&self) {
        while !self.asked() {
            tokio::time::sleep(POLL).await;
        }
    }
}
