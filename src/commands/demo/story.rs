//! The demo from beginning to end.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::DemoError;
use super::comparison::{ComparedTable, compare};
use super::lag::Lag;
use super::options::{DemoOptions, Outcome};
use super::pgflit::{OWN_PROGRAM, Pgflit, word_for};
use super::psql::Database;
use super::running::{Running, STOP_LIMIT};
use super::summary::{Facts, comparison_table, in_short, stage_table, what_is_wrong};
use super::timeline::Traffic::{Moves, Stays};
use super::traffic::{self, Traffic};
use super::ways_back::WaysBack;
use super::workspace::Workspace;
use crate::base::cause::chain;
use crate::base::quantity::{ByteSize, display_duration, grouped};
use crate::base::{Lsn, Shutdown, Side};
use crate::worker::cluster::{Cluster, ClusterOptions};

/// The database that is moved.
const DATABASE: &str = "bench";
/// The application's role, which owns what is in it. Not pgflit's own: the fence keeps one out and
/// lets the other in.
const ROLE: &str = "app";
/// How often the sentinel is asked. Asking starts a process, so not more often.
const LAG_EVERY: Duration = Duration::from_secs(1);
/// How often the lag is told.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long one look at the migration waits for a line of it.
const LOOK: Duration = Duration::from_millis(100);
/// How long the application writes on each server after a move, unless less is asked for.
const AFTER_MOVE: Duration = Duration::from_secs(5);
/// The report, in the current folder, unless a work directory was named, which keeps it.
const REPORT: &str = "pgflit-demo.html";
/// Indents below a heading.
const INDENT: &str = "   ";

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
        "A live migration between two throw-away clusters on this machine, traffic included.\n"
    )?;
    let workspace = Workspace::prepare(options.dir.as_deref())?;
    let source_cluster = cluster("source")?;
    let target_cluster = cluster("target")?;
    let source = Database::of(&source_cluster, DATABASE);
    let target = Database::of(&target_cluster, DATABASE);
    let mut story = Story {
        pgflit: Pgflit::new(program, workspace.path(), &source, &target),
        source,
        target,
        workspace: &workspace,
        facts: Facts::default(),
        shutdown,
        out,
    };
    let maintenance = |cluster| Database::of(cluster, "postgres");
    maintenance(&source_cluster).rows(&format!("CREATE ROLE {ROLE} LOGIN"))?;
    for (cluster, owner) in [(&source_cluster, ROLE), (&target_cluster, "DEFAULT")] {
        maintenance(cluster).rows(&format!("CREATE DATABASE {DATABASE} OWNER {owner}"))?;
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
    workspace: &'a Workspace,
    pgflit: Pgflit,
    facts: Facts,
    shutdown: &'a Shutdown,
    out: &'a mut dyn Write,
}

impl Story<'_> {
    fn tell(&mut self, options: &DemoOptions) -> Result<Outcome, DemoError> {
        self.fill(options.scale)?;
        // In the order in which they are to go: last things first.
        let ways_back = WaysBack::of(self.workspace.path());
        let mut proxy = self.pgflit.proxy()?;
        let mut traffic = self.connect(&mut proxy)?;
        let mut migration = self.pgflit.clone_follow()?;
        let live = Duration::from_secs(options.seconds);
        if self.migrate(&mut migration, &mut traffic, live)? == Watched::Stopped {
            return Ok(Outcome::Stopped);
        }
        let moves = [
            (Side::Target, "the traffic goes to the target"),
            (Side::Source, "back, with what was written meanwhile"),
            (Side::Target, "and to the target again"),
        ];
        for (at, (to, what)) in moves.into_iter().enumerate() {
            let after = live.min(AFTER_MOVE);
            let number = 5 + at;
            writeln!(
                self.out,
                "\n{number}. pgflit {} --yes: {what}",
                word_for(to)
            )?;
            self.move_traffic(to, at == 0)?;
            if at == 0 {
                self.see_end_of(&mut migration)?;
            }
            if self.write_on(to, &mut traffic, after)? == Watched::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        self.facts.timeline.end();
        self.facts.experience = traffic.stop()?;
        if self.wait_for_way_back()? == Watched::Stopped {
            return Ok(Outcome::Stopped);
        }
        let tables = self.compare()?;
        self.finalize(&ways_back)?;
        self.report(options)?;
        self.sum_up(&tables)
    }

    fn fill(&mut self, scale: u32) -> Result<(), DemoError> {
        let begin = Instant::now();
        writeln!(
            self.out,
            "1. Two clusters, and pgbench's tables in the source"
        )?;
        writeln!(self.out, "   source  {}", self.source.uri())?;
        writeln!(self.out, "   target  {}", self.target.uri())?;
        let address = self.source.address();
        traffic::fill(&self.source.as_seen_by(ROLE, &address, DATABASE), scale)?;
        let bytes = self
            .source
            .value("SELECT pg_database_size(current_database())")?;
        self.facts.copied_bytes = ByteSize(bytes);
        let accounts = grouped(u64::from(scale) * 100_000);
        let (size, took) = (self.facts.copied_bytes, display_duration(begin.elapsed()));
        writeln!(self.out, "   {accounts} accounts, {size}, in {took}\n")?;
        Ok(())
    }

    /// The application, which knows no address but the proxy's.
    fn connect(&mut self, proxy: &mut Running) -> Result<Traffic, DemoError> {
        writeln!(
            self.out,
            "2. An application, pgbench -c 4 -M prepared as role {ROLE}, through a proxy"
        )?;
        self.show_command("proxy", " --listen 127.0.0.1:0")?;
        let address = self.pgflit.address_of(proxy)?;
        let application = self.source.as_seen_by(ROLE, &address, DATABASE);
        let traffic = Traffic::start(&application, self.workspace.scratch())?;
        writeln!(
            self.out,
            "   the application knows {} and no other address\n",
            application.uri()
        )?;
        Ok(traffic)
    }

    fn show_command(&mut self, words: &str, more: &str) -> Result<(), DemoError> {
        let (source, target) = (self.source.uri(), self.target.uri());
        let dir = self.workspace.path().display();
        writeln!(self.out, "   pgflit {words} --source {source} \\")?;
        writeln!(self.out, "       --target {target} \\")?;
        writeln!(self.out, "       --dir {dir}{more}")?;
        Ok(())
    }

    /// The migration, with `traffic` during the whole copy and for `live` after it.
    fn migrate(
        &mut self,
        migration: &mut Running,
        traffic: &mut Traffic,
        live: Duration,
    ) -> Result<Watched, DemoError> {
        writeln!(self.out, "3. The migration, while the application writes")?;
        self.show_command("clone --follow --roles", "")?;
        let before = traffic.transactions()?;
        let begin = Instant::now();
        self.facts.timeline.begin("base copy", Stays);
        let copied = |_: &Lag, applying: bool| applying;
        if self.watch(migration, traffic, copied)? == Watched::Stopped {
            return Ok(Watched::Stopped);
        }
        let took = display_duration(begin.elapsed());
        let count = grouped(traffic.transactions()?.saturating_sub(before));
        writeln!(
            self.out,
            "   the base copy took {took}; the application committed {count} transactions meanwhile\n\n\
             4. Following for {} while it goes on",
            display_duration(live)
        )?;

        let begin = Instant::now();
        self.facts.timeline.begin("following live", Stays);
        self.watch(migration, traffic, |_, _| begin.elapsed() >= live)
    }

    fn move_traffic(&mut self, to: Side, is_first: bool) -> Result<(), DemoError> {
        let stage = format!("{}, to the {to}", word_for(to));
        self.facts.timeline.begin(stage, Moves);
        let told = self.pgflit.move_traffic(to)?;
        self.facts.timeline.begin(format!("on the {to}"), Stays);
        // All steps once; afterwards what came of them.
        let is_result = |line: &&str| line.starts_with("traffic goes");
        for line in told.lines().filter(|line| is_first || is_result(line)) {
            writeln!(self.out, "   | {line}")?;
        }
        Ok(())
    }

    /// Traffic has gone, and the stream there with it.
    fn see_end_of(&mut self, migration: &mut Running) -> Result<(), DemoError> {
        let deadline = Instant::now() + STOP_LIMIT;
        let status = loop {
            migration.line(LOOK);
            if let Some(status) = migration.ended() {
                break status;
            }
            if Instant::now() >= deadline {
                return Err(DemoError::DoesNotEnd { limit: STOP_LIMIT });
            }
        };
        if !status.success() {
            return Err(DemoError::Migration { status });
        }
        writeln!(
            self.out,
            "   pgflit clone --follow has ended with exit code 0"
        )?;
        Ok(())
    }

    /// The application goes on where it is now.
    fn write_on(
        &mut self,
        side: Side,
        traffic: &mut Traffic,
        time: Duration,
    ) -> Result<Watched, DemoError> {
        let before = traffic.transactions()?;
        let begin = Instant::now();
        while begin.elapsed() < time {
            if self.shutdown.sleep(LOOK) {
                return Ok(Watched::Stopped);
            }
            traffic.check()?;
        }
        let count = traffic.transactions()?.saturating_sub(before);
        writeln!(
            self.out,
            "   {} transactions on the {side} in the {} after it",
            grouped(count),
            display_duration(time)
        )?;
        Ok(Watched::Done)
    }

    /// What was written on the target last is on the source when this is done.
    fn wait_for_way_back(&mut self) -> Result<Watched, DemoError> {
        writeln!(
            self.out,
            "\n8. The application stops; the way back brings its last changes to the source"
        )?;
        let position: Lsn = self.target.value("SELECT pg_current_wal_insert_lsn()")?;
        let deadline = Instant::now() + STOP_LIMIT;
        while self.pgflit.brought_back().is_none_or(|lsn| lsn < position) {
            if Instant::now() >= deadline {
                let limit = STOP_LIMIT;
                return Err(DemoError::WayBack { limit, position });
            }
            if self.shutdown.sleep(LOOK) {
                return Ok(Watched::Stopped);
            }
        }
        writeln!(
            self.out,
            "   so both sides should be the same: every row of every table, compared by SQL alone"
        )?;
        Ok(Watched::Done)
    }

    fn compare(&mut self) -> Result<Vec<ComparedTable>, DemoError> {
        let tables = compare(&self.source, &self.target)?;
        self.facts.kept = self.target.value("SELECT count(*) FROM pgbench_history")?;
        writeln!(self.out, "{}", indented(&comparison_table(&tables)))?;
        Ok(tables)
    }

    fn finalize(&mut self, ways_back: &WaysBack) -> Result<(), DemoError> {
        writeln!(
            self.out,
            "\n9. pgflit finalize --yes: the way back is not needed any more"
        )?;
        for line in self.pgflit.finalize()?.lines() {
            writeln!(self.out, "   | {line}")?;
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while !ways_back.running().is_empty() {
            if Instant::now() >= deadline {
                return Err(DemoError::DoesNotEnd { limit: STOP_LIMIT });
            }
            self.shutdown.sleep(LOOK);
        }
        Ok(())
    }

    /// The report is there to be looked at when everything else is gone. A demo that cannot write it
    /// has shown all the same what it was to show.
    fn report(&mut self, options: &DemoOptions) -> Result<(), DemoError> {
        writeln!(self.out, "\n10. pgflit report: all of it on one page")?;
        let file = match options.dir {
            Some(_) => None,
            None => Some(Path::new(REPORT)),
        };
        let told = self.pgflit.report(file);
        let told = told.unwrap_or_else(|error| format!("there is none: {}", chain(&error)));
        for line in told.lines() {
            writeln!(self.out, "   | {line}")?;
        }
        Ok(())
    }

    fn sum_up(&mut self, tables: &[ComparedTable]) -> Result<Outcome, DemoError> {
        writeln!(
            self.out,
            "\nWhat the application noticed, by pgbench's own log"
        )?;
        writeln!(self.out, "{}\n", indented(&stage_table(&self.facts)))?;
        writeln!(self.out, "{}\n", in_short(&self.facts, tables))?;
        let wrong = what_is_wrong(&self.facts, tables);
        match &wrong {
            None => writeln!(
                self.out,
                "EQUAL: source and target hold the same rows, every acknowledged transaction is \
                 among them,\nand no client has seen an error."
            )?,
            Some(wrong) => writeln!(self.out, "NOT AS IT SHOULD BE: {wrong}.")?,
        }
        Ok(match wrong {
            None => Outcome::Equal,
            Some(_) => Outcome::Different,
        })
    }

    /// Shows what `migration` prints until `is_done` says so of the lag and of whether changes are
    /// being applied. The migration and the traffic must both go on meanwhile.
    fn watch(
        &mut self,
        migration: &mut Running,
        traffic: &mut Traffic,
        is_done: impl Fn(&Lag, bool) -> bool,
    ) -> Result<Watched, DemoError> {
        let mut next_lag = Instant::now();
        let mut next_told = Instant::now();
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
                if is_applying && Instant::now() >= next_told {
                    writeln!(self.out, "   lag {}", self.facts.lag.now)?;
                    next_told = Instant::now() + TELL_EVERY;
                }
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
        Ok(sentinel.apply)
    }

    fn show_line(&mut self, migration: &Running) -> Result<(), DemoError> {
        if let Some(line) = migration.line(LOOK) {
            writeln!(self.out, "   | {}", without_time(&line))?;
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), DemoError> {
        writeln!(self.out, "\nBoth clusters stay until Ctrl-C:")?;
        writeln!(self.out, "   psql {}", self.source.uri())?;
        writeln!(self.out, "   psql {}", self.target.uri())?;
        while !self.shutdown.sleep(LAG_EVERY) {}
        Ok(())
    }
}

/// A line of a log without its date, time and process, which are of no interest here.
fn without_time(line: &str) -> &str {
    let message = line
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| line.split_once("] "))
        .flatten();
    message.map_or(line, |(_, message)| message)
}

fn indented(table: &impl ToString) -> String {
    let lines = table.to_string();
    let lines: Vec<_> = lines
        .lines()
        .map(|line| format!("{INDENT}{line}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// Stands in for pgflit: its proxy is the source itself, where traffic stays, and everything is
    /// copied when somebody looks at the way back, the traffic having stopped.
    const STAND_IN: &str = r#"#!/bin/sh
set -e
option() { printf '%s\n' "$@" | sed -n "/^--$wanted\$/{n;p;}"; }
wanted=dir; dir=$(option "$@")
wanted=source; source=$(option "$@")
wanted=target; target=$(option "$@")
case "$1 $2 $dir" in
"proxy status"*) cat "$dir/status" ;;
proxy*)
    mkdir -p "$dir"
    address=${source#*@}
    echo "{\"listen\":[\"${address%/*}\"]}" > "$dir/status.new"
    mv "$dir/status.new" "$dir/status"
    exec sleep 600
    ;;
"sentinel get "*/reverse)
    dir=${dir%/reverse}
    [ -e "$dir/copied" ] || pg_dump "$(cat "$dir/source")" | psql -q "$(cat "$dir/target")" >/dev/null 2>&1
    touch "$dir/copied"
    echo '{"apply":true,"replay_lsn":"FFFF/0"}'
    ;;
"sentinel get "*) echo '{"apply":true,"replay_lsn":"0/1000"}' ;;
clone*)
    echo "$source" > "$dir/source"
    echo "$target" > "$dir/target"
    echo "copying" >&2
    while [ ! -e "$dir/ended" ]; do sleep 0.05; done
    ;;
cutover*|rollback*)
    touch "$dir/ended"
    echo "traffic goes as it was told"
    ;;
finalize*) echo "it is done" ;;
report*) echo "it is on a page" ;;
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
            "| traffic goes as it was told",
            "pgbench_history",
            "| it is done",
            "| it is on a page",
            "EQUAL: ",
        ] {
            assert!(told.contains(line), "no {line:?} in\n{told}");
        }
    }

    #[test]
    fn a_migration_that_moves_nothing_is_found_out() {
        let schema_alone = STAND_IN.replace("pg_dump", "pg_dump --schema-only");
        let (outcome, told) = tell(&schema_alone);
        assert!(
            matches!(outcome, Ok(Outcome::Different)),
            "{outcome:?}\n{told}"
        );
        assert!(told.contains("NOT AS IT SHOULD BE: "), "{told}");
    }

    #[test]
    fn a_migration_that_ends_too_early_is_an_error() {
        let ended = STAND_IN.replace(
            "while [ ! -e \"$dir/ended\" ]; do sleep 0.05; done",
            "exit 6",
        );
        let (outcome, told) = tell(&ended);
        assert!(
            matches!(outcome, Err(DemoError::Migration { .. })),
            "{told}"
        );
        assert!(told.contains("   | copying"), "{told}");
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
}
