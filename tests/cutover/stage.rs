//! A migration that follows, and a proxy before it.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{
    Database, Finished, Pair, Pgflit, Process, Run, SOON, eventually, eventually_some, pgflit,
};

/// The streams that cutovers and rollbacks begin.
const STREAMS: [&str; 2] = ["reverse", "forward"];

/// The migration's own.
const FIRST: &str = "first";

/// All of them.
pub(crate) const ALL_STREAMS: [&str; 3] = [FIRST, STREAMS[0], STREAMS[1]];

/// Source and target, `clone --follow` in live replay, and a proxy between the source and the role
/// `app`. pgflit itself is `postgres`, which is not fenced out.
pub(crate) struct Stage {
    pub(crate) follow: Option<Run>,
    /// Streams that were resumed by hand.
    resumed: Vec<Run>,
    pub(crate) proxy: Option<Run>,
    pub(crate) port: u16,
    /// The proxy's file, which names both servers; none if it is told of them by options.
    pub(crate) config: Option<PathBuf>,
    pub(crate) pair: Pair,
}

impl Stage {
    /// With the tables of `schema`, which the application owns.
    pub(crate) fn with(schema: &str) -> Self {
        Self::configured(schema, |_| None)
    }

    /// The same with a file of the proxy's.
    pub(crate) fn configured(schema: &str, config: impl FnOnce(&Pair) -> Option<PathBuf>) -> Self {
        let mut stage = Self::without_proxy(schema, config);
        stage.start_proxy();
        stage
    }

    /// The same without the proxy.
    pub(crate) fn without_proxy(
        schema: &str,
        config: impl FnOnce(&Pair) -> Option<PathBuf>,
    ) -> Self {
        let mut stage = Self::without_stream(config);
        stage.past_proxy().sql(schema);
        let follow = pgflit("clone --follow").between(&stage.pair).start();
        follow.wait_for_stderr("live replay");
        stage.follow = Some(follow);
        stage
    }

    /// Nobody streams, and no proxy runs.
    pub(crate) fn without_stream(config: impl FnOnce(&Pair) -> Option<PathBuf>) -> Self {
        let pair = Pair::new();
        for database in [&pair.source, &pair.target] {
            database.sql("CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app");
        }
        Stage {
            follow: None,
            resumed: Vec::new(),
            proxy: None,
            port: 0,
            config: config(&pair),
            pair,
        }
    }

    /// Starts the proxy, again on the same port if it had one.
    pub(crate) fn start_proxy(&mut self) {
        let proxy = self.proxy_command().start();
        self.port = listens(&proxy);
        self.proxy = Some(proxy);
    }

    /// A process of the proxy, on the same port if it has one.
    pub(crate) fn proxy_command(&self) -> Pgflit {
        let proxy = pgflit("proxy --reuse-port").arg(format!("--listen=127.0.0.1:{}", self.port));
        match &self.config {
            None => proxy.between(&self.pair),
            Some(config) => proxy.arg("--config").arg(config).dir(self.pair.dir()),
        }
    }

    /// `pgflit cutover`, `rollback` or `finalize` with more words.
    pub(crate) fn command(&self, words: &str) -> Pgflit {
        pgflit(words).between(&self.pair)
    }

    /// The same, which has stopped at `place` when this returns. SIGCONT lets it go on.
    #[track_caller]
    pub(crate) fn stops_at(&self, words: &str, place: &str) -> Run {
        let run = self.command(words).env("PGFLIT_STOP_AT", place).start();
        eventually(SOON, &format!("{words} comes to \"{place}\""), || {
            run.is_stopped()
        });
        run
    }

    /// Moves traffic, and gives what it prints.
    #[track_caller]
    pub(crate) fn moves(&self, words: &str) -> Value {
        let done = self
            .command(&format!("{words} --yes --json --max-pause 30s"))
            .run();
        let done = done.assert_code(0);
        serde_json::from_str(&done.stdout).expect("JSON")
    }

    /// The same, which is refused or undone.
    #[track_caller]
    pub(crate) fn does_not_move(&self, words: &str) -> Finished {
        self.command(words).run().assert_code(3)
    }

    /// What the proxy counts of its one mirror.
    #[track_caller]
    pub(crate) fn mirror(&self) -> Value {
        let told = self.command("proxy mirrors --json").run().assert_code(0);
        let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
        told[0].clone()
    }

    /// The database through the proxy, as the application.
    pub(crate) fn database(&self) -> Database {
        let own = self.pair.source_cluster.port();
        self.past_proxy().at_port(own, self.port)
    }

    /// The source past the proxy, as the application.
    pub(crate) fn past_proxy(&self) -> Database {
        Database::of_user(&self.pair.source_cluster, "app", "app")
    }

    /// Which side answers through the proxy.
    pub(crate) fn serves(&self) -> &'static str {
        let port = self
            .database()
            .number("SELECT current_setting('port')::bigint");
        match u16::try_from(port).ok() {
            port if port == Some(self.pair.source_cluster.port()) => "source",
            port if port == Some(self.pair.target_cluster.port()) => "target",
            port => panic!("nobody listens at {port:?}"),
        }
    }

    /// The same while it may be that nobody new is let in: of a session that is there.
    pub(crate) fn serves_whoever_is_there(&self) -> &'static str {
        let count = |database: &Database| {
            database.number("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'")
        };
        match (count(&self.pair.source), count(&self.pair.target)) {
            (_, 0) => "source",
            (0, _) => "target",
            _ => "both",
        }
    }

    /// Which side lets the application in past the proxy; "none" and "both" are possible, too.
    pub(crate) fn takes_writes(&self) -> &'static str {
        let own = |cluster| {
            Database::of_user(cluster, "app", "app")
                .try_sql("SELECT 1")
                .is_ok()
        };
        match (
            own(&self.pair.source_cluster),
            own(&self.pair.target_cluster),
        ) {
            (true, false) => "source",
            (false, true) => "target",
            (true, true) => "both",
            (false, false) => "none",
        }
    }

    /// The supervisor of the stream back or there, of this name, if it runs.
    fn stream(&self, name: &str) -> Option<Process> {
        let lock = self.pair.dir().join(name).join("pgflit.lock");
        let text = std::fs::read_to_string(lock).ok()?;
        // Whoever arms it has the lock as well.
        let process = Process::at(text.split_whitespace().next()?.parse().ok()?)?;
        process.line.contains(" follow ").then_some(process)
    }

    /// Kills the supervisors of all streams that run; which.
    pub(crate) fn kill_streams(&mut self) -> Vec<&'static str> {
        let mut killed = Vec::new();
        for name in STREAMS {
            if let Some(process) = self.stream(name) {
                process.kill();
                killed.push(name);
            }
        }
        if self.follow.take().is_some_and(|mut run| run.is_running()) {
            killed.push(FIRST);
        }
        killed
    }

    /// Has the streams stop that an attempt has begun, as an operator does; returns once they have.
    #[track_caller]
    pub(crate) fn stop_streams(&self) -> Vec<&'static str> {
        let mut stopped = Vec::new();
        for name in STREAMS {
            if let Some(process) = self.stream(name) {
                process.signal(Signal::SIGTERM);
                eventually(SOON, &format!("the stream {name} stops"), || {
                    !process.is_there()
                });
                stopped.push(name);
            }
        }
        stopped
    }

    /// Goes on with these streams, as the documentation says; returns once they run, or have found
    /// nothing left to do.
    #[track_caller]
    pub(crate) fn resume_streams(&mut self, names: &[&'static str]) {
        for name in names {
            let mut run = self.resume(name);
            eventually(SOON, &format!("the stream {name} goes on"), || {
                !run.is_running() || run.stderr_contains("live replay")
            });
            self.resumed.push(run);
        }
    }

    /// Starts one of them, and waits for nothing.
    pub(crate) fn resume(&self, name: &'static str) -> Run {
        let (source, target) = (&self.pair.source, &self.pair.target);
        let between = |from, to| {
            pgflit("follow --resume")
                .dir(self.pair.dir().join(name))
                .arg(format!("--slot-name=pgflit_{name}"))
                .arg(format!("--origin=pgflit_{name}"))
                .arg(format!("--publication=pgflit_{name}"))
                .source(from)
                .target(to)
        };
        let command = match name {
            "reverse" => between(target, source),
            "forward" => between(source, target),
            _ => pgflit("clone --follow --resume").between(&self.pair),
        };
        command.start()
    }

    /// Waits until both sides have the same rows in these tables.
    #[track_caller]
    pub(crate) fn until_equal(&self, tables: &[&str]) {
        for table in tables {
            let sql = format!(
                "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t"
            );
            eventually(4 * SOON, "both sides have the same rows", || {
                let rows = |database: &Database| database.rows(&sql);
                rows(&self.pair.source) == rows(&self.pair.target)
            });
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The streams back are processes of their own, which no one of the test is a parent of.
        for process in STREAMS.iter().filter_map(|name| self.stream(name)) {
            let pid = nix::unistd::Pid::from_raw(process.pid as i32);
            let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
        }
    }
}

/// The port that a proxy listens on, once it does.
pub(crate) fn listens(proxy: &Run) -> u16 {
    eventually_some(SOON, "the proxy listens", || {
        let printed = proxy.stderr();
        let (_, rest) = printed.split_once("listening on 127.0.0.1:")?;
        rest.lines().next()?.trim().parse().ok()
    })
}
