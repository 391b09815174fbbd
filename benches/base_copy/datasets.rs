//! What is copied.

use std::process::Command;

use crate::Servers;
use crate::options::Options;
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::shared::sql::{answer, sql};

/// A database of the source.
pub(crate) struct Dataset {
    /// Also the database's name.
    pub(crate) name: &'static str,
    /// For the table's heading.
    pub(crate) what: String,
    /// Tables to copy by raw pipes, in the order of their size.
    pub(crate) tables: Vec<String>,
    how: How,
}

enum How {
    Pgbench(u32),
    Sql(String),
}

impl Dataset {
    /// Those that were asked for.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let scale = options.scale;
        let count = options.small_tables;
        let all = [
            Dataset {
                name: "pgbench",
                what: format!("pgbench scale {scale}"),
                tables: ["accounts", "tellers", "branches", "history"]
                    .map(|name| format!("pgbench_{name}"))
                    .to_vec(),
                how: How::Pgbench(scale),
            },
            Dataset {
                name: "small",
                what: format!(
                    "{count} small tables with keys, indexes, foreign keys, sequences, partitions"
                ),
                tables: small_tables(count),
                how: How::Sql(small_sql(count)),
            },
            Dataset {
                name: "wide",
                what: format!(
                    "one table of {} rows with jsonb, text, bytea, arrays and five indexes",
                    options.wide_rows
                ),
                tables: vec!["wide".to_owned()],
                how: How::Sql(wide_sql(options.wide_rows)),
            },
        ];
        let wanted = |dataset: &Dataset| {
            options.only.is_empty() || options.only.iter().any(|name| name == dataset.name)
        };
        all.into_iter().filter(wanted).collect()
    }

    /// Makes and fills it on the source.
    pub(crate) fn make(&self, servers: &Servers) -> Result<()> {
        let source = &servers.source;
        sql(
            source,
            "postgres",
            &format!("CREATE DATABASE {}", self.name),
        )?;
        match &self.how {
            How::Pgbench(scale) => {
                let mut pgbench = Command::new(source.programs().path("pgbench"));
                pgbench.args(["-i", "-q", "-s", &scale.to_string()]);
                run_quietly(pgbench.arg(source.socket_uri(self.name)))?;
            }
            How::Sql(script) => sql(&servers.source, self.name, script)?,
        }
        sql(&servers.source, self.name, "VACUUM ANALYZE")?;
        sql(&servers.source, self.name, "CHECKPOINT")
    }

    /// An empty database of that name on the target, and nothing left to write from before.
    pub(crate) fn empty_target(&self, servers: &Servers) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.name);
        sql(&servers.target, "postgres", &drop)?;
        let create = format!("CREATE DATABASE {}", self.name);
        sql(&servers.target, "postgres", &create)?;
        sql(&servers.source, "postgres", "CHECKPOINT")?;
        sql(&servers.target, "postgres", "CHECKPOINT")
    }

    /// Whether all rows, indexes and constraints are on the target: a contender that leaves
    /// something out is not measured.
    pub(crate) fn check(&self, servers: &Servers, contender: &str) -> Result<()> {
        let count = "SELECT (SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                              WHERE c.relnamespace = 'public'::regnamespace),
                            (SELECT count(*) FROM pg_constraint
                              WHERE connamespace = 'public'::regnamespace AND contype <> 'n'),
                            (SELECT sum((xpath('//c/text()', query_to_xml(
                                        format('SELECT count(*) AS c FROM ONLY %s', c.oid::regclass),
                                        false, true, '')))[1]::text::bigint)
                               FROM pg_class c
                              WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace)";
        let source = answer(&servers.source, self.name, count)?;
        let target = answer(&servers.target, self.name, count)?;
        match source == target {
            true => Ok(()),
            false => Err(format!(
                "{contender} did not copy {}: indexes|constraints|rows are {target}, not {source}",
                self.name
            )
            .into()),
        }
    }

    pub(crate) fn drop(&self, servers: &Servers) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.name);
        sql(&servers.source, "postgres", &drop)?;
        sql(&servers.target, "postgres", &drop)
    }
}

/// Every twentieth stands for a partitioned table with three partitions.
fn small_tables(count: u32) -> Vec<String> {
    let partitioned = count / 20;
    let plain = (1..=count - 3 * partitioned).map(|at| format!("t{at}"));
    let partitions = (1..=partitioned).flat_map(|at| (1..=3).map(move |of| format!("p{at}_{of}")));
    partitions.chain(plain).collect()
}

fn small_sql(count: u32) -> String {
    let partitioned = count / 20;
    let plain = count - 3 * partitioned;
    format!(
        "DO $$ BEGIN
           FOR i IN 1..{plain} LOOP
             EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, ref int,
                 name text NOT NULL, created timestamptz DEFAULT now(), amount numeric(12,2))', i);
             EXECUTE format('INSERT INTO t%s (ref, name, amount) SELECT 1 + g %% 200,
                 ''row '' || g, g * 1.25 FROM generate_series(1, 200) g', i);
             EXECUTE format('CREATE INDEX t%s_name ON t%s (name)', i, i);
             IF i > 1 THEN
               EXECUTE format('ALTER TABLE t%s ADD FOREIGN KEY (ref) REFERENCES t%s (id)', i, i - 1);
             END IF;
             IF i % 100 = 0 THEN COMMIT; END IF;
           END LOOP;
           FOR i IN 1..{partitioned} LOOP
             EXECUTE format('CREATE TABLE p%s (id int, at date, v text, PRIMARY KEY (id, at))
                 PARTITION BY RANGE (at)', i);
             FOR j IN 1..3 LOOP
               EXECUTE format('CREATE TABLE p%s_%s PARTITION OF p%s FOR VALUES FROM (%L) TO (%L)',
                   i, j, i, date '2026-01-01' + (j - 1) * 100, date '2026-01-01' + j * 100);
             END LOOP;
             EXECUTE format('CREATE INDEX ON p%s (v)', i);
             EXECUTE format('INSERT INTO p%s SELECT g, date ''2026-01-01'' + g %% 300, ''v'' || g
                 FROM generate_series(1, 300) g', i);
             COMMIT;
           END LOOP;
         END $$"
    )
}

/// About 3 kB a row, a third of it in TOAST.
fn wide_sql(rows: u32) -> String {
    format!(
        "CREATE TABLE wide (
             id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
             at timestamptz NOT NULL,
             customer uuid NOT NULL,
             document jsonb NOT NULL,
             note text NOT NULL,
             tags text[] NOT NULL,
             readings float8[] NOT NULL,
             attachment bytea);
         ALTER TABLE wide ALTER attachment SET STORAGE EXTERNAL;
         INSERT INTO wide (at, customer, document, note, tags, readings, attachment)
         SELECT timestamptz '2026-01-01' + g * interval '17 seconds',
                md5((g % 50000)::text)::uuid,
                jsonb_build_object('number', g, 'name', md5(g::text), 'nested',
                    jsonb_build_object('a', g % 7, 'b', repeat(md5((g + 1)::text), 8))),
                repeat(md5((g * 3)::text), 20),
                ARRAY['t' || g % 100, 'u' || g % 1000],
                ARRAY(SELECT (g * 31 + i) / 7.0 FROM generate_series(1, 30) i),
                CASE WHEN g % 2 = 0
                     THEN decode(repeat(md5((g * 7)::text), 150), 'hex') END
           FROM generate_series(1, {rows}) g;
         CREATE INDEX wide_at ON wide (at);
         CREATE INDEX wide_customer ON wide (customer, at);
         CREATE INDEX wide_tags ON wide USING gin (tags);
         CREATE INDEX wide_name ON wide ((document ->> 'name'));"
    )
}
