//! One lane: a thread with a session on the target, which does what it is told.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::base::Lsn;
use crate::cdc::apply::error::ApplyError;
use crate::cdc::apply::net::Ready;
use crate::cdc::apply::plan::OnConflict;
use crate::cdc::apply::target::Target;
use crate::cdc::apply::tracking::Tracking;
use crate::cdc::apply::writer::Writer;
use crate::cdc::change::Commit;
use crate::cdc::sql_line::Prepare;
use crate::pg::{self, Address, Connection, Mode};

/// What every lane is made of.
#[derive(Debug, Clone)]
pub(in crate::cdc::apply) struct LaneConfig {
    pub(in crate::cdc::apply) target: Address,
    pub(in crate::cdc::apply) tracking: Tracking,
    pub(in crate::cdc::apply) origin: String,
}

/// What a lane is told; each is answered by one [`Report`].
#[derive(Debug)]
pub(super) enum Order {
    /// Write these changes into a transaction, and leave it open.
    Write(Arc<Vec<Ready>>),
    /// Commit it, with this position, after the one that the target has.
    Commit(Commit, Lsn),
    /// Roll it back.
    Undo,
    /// Ask and prepare anew what concerns this statement.
    Forget(Arc<Prepare>),
}

/// What a lane says.
#[derive(Debug)]
pub(super) enum Report {
    /// It is there; its backend's process.
    Started(String),
    /// The order is carried out.
    Done,
    /// The target has refused it, for this reason, and nothing of it is left there.
    Refused(String),
    /// The lane is of no more use, and what became of the order is not known.
    Lost(ApplyError),
}

/// A lane, as seen from where the orders come from. Its session ends when this is dropped and the order
/// it has is carried out; what is not committed is rolled back then.
#[derive(Debug)]
pub(super) struct Lane {
    /// Its backend's process on the target.
    pub(super) pid: String,
    orders: Sender<Order>,
    reports: Receiver<Report>,
}

impl Lane {
    pub(super) async fn start(number: usize, config: LaneConfig) -> Result<Self, ApplyError> {
        // One order at a time, and one report to each.
        let (orders, told) = channel(1);
        let (say, reports) = channel(1);
        std::thread::Builder::new()
            .name(format!("lane {number}"))
            .spawn(move || run(number, &config, told, &say))
            .map_err(pg::Error::from)?;
        let mut lane = Self {
            pid: String::new(),
            orders,
            reports,
        };
        match lane.report().await {
            Report::Started(pid) => Ok(Self { pid, ..lane }),
            Report::Lost(error) => Err(error),
            Report::Done | Report::Refused(_) => Err(gone()),
        }
    }

    pub(super) async fn tell(&mut self, order: Order) -> Result<(), ApplyError> {
        self.orders.send(order).await.map_err(|_| gone())
    }

    /// What it says to the order it has. Cancel safe.
    pub(super) async fn report(&mut self) -> Report {
        let report = self.reports.recv().await;
        report.unwrap_or_else(|| Report::Lost(gone()))
    }

    /// The same, if it has said it already.
    pub(super) fn has_reported(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}

/// Only a thread that has panicked says nothing.
fn gone() -> ApplyError {
    pg::Error::Protocol("a lane has ended without a word".into()).into()
}

fn run(number: usize, config: &LaneConfig, mut told: Receiver<Order>, say: &Sender<Report>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let lost = Report::Lost(pg::Error::from(error).into());
            return drop(say.blocking_send(lost));
        }
    };
    runtime.block_on(async {
        let mut writer = match open(number, config).await {
            Ok((writer, pid)) => {
                drop(say.send(Report::Started(pid)).await);
                writer
            }
            Err(error) => return drop(say.send(Report::Lost(error)).await),
        };
        while let Some(order) = told.recv().await {
            if say.send(carry_out(&mut writer, order).await).await.is_err() {
                return;
            }
        }
    });
}

async fn open(number: usize, config: &LaneConfig) -> Result<(Writer, String), ApplyError> {
    let purpose = format!("apply, lane {number}");
    let mut connection = Connection::open(&config.target, Mode::Sql, &purpose).await?;
    config
        .tracking
        .start_lane(&mut connection, &config.origin)
        .await?;
    let own = connection
        .query("SELECT pg_catalog.pg_backend_pid()")
        .await?;
    let pid = own.first().and_then(|result| result.single());
    let pid = pid.unwrap_or_default().to_owned();
    // What is to be noted of a change is noted where it is done again.
    let (origin, on_conflict) = (&config.origin, OnConflict::Stop);
    let target = Target::start(connection, config.tracking, origin, on_conflict).await?;
    Ok((Writer::new(target), pid))
}

async fn carry_out(writer: &mut Writer, order: Order) -> Report {
    let refused = match order {
        Order::Write(ready) => match write(writer, &ready).await {
            Ok(()) => return Report::Done,
            Err(error) if leaves_the_session(&error) => error,
            Err(error) => return Report::Lost(error),
        },
        // Whatever is said of a COMMIT, it may have come after it.
        Order::Commit(last, after) => match writer.target.commit(&last, after).await {
            Ok(_) => return Report::Done,
            Err(error) => return Report::Lost(error),
        },
        Order::Undo => match writer.target.rollback().await {
            Ok(()) => return Report::Done,
            Err(error) => return Report::Lost(error),
        },
        Order::Forget(prepare) => match writer.target.forget(&prepare).await {
            Ok(()) => return Report::Done,
            Err(error) => return Report::Lost(error),
        },
    };
    match writer.target.rollback().await {
        Ok(()) => Report::Refused(refused.to_string()),
        Err(_) => Report::Lost(refused),
    }
}

/// Whether the session is as good as before, once it is rolled back.
fn leaves_the_session(error: &ApplyError) -> bool {
    matches!(
        error,
        ApplyError::Refused { .. }
            | ApplyError::RowCount { .. }
            | ApplyError::RowsTogether { .. }
            | ApplyError::Misfit { .. }
            | ApplyError::Target(pg::Error::Server(_))
    )
}

/// Has everything written and answered.
async fn write(writer: &mut Writer, ready: &[Ready]) -> Result<(), ApplyError> {
    for ready in ready {
        if let Ready::Row(change) = ready
            && !writer.target.is_fitting(change)
        {
            writer.target.fitting_table(change).await?;
        }
    }
    writer.write(ready).await?;
    writer.target.settle().await
}
