//! The sessions that count: so many a server, each taking the next part of the largest table.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::base::{Remedy, Shutdown, Side};
use crate::pg::{Error, Session};

use super::board::{Board, Counted, Task};
use super::digest::{Digest, Rows, count_sql, digest_sql, sum_of};
use super::moment::Moment;
use super::progress::Progress;
use super::run::{Depth, Reading};
use super::unit::Unit;
use crate::verify::error::{CompareError, on};

/// How often a part is asked for again after its connection was lost; the snapshot is another's.
const ATTEMPTS: usize = 3;

/// What the workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) units: Vec<Unit>,
    pub(super) board: Board,
    pub(super) reading: Reading,
    pub(super) progress: Arc<Progress>,
    pub(super) shutdown: Shutdown,
}

/// A unit, and how it has come out.
pub(super) type News = (usize, Counted<Error>);

/// Counts everything; `tell` hears of each unit once. Returns when all is known.
///
/// # Errors
/// A server is lost, and with it the moment.
pub(super) async fn count_all(
    shared: &Arc<Shared>,
    moments: &[Arc<Moment>; 2],
    jobs: usize,
    tell: mpsc::UnboundedSender<News>,
) -> Result<(), CompareError> {
    let mut workers = JoinSet::new();
    for moment in moments {
        for _ in 0..jobs {
            let worker = Worker {
                shared: Arc::clone(shared),
                moment: Arc::clone(moment),
                tell: tell.clone(),
            };
            workers.spawn(worker.run());
        }
    }
    drop(tell);
    // Dropped with the first that fails, which ends the others.
    while let Some(ended) = workers.join_next().await {
        match ended {
            Ok(ended) => ended?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    Ok(())
}

struct Worker {
    shared: Arc<Shared>,
    moment: Arc<Moment>,
    tell: mpsc::UnboundedSender<News>,
}

impl Worker {
    async fn run(self) -> Result<(), CompareError> {
        let side = self.moment.side;
        let mut session = None;
        loop {
            if self.shared.shutdown.asked() {
                return Err(CompareError::Stopped);
            }
            let Some(task) = self.shared.board.next(side) else {
                // The other side may find that a table has to be read anew.
                if self.shared.board.is_done() {
                    return Ok(());
                }
                tokio::time::sleep(crate::base::shutdown::POLL).await;
                continue;
            };
            self.count(&mut session, &task).await?;
        }
    }

    /// One part, and what is to be told of it.
    async fn count(&self, session: &mut Option<Session>, task: &Task) -> Result<(), CompareError> {
        let side = self.moment.side;
        let Shared {
            board, progress, ..
        } = &*self.shared;
        progress.part_begun(task.unit, &self.shared.units[task.unit]);
        let news = match self.ask_patiently(session, task).await? {
            Ok(digest) => {
                progress.part_read(task.unit, task.part.bytes);
                if side == Side::Source {
                    progress.rows.fetch_add(digest.rows, Ordering::Relaxed);
                }
                board.counted(side, task, digest)
            }
            Err(error) if has_no_text(&error) && board.widen(task) => {
                let name = &self.shared.units[task.unit].name;
                tracing::info!(
                    "{name} has rows too long to be one text: values are hashed one by one"
                );
                None
            }
            Err(error) => board.failed(side, task, error),
        };
        if let Some(news) = news {
            // Nobody listens when it ends.
            let _ = self.tell.send((task.unit, news));
        }
        Ok(())
    }

    /// Asks; again with a new session where the connection was lost. The inner error is about this
    /// part alone.
    async fn ask_patiently(
        &self,
        session: &mut Option<Session>,
        task: &Task,
    ) -> Result<Result<Digest, Error>, CompareError> {
        let side = self.moment.side;
        let mut attempt = 1;
        loop {
            let asked = match session {
                Some(session) => self.ask(session, task).await,
                None => match self.moment.session().await {
                    Ok(new) => self.ask(session.insert(new), task).await,
                    Err(error) => Err(error),
                },
            };
            let error = match asked {
                Ok(digest) => return Ok(Ok(digest)),
                Err(error) => error,
            };
            // Also ends the transaction.
            *session = None;
            if error.is_lost_snapshot() {
                return Err(on(side, "reading under the snapshot")(error));
            }
            if error.remedy() != Remedy::Retry {
                return Ok(Err(error));
            }
            self.moment
                .is_held()
                .await
                .map_err(on(side, "holding the snapshot"))?;
            if attempt == ATTEMPTS {
                return Ok(Err(error));
            }
            attempt += 1;
        }
    }

    async fn ask(&self, session: &Session, task: &Task) -> Result<Digest, Error> {
        self.moment.begin(session).await?;
        let unit = &self.shared.units[task.unit];
        let relation = &unit.of(self.moment.side)[task.part.relation];
        let form = self.shared.board.form(task);
        let rows = Rows {
            table: &relation.table.name,
            condition: task.part.condition.as_deref(),
            sample: self.shared.reading.sample_of(unit),
        };
        let sql = match self.shared.reading.depth {
            Depth::Rows => digest_sql(rows, &relation.columns, form),
            Depth::Counts => count_sql(rows, form),
        };
        let row = session.query_one(&sql, &[]).await?;
        let sum = |at: usize| {
            let text: &str = row.get(at);
            sum_of(text).ok_or_else(|| Error::Protocol(format!("the sum {text}")))
        };
        let digest = Digest {
            rows: row.get::<_, i64>(0).unsigned_abs(),
            sums: [sum(1)?, sum(2)?],
        };
        session.batch("COMMIT").await?;
        Ok(digest)
    }
}

/// Whether the server says that something is too long: a text of more than 1 GB, by one name or
/// another.
pub(super) fn has_no_text(error: &Error) -> bool {
    match error {
        Error::Server(error) => match error.sqlstate.as_str() {
            "54000" => true,
            "XX000" | "53200" => error.message.contains("memory alloc"),
            _ => false,
        },
        _ => false,
    }
}
