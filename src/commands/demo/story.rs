//! The demo from beginning to end.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::DemoError;
use super::comparison::{ComparedTable, compare};
use super::lag::Lag;
use super::migration::{Migration, OWN_PROGRAM, Pgflit};
use super::options::{DemoOptions, Outcome};
use super::psql::Database;
use super::summary::{Facts, comparison_table, grouped, in_short, stage_table};
use super::traffic::{self, Traffic};
use super::workspace::Workspace;
use crate::base::quantity::{ByteSize, display_duration};
use crate::base::{Lsn, Shutdown};
use crate::worker::cluster::{Cluster, ClusterOptions};

/// The database that is moved.
const DATABASE: &str = "bench";
/// How often the sentinel is asked. Asking starts a process, so not more often.
const LAG_EVERY: Duration = Duration::from_secs(1);
/// How long one look at the migration waits for a line of it.
const LOOK: Duration = Duration::from_millis(100);

/// Why a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// What was waited for is there.
    Done,
    /// Someone asked the demo to stop.
    Stopped,
}

/// Runs the whole demo, telling it to `out`. Stops early, with everything taken away, when
/// `shutdown` is asked.
pub fn run(
    options: &DemoOptions,
    shutdown: &Shutdown,
    out: &mut dyn Write,
) -> Result<Outcome, DemoError> {
    run_program(Path::new(OWN_PROGRAM), options, shutdown, out)
}

/// As [`run`], with the program to show.
fn run_program(
    program: &Path,
    options: &DemoOptions,
    shutdown: &Shutdown,
    out: &mut dyn Write,
) -> Result<Outcome, DemoError> {
    writeln!(
        out,
        "A live migration between two throw-away clusters on this machine.\n"
    )?;
    let workspace = Workspace::prepare(options.dir.as_deref())?;
    let source_cluster = cluster("source")?;
    let target_cluster = cluster("target")?;
    let mut story = Story {
        source: Database::of(&source_cluster, DATABASE),
        target: Database::of(&target_cluster, DATABASE),
        dir: workspace.path(),
        pgflit: Pgflit::new(program, workspace.path()),
        facts: Facts::default(),
        shutdown,
        out,
    };
    for cluster in [&source_cluster, &target_cluster] {
        Database::of(cluster, "postgres").rows(&format!("CREATE DATABASE {DATABASE}"))?;
    }
    let outcome = match story.tell(options) {
        // Ctrl-C ends the programs that we run too, and what ended them is no error of theirs.
        Err(_) if shutdown.asked() => Outcome::Stopped,
        told => told?,
    };
    if options.keep && outcome != Outcome::Stopped {
        story.keep()?;
    }
    Ok(outcome)
}

fn cluster(name: &'static str) -> Result<Cluster, DemoError> {
    Cluster::create(&ClusterOptions::new(name))
        .map_err(|source| DemoError::Cluster { name, source })
}

/// Everything the stages share.
struct Story<'a> {
    source: Database,
    target: Database,
    dir: &'a Path,
    pgflit: Pgflit,
    facts: Facts,
    shutdown: &'a Shutdown,
    out: &'a mut dyn Write,
}

impl Story<'_> {
    fn tell(&mut self, options: &DemoOptions) -> Result<Outcome, DemoError> {
        self.fill(options.scale)?;
        let traffic = Traffic::start(&self.source)?;
        writeln!(
            self.out,
            "2. Traffic: pgbench -c 4 writes to the source from here on\n"
        )?;
        match self.migrate(traffic, Duration::from_secs(options.seconds))? {
            Watched::Stopped => Ok(Outcome::Stopped),
            Watched::Done => self.prove(),
        }
    }

    fn fill(&mut self, scale: u32) -> Result<(), DemoError> {
        let begin = Instant::now();
        writeln!(
            self.out,
            "1. Two clusters, and pgbench's tables in the source"
        )?;
        writeln!(self.out, "   source  {}", self.source.uri())?;
        writeln!(self.out, "   target  {}", self.target.uri())?;
        traffic::fill(&self.source, scale)?;
        let bytes = self
            .source
            .value("SELECT pg_database_size(current_database())")?;
        self.facts.copied_bytes = ByteSize(bytes);
        let accounts = grouped(u64::from(scale) * 100_000);
        let (size, took) = (self.facts.copied_bytes, display_duration(begin.elapsed()));
        writeln!(self.out, "   {accounts} accounts, {size}, in {took}\n")?;
        Ok(())
    }

    /// The migration, with `traffic` during the whole copy and for `live` after it.
    fn migrate(&mut self, mut traffic: Traffic, live: Duration) -> Result<Watched, DemoError> {
        let (source, target) = (self.source.uri(), self.target.uri());
        writeln!(self.out, "3. pgflit clone --follow --source {source} \\")?;
        writeln!(
            self.out,
            "       --target {target} --dir {}",
            self.dir.display()
        )?;
        let before = traffic.transactions()?;
        let begin = Instant::now();
        let mut migration = self.pgflit.clone_follow(&self.source, &self.target)?;
        let copied = |_: &Lag, applying: bool| applying;
        if self.watch(&mut migration, &mut traffic, copied)? == Watched::Stopped {
            return Ok(Watched::Stopped);
        }
        let copied = traffic.transactions()?;
        self.facts.copy_time = begin.elapsed();
        self.facts.transactions_during_copy = copied - before;
        let took = display_duration(self.facts.copy_time);
        let count = grouped(copied - before);
        writeln!(
            self.out,
            "   the base copy took {took}; the source committed {count} transactions meanwhile\n\n\
             4. Following for {} while the traffic goes on",
            display_duration(live)
        )?;

        let begin = Instant::now();
        let followed = |_: &Lag, _| begin.elapsed() >= live;
        if self.watch(&mut migration, &mut traffic, followed)? == Watched::Stopped {
            return Ok(Watched::Stopped);
        }
        let total = traffic.stop()?;
        self.facts.follow_time = begin.elapsed();
        self.facts.transactions_during_follow = total - copied;
        self.end(migration)
    }

    /// The traffic has stopped, so the source's current position is past its last change.
    fn end(&mut self, mut migration: Migration) -> Result<Watched, DemoError> {
        let begin = Instant::now();
        writeln!(
            self.out,
            "\n5. The traffic stops; pgflit sentinel set endpos --current"
        )?;
        let endpos = self.pgflit.set_endpos_to_current(&self.source)?;
        writeln!(self.out, "   endpos is {endpos}")?;
        let status = loop {
            self.show_line(&migration)?;
            if self.shutdown.asked() {
                return Ok(Watched::Stopped);
            }
            if let Some(status) = migration.ended() {
                break status;
            }
        };
        if !status.success() {
            return Err(DemoError::Migration { status });
        }
        self.facts.end_time = begin.elapsed();
        let took = display_duration(self.facts.end_time);
        writeln!(
            self.out,
            "   everything before it is on the target: exit code 0 after {took}\n"
        )?;
        Ok(Watched::Done)
    }

    /// Shows what `migration` prints until `is_done` says so of the lag and of whether changes are
    /// being applied. The migration and the traffic must both go on meanwhile.
    fn watch(
        &mut self,
        migration: &mut Migration,
        traffic: &mut Traffic,
        is_done: impl Fn(&Lag, bool) -> bool,
    ) -> Result<Watched, DemoError> {
        let mut next_lag = Instant::now();
        let mut is_applying = false;
        while !is_done(&self.facts.lag, is_applying) {
            if self.shutdown.asked() {
                return Ok(Watched::Stopped);
            }
            self.show_line(migration)?;
            if let Some(status) = migration.ended() {
                return Err(DemoError::Migration { status });
            }
            traffic.check()?;
            if Instant::now() >= next_lag {
                is_applying = self.observe_lag()?;
                next_lag = Instant::now() + LAG_EVERY;
            }
        }
        Ok(Watched::Done)
    }

    /// Takes note of the lag. Gives whether changes are being applied.
    fn observe_lag(&mut self) -> Result<bool, DemoError> {
        let Some(sentinel) = self.pgflit.sentinel() else {
            return Ok(false);
        };
        let current: Lsn = self.source.value("SELECT pg_current_wal_lsn()")?;
        self.facts.lag.observe(sentinel, current);
        if sentinel.apply {
            writeln!(self.out, "   lag {}", self.facts.lag.now)?;
        }
        Ok(sentinel.apply)
    }

    fn show_line(&mut self, migration: &Migration) -> Result<(), DemoError> {
        if let Some(line) = migration.line(LOOK) {
            writeln!(self.out, "   | {line}")?;
        }
        Ok(())
    }

    fn prove(&mut self) -> Result<Outcome, DemoError> {
        writeln!(
            self.out,
            "6. Every row of every table, compared by SQL on both sides"
        )?;
        let tables = compare(&self.source, &self.target)?;
        let outcome = outcome_of(&tables);
        writeln!(self.out, "{}\n", comparison_table(&tables))?;
        writeln!(self.out, "{}\n", stage_table(&self.facts))?;
        writeln!(self.out, "{}", in_short(&self.facts, &tables))?;
        let verdict = match outcome {
            Outcome::Equal => "EQUAL: source and target hold the same rows.",
            Outcome::Different | Outcome::Stopped => "DIFFERENT: source and target do not agree.",
        };
        writeln!(self.out, "{verdict}")?;
        Ok(outcome)
    }

    fn keep(&mut self) -> Result<(), DemoError> {
        writeln!(self.out, "\nBoth clusters stay until Ctrl-C:")?;
        writeln!(self.out, "   psql {}", self.source.uri())?;
        writeln!(self.out, "   psql {}", self.target.uri())?;
        while !self.shutdown.sleep(LAG_EVERY) {}
        Ok(())
    }
}

/// Nothing compared proves nothing.
fn outcome_of(tables: &[ComparedTable]) -> Outcome {
    match !tables.is_empty() && tables.iter().all(|table| table.is_equal) {
        true => Outcome::Equal,
        false => Outcome::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// Stands in for pgflit: copies everything at endpos, when the traffic has stopped.
    const STAND_IN: &str = r#"#!/bin/sh
set -e
dir=$(printf '%s\n' "$@" | sed -n '/^--dir$/{n;p;}')
mkdir -p "$dir"
case "$1 $2" in
"sentinel get") echo '{"apply":true,"replay_lsn":"0/1000"}' ;;
"sentinel set") echo 0/2000 | tee "$dir/endpos" ;;
clone*)
    echo "copying" >&2
    while [ ! -e "$dir/endpos" ]; do sleep 0.05; done
    pg_dump "$6" | psql -q "$8" >/dev/null
    ;;
esac
"#;

    fn tell(stand_in: &str) -> (Result<Outcome, DemoError>, String) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("pgflit");
        fs::write(&program, stand_in).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let options = DemoOptions {
            scale: 1,
            seconds: 2,
            ..DemoOptions::default()
        };
        let mut out = Vec::new();
        let outcome = run_program(&program, &options, &Shutdown::default(), &mut out);
        (outcome, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_whole_migration_is_told_to_its_verdict() {
        let (outcome, told) = tell(STAND_IN);
        assert!(matches!(outcome, Ok(Outcome::Equal)), "{outcome:?}\n{told}");
        for line in [
            "   | copying",
            "100,000 accounts",
            "endpos is 0/2000",
            "EQUAL: ",
        ] {
            assert!(told.contains(line), "no {line:?} in\n{told}");
        }
    }

    #[test]
    fn a_migration_that_moves_nothing_is_found_out() {
        let (outcome, told) = tell(&STAND_IN.replace("pg_dump", "true"));
        assert!(
            matches!(outcome, Ok(Outcome::Different)),
            "{outcome:?}\n{told}"
        );
    }

    #[test]
    fn a_migration_that_ends_too_early_is_an_error() {
        let (outcome, told) = tell("#!/bin/sh\necho no such thing\nexit 6\n");
        assert!(
            matches!(outcome, Err(DemoError::Migration { .. })),
            "{told}"
        );
        assert!(told.contains("   | no such thing"), "{told}");
    }

    #[test]
    fn being_asked_to_stop_is_an_outcome() {
        let shutdown = Shutdown::default();
        shutdown.ask();
        let options = DemoOptions {
            scale: 1,
            ..DemoOptions::default()
        };
        let outcome = run_program(Path::new("true"), &options, &shutdown, &mut Vec::new());
        assert!(matches!(outcome, Ok(Outcome::Stopped)), "{outcome:?}");
    }

    #[test]
    fn one_table_that_differs_or_none_at_all_is_no_success() {
        let table = |is_equal| ComparedTable {
            name: "t".to_owned(),
            source_rows: Some(1),
            target_rows: Some(1),
            is_equal,
        };
        assert_eq!(outcome_of(&[table(true), table(true)]), Outcome::Equal);
        assert_eq!(outcome_of(&[table(true), table(false)]), Outcome::Different);
        assert_eq!(outcome_of(&[]), Outcome::Different);
    }
}
