//! A source and a target, and what is made on them before each run.

use std::path::Path;
use std::time::Duration;

use pgflit::worker::cluster::{Cluster, ClusterOptions};

use crate::shared::Result;
use crate::shared::cpu::cpu_of_server;
use crate::shared::servers::quick;
use crate::shared::sql::{answer, sql};

/// The database that is followed.
pub(crate) const DATABASE: &str = "app";
/// Its copy on the target that each run's is made of.
const BASE: &str = "base";
/// What the target's database is known by, whichever run's it is: work directories remember it.
/// Only version 15 and later let one choose.
const DATABASE_OID: u32 = 99_999;

/// Two throw-away clusters of one version.
pub(crate) struct Pair {
    pub(crate) source: Cluster,
    pub(crate) target: Cluster,
}

impl Pair {
    /// With the programs that are found, or those in `programs`.
    pub(crate) fn create(programs: Option<&Path>) -> Result<Self> {
        let options = |name: &str| ClusterOptions {
            bin_dir: programs.map(Path::to_owned),
            ..quick(name)
                .setting("max_worker_processes", "16")
                // A thousand tables are made, and looked at, in one transaction.
                .setting("max_locks_per_transaction", "256")
                // A target starts a worker for a subscription no sooner than this after the one
                // before, of another subscription too.
                .setting("wal_retrieve_retry_interval", "100ms")
        };
        let pair = Self {
            source: Cluster::create(&options("source"))?,
            target: Cluster::create(&options("target"))?,
        };
        let create = |name: &str| format!("CREATE DATABASE {name}");
        sql(&pair.source, "postgres", &create(DATABASE))?;
        sql(&pair.target, "postgres", &create(BASE))?;
        Ok(pair)
    }

    /// The databases that are to be filled alike, with their clusters.
    pub(crate) fn bases(&self) -> [(&Cluster, &str); 2] {
        [(&self.source, DATABASE), (&self.target, BASE)]
    }

    /// The target as it was before the transactions, with nothing left of another contender and
    /// nothing left to write.
    pub(crate) fn fresh_target(&self) -> Result<()> {
        let target = &self.target;
        for statement in [
            format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"),
            "SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin".to_owned(),
            format!("CREATE DATABASE {DATABASE} TEMPLATE {BASE} OID {DATABASE_OID}"),
            "CHECKPOINT".to_owned(),
        ] {
            sql(target, "postgres", &statement)?;
        }
        sql(&self.source, "postgres", "CHECKPOINT")
    }

    /// A slot that stands where `kept` does.
    pub(crate) fn fresh_slot(&self, name: &str, kept: &str) -> Result<()> {
        self.drop_slot(name)?;
        let copy = format!("SELECT pg_copy_logical_replication_slot('{kept}', '{name}')");
        answer(&self.source, DATABASE, &copy).map(drop)
    }

    /// Drops a slot, if it is there.
    pub(crate) fn drop_slot(&self, name: &str) -> Result<()> {
        let drop_it = format!(
            "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots
              WHERE slot_name = '{name}' AND active_pid IS NOT NULL;
             SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
              WHERE slot_name = '{name}'"
        );
        answer(&self.source, DATABASE, &drop_it).map(drop)
    }

    /// Processor time of both servers so far.
    pub(crate) fn cpu(&self) -> ServersCpu {
        let of = |cluster: &Cluster| cluster.pid().map(cpu_of_server).unwrap_or_default();
        ServersCpu {
            source: of(&self.source),
            target: of(&self.target),
        }
    }
}

/// Processor time of a source and a target, all their processes together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServersCpu {
    pub(crate) source: Duration,
    pub(crate) target: Duration,
}

impl ServersCpu {
    /// What was added since.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            source: self.source.saturating_sub(before.source),
            target: self.target.saturating_sub(before.target),
        }
    }
}
