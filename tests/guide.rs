//! The guide, typed as it is written: its commands run, and print what its pages quote.
//!
//! A page's blocks become one script of bash, in which only addresses, folders and sizes are others:
//! each test has the table of them, and a text that is on the page no more fails it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};
use pgflit::worker::cluster::Programs;

use crate::cutover::stage::Stage;
use crate::support::Pair;

/// The longest that a page may take, in seconds.
const LIMIT: &str = "150";

/// What runs before the commands of a page: what fails ends it, and nothing outlives it.
const BEFORE: &str = "set -eux -o pipefail
trap 'trap - EXIT; kill $(jobs -p) || true; pg_ctl -D old stop -m immediate || true; \
      pg_ctl -D new stop -m immediate || true' EXIT
";

#[test]
fn the_quick_start_works_as_it_is_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("try");
    let place = place.to_str().expect("text");
    let servers = Programs::find(None).expect("a server");
    // All are taken at once, so that they are three.
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let ports = listeners.map(|taken| taken.local_addr().expect("its address").port().to_string());
    let page = page("quick-start.md");
    // Installing is for the machine that this runs on.
    let (_, page) = page.split_once("\n## Two clusters").expect("the chapter");
    let script = replaced(
        &blocks(page, "sh").concat(),
        &[
            ("/tmp/try", place),
            (
                "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)",
                servers.folder().to_str().expect("text"),
            ),
            ("5501", &ports[0]),
            ("5502", &ports[1]),
            ("6432", &ports[2]),
            // On a machine that does nothing else this is a matter of minutes.
            ("initdb -D", "initdb --no-sync -D"),
            ("-i -s 10 ", "-i -s 1 "),
            ("-c 4 -T 60 ", "-c 4 -T 15 "),
        ],
    );
    let printed = run(folder.path(), &script, true);
    for words in [
        "exit code 0",
        " 1000\n",
        "rehearsed: clients waited",
        "traffic goes to the target; clients waited",
        "traffic goes to the source; clients waited",
        "the stream back has ended",
        "number of failed transactions: 0",
    ] {
        assert!(printed.contains(words), "{words:?} is not in:\n{printed}");
    }
}

#[test]
fn the_online_migration_works_as_it_is_typed() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t AS SELECT 1 AS id");
    pair.source.sql("ALTER TABLE t ADD PRIMARY KEY (id)");
    let page = page("online-migration.md");
    let chapter = |name: &str| {
        let (_, rest) = page.split_once(&format!("\n## {name}\n")).expect(name);
        rest.split("\n## ").next().expect("the first").to_owned()
    };
    let before = blocks(&chapter("Before"), "sh").concat();
    // The first of its blocks; the others are other ways to do the same.
    let copy = blocks(&chapter("Copy and follow"), "sh").swap_remove(0);
    let watch = blocks(&chapter("Watch"), "sh").concat();
    let end = blocks(&chapter("End"), "sh");
    let [set_end, clean] = &end[..] else {
        panic!("two blocks end it: {end:?}");
    };
    let script = format!(
        "{before}{copy}{watch}psql \"$PGFLIT_SOURCE_PGURI\" -c 'INSERT INTO t VALUES (2)'\n{set_end}wait $!\n{clean}"
    );
    let work = pair.path("lib");
    let work = work.to_str().expect("text");
    let script = replaced(
        &script,
        &[
            (
                "postgresql://migrator@old.example.com/app",
                pair.source.uri(),
            ),
            (
                "postgresql://migrator@new.example.com/app",
                pair.target.uri(),
            ),
            ("/var/lib/pgflit", work),
            ("sudo ", ""),
            // Each has a terminal of its own there.
            (
                "pgflit clone --follow --dir $DIR\n",
                "pgflit clone --follow --dir $DIR 2>follow.log &\n\
                 until grep 'live replay' follow.log; do kill -0 $!; sleep 0.1; done\n",
            ),
        ],
    );
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &script, false);
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 2);
}

#[test]
fn what_the_pages_quote_is_what_is_printed() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let dir = stage.pair.dir();
    let dir = dir.to_str().expect("text");
    for (name, command, words) in [
        (
            "online-migration.md",
            "$ pgflit sentinel get",
            "sentinel get",
        ),
        ("cutover.md", "$ pgflit cutover", "cutover --yes"),
    ] {
        let quoted = blocks(&page(name), "console");
        let mut quoted = quoted.iter().filter(|block| block.starts_with(command));
        let quoted = quoted.next().expect("the page quotes it");
        let is_printed = |line: &&str| !line.starts_with("$ ") && !line.contains("[y/N]");
        let quoted: Vec<_> = quoted.lines().filter(is_printed).map(shape).collect();
        let command = match words {
            "sentinel get" => crate::support::pgflit(words).dir(dir),
            _ => stage.command(words),
        };
        let printed = command.run().assert_code(0).stdout;
        let printed = printed.replace(dir, "/var/lib/pgflit/app");
        let printed: Vec<_> = printed.lines().map(shape).collect();
        assert_eq!(printed, quoted, "{name}");
    }
}

/// A line without what differs each time: words with digits, and how wide columns are.
fn shape(line: &str) -> String {
    let words = line.split_whitespace();
    let words = words.map(|word| match word.contains(|c: char| c.is_ascii_digit()) {
        true => "#",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    fs::read_to_string(docs.join(name)).expect("the page")
}

/// The blocks of a page that are of `language`, in their order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let after = page.split(&opening).skip(1);
    let block = |text: &str| text.split("```").next().unwrap_or_default().to_owned();
    after.map(block).collect()
}

/// `script` with the second of each pair where the first was, which must be there.
fn replaced(script: &str, table: &[(&str, &str)]) -> String {
    let mut script = script.to_owned();
    for (written, here) in table {
        assert!(script.contains(written), "no {written:?} in:\n{script}");
        script = script.replace(written, here);
    }
    script
}

/// Runs `script` in `folder`, as somebody who may run a server if `with_servers`; gives all it printed.
fn run(folder: &Path, script: &str, with_servers: bool) -> String {
    // Not every account may go where the program was built.
    let programs = folder.join("bin");
    fs::create_dir(&programs).expect("a folder");
    fs::copy(env!("CARGO_BIN_EXE_pgflit"), programs.join("pgflit")).expect("a copy");
    let postgres = Programs::find(None).expect("a server");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!(
        "{}:{}:{path}",
        programs.display(),
        postgres.folder().display()
    );
    fs::write(programs.join("typed"), format!("{BEFORE}{script}")).expect("the script");
    let printed = folder.join("printed");
    let output = fs::File::create(&printed).expect("a file");
    let mut command = Command::new("timeout");
    command
        .args(["-k", "5", LIMIT, "bash"])
        .arg(programs.join("typed"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("the file"))
        .stderr(output)
        .env("HOME", folder)
        .env("PATH", path);
    for (variable, _) in std::env::vars_os() {
        if variable.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(variable);
        }
    }
    if with_servers && geteuid().is_root() {
        let accounts = ["postgres", "nobody"];
        let account = accounts.map(|name| User::from_name(name).ok().flatten());
        let account = account.into_iter().flatten().next().expect("an account");
        let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
        chown(folder, Some(uid), Some(gid)).expect("given to it");
        command.uid(uid).gid(gid);
    }
    let status = command.status().expect("bash");
    let printed = fs::read(&printed).expect("what it printed");
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(status.success(), "{status}:\n{printed}");
    printed
}
