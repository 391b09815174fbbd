//! `pgflit check`: problems that are planted, and the line that each gets.
//!
//! A table of [`Plant`]s is gone through on one [`Pair`], each in databases of its own; what is the
//! whole server's is taken back afterwards. Beside its own line a plant has no other that warns or
//! fails, unless it says so: a check that cries wolf fails here too.

mod bad_input;
mod fixes;
mod planted;
mod refused;
mod servers;

use crate::support::{
    Database, Finished, Pair, Pgflit, SOON, eventually, pgflit, source_options, target_options,
};

/// A pair that nothing stands against: what is committed there is on disk.
fn sound_pair() -> Pair {
    let sound = |options: pgflit::worker::cluster::ClusterOptions| {
        options
            .setting("fsync", "on")
            .setting("full_page_writes", "on")
            .setting("max_prepared_transactions", "5")
    };
    Pair::with(sound(source_options()), sound(target_options()))
}

/// One line of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    status: String,
    place: String,
    id: String,
    text: String,
}

/// The lines, without hints and the last one.
fn lines(finished: &Finished) -> Vec<Line> {
    let is_head = |line: &&str| {
        ["PASS ", "WARN ", "FAIL "]
            .iter()
            .any(|it| line.starts_with(it))
    };
    let heads = finished.stdout.lines().filter(is_head);
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Line {
            status: word(),
            place: word(),
            id: word(),
            text: words.collect::<Vec<_>>().join(" "),
        }
    };
    heads.map(line).collect()
}

/// The identifiers of what warns or fails.
fn complaints(lines: &[Line]) -> Vec<&str> {
    let complaints = lines.iter().filter(|line| line.status != "PASS");
    complaints.map(|line| line.id.as_str()).collect()
}

/// A problem, and the line that tells of it.
struct Plant {
    problem: &'static str,
    databases: [&'static str; 2],
    source: &'static str,
    target: &'static str,
    undo: [&'static str; 2],
    /// The roles that check connects as.
    roles: [&'static str; 2],
    options: &'static [&'static str],
    line: (&'static str, &'static str, &'static str, &'static str),
    also: &'static [&'static str],
    /// The oldest servers that know what it is.
    since: i64,
}

/// The start of a [`Plant`]: what it is, and its line: status, place, identifier, a part of the text.
const fn plant(
    problem: &'static str,
    line: (&'static str, &'static str, &'static str, &'static str),
) -> Plant {
    Plant {
        problem,
        databases: ["", ""],
        source: "",
        target: "",
        undo: ["", ""],
        roles: ["postgres", "postgres"],
        options: &["--follow"],
        line,
        also: &[],
        since: 0,
    }
}

impl Plant {
    /// How the two databases are made.
    const fn databases(mut self, source: &'static str, target: &'static str) -> Self {
        self.databases = [source, target];
        self
    }

    /// What is run on the source's database.
    const fn source(mut self, sql: &'static str) -> Self {
        self.source = sql;
        self
    }

    /// What is run on the target's database.
    const fn target(mut self, sql: &'static str) -> Self {
        self.target = sql;
        self
    }

    /// What takes back what does not go with the databases: before they go, on each side.
    const fn undo(mut self, source: &'static str, target: &'static str) -> Self {
        self.undo = [source, target];
        self
    }

    const fn roles(mut self, source: &'static str, target: &'static str) -> Self {
        self.roles = [source, target];
        self
    }

    /// Instead of `--follow`. `EXCLUDE` is a file of filters that leaves `public.t` out.
    const fn options(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    /// Other checks that tell of it as well.
    const fn also(mut self, ids: &'static [&'static str]) -> Self {
        self.also = ids;
        self
    }

    /// Only where both servers are of this version or later.
    const fn since(mut self, major: i64) -> Self {
        self.since = major;
        self
    }

    /// Plants it, runs check, sees its line, and takes it back.
    fn try_on(&self, pair: &Pair) {
        const NAME: &str = "planted";
        println!("--- {}", self.problem);
        let clusters = [&pair.source_cluster, &pair.target_cluster];
        let is_older = |cluster| major(&Database::of(cluster, "postgres")) < self.since;
        if clusters.into_iter().any(is_older) {
            println!("these servers are older");
            return;
        }
        for (cluster, options) in clusters.into_iter().zip(self.databases) {
            let postgres = Database::of(cluster, "postgres");
            postgres.sql(&format!(
                "CREATE DATABASE {NAME} TEMPLATE template0 {options}"
            ));
        }
        let databases = clusters.map(|cluster| Database::of(cluster, NAME));
        run(&databases, [self.source, self.target]);
        let of_role = |at: usize| Database::of_user(clusters[at], NAME, self.roles[at]);
        std::fs::write(pair.path("EXCLUDE"), "[exclude-table]\npublic.t\n").expect("a file");
        let options = self.options.iter().map(|option| match *option {
            "EXCLUDE" => pair.path("EXCLUDE").display().to_string(),
            option => option.to_owned(),
        });
        let finished = pgflit("check")
            .source(&of_role(0))
            .target(&of_role(1))
            .dir(pair.dir())
            .args(options)
            .run();
        self.look_at(&finished);
        run(&databases, self.undo);
        // Dropping it takes longer than everything else here, and it goes with its server. The last
        // session of pgflit or psql may be there for a moment.
        let aside = format!("ALTER DATABASE {NAME} RENAME TO {:?}", self.problem);
        for cluster in clusters {
            let postgres = Database::of(cluster, "postgres");
            eventually(SOON, &aside, || postgres.try_sql(&aside).is_ok());
        }
    }

    fn look_at(&self, finished: &Finished) {
        let lines = lines(finished);
        let (status, place, id, text) = self.line;
        let is_it = |line: &&Line| {
            line.status == status
                && line.place == place
                && line.id == id
                && line.text.contains(text)
        };
        let shown = || format!("{}\n{}{}", self.problem, finished.stdout, finished.stderr);
        assert!(
            lines.iter().any(|line| is_it(&line)),
            "no line of {}",
            shown()
        );
        let others = complaints(&lines).into_iter();
        let others: Vec<_> = others
            // The bench's servers are not safe from power cuts.
            .filter(|other| *other != id && *other != "durability")
            .filter(|other| !self.also.contains(other))
            .collect();
        assert!(others.is_empty(), "{others:?} besides of {}", shown());
        let code = match lines.iter().any(|line| line.status == "FAIL") {
            true => 3,
            false => 0,
        };
        assert_eq!(finished.code(), Some(code), "{}", shown());
    }
}

/// The server's major version.
fn major(database: &Database) -> i64 {
    database.number("SELECT current_setting('server_version_num')::bigint / 10000")
}

/// Runs on each side what there is to run.
fn run(databases: &[Database; 2], scripts: [&str; 2]) {
    for (database, script) in databases.iter().zip(scripts) {
        if !script.is_empty() {
            database.sql(script);
        }
    }
}

/// `pgflit check --follow` between the databases of `pair`.
fn check(pair: &Pair) -> Pgflit {
    pgflit("check").between(pair).follow()
}
