//! The tables that are compared: equal on both sides, and in both servers' caches where they fit.

use crate::Servers;
use crate::options::Options;
use crate::shared::Result;
use crate::shared::sql::{answer, sql};

/// The database.
pub(crate) const DATABASE: &str = "app";

/// Tables of one kind.
pub(crate) struct Dataset {
    pub(crate) name: &'static str,
    /// What makes one of them, but for its name.
    rows: String,
    tables: u32,
}

impl Dataset {
    /// Those that are wanted.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let megabytes = options.megabytes;
        let all = [
            // 125 bytes a row on disk, as pgbench_accounts has them.
            Dataset {
                name: "narrow",
                rows: rows(
                    "n % 100 AS branch, 0 AS balance, repeat(' ', 84)::char(84) AS filler",
                    8000 * megabytes,
                ),
                tables: 1,
            },
            // 2 kB a row, as documents have them, in the table itself.
            Dataset {
                name: "wide",
                rows: rows(
                    "now() AS at, n / 7.0 AS amount, repeat(md5(n::text), 60) AS body",
                    500 * megabytes,
                ),
                tables: 1,
            },
            Dataset {
                name: "many",
                rows: rows("md5(n::text) AS v", 12 * megabytes),
                tables: 1000,
            },
        ];
        let is_wanted = |one: &Dataset| {
            options.only.is_empty() || options.only.iter().any(|name| name == one.name)
        };
        all.into_iter().filter(is_wanted).collect()
    }

    /// The tables' names.
    pub(crate) fn tables(&self) -> impl Iterator<Item = String> {
        (1..=self.tables).map(|number| format!("t{number}"))
    }

    pub(crate) fn make(&self, servers: &Servers) -> Result<()> {
        for server in [&servers.source, &servers.target] {
            sql(server, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
            // The same seed: the same rows.
            for table in self.tables() {
                let make = format!(
                    "CREATE TABLE {table} AS {}; ALTER TABLE {table} ADD PRIMARY KEY (id)",
                    self.rows
                );
                sql(server, DATABASE, &make)?;
            }
            sql(server, DATABASE, "VACUUM ANALYZE")?;
            sql(server, DATABASE, "CHECKPOINT")?;
        }
        Ok(())
    }

    pub(crate) fn drop(&self, servers: &Servers) -> Result<()> {
        for server in [&servers.source, &servers.target] {
            sql(server, "postgres", &format!("DROP DATABASE {DATABASE}"))?;
        }
        Ok(())
    }

    /// What it is, in words.
    pub(crate) fn what(&self, servers: &Servers) -> Result<String> {
        let size = "SELECT pg_size_pretty(sum(pg_table_size(oid))) || ', ' || sum(reltuples)::bigint || ' rows'
                      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let size = answer(&servers.source, DATABASE, size)?;
        Ok(format!("**{}**: {} tables, {size}", self.name, self.tables))
    }
}

fn rows(columns: &str, count: u32) -> String {
    format!(
        "SELECT n AS id, {} FROM generate_series(1, {count}) n",
        columns.replace(
            "now()",
            "timestamptz '2026-01-01' + n * interval '1 second'"
        )
    )
}
