//! Definitions, by pg_dump and pg_restore. Rows never go through them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::base::ident::quote_ident;
use crate::base::shutdown::POLL;
use crate::base::{Remedy, Shutdown, Side};
use crate::catalog::restore_list::{self, Contents, Objects, PG_COLLATION, PG_EXTENSION};
use crate::pg::{self, Address, Session};

use super::programs::Programs;

/// pg_dump or pg_restore failed.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The program ran and failed.
    #[error("{program} failed: {message}")]
    Program {
        /// `pg_dump` or `pg_restore`.
        program: &'static str,
        /// What it printed, each line once.
        message: String,
        /// Which server it was talking to.
        side: Side,
    },
    /// It was asked to stop. Not an error; a way out.
    #[error("asked to stop")]
    Stopped,
    /// The program could not be run, or a file not written.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which program or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What a program prints of a server that could be asked again a moment later. They print no SQLSTATE;
/// a server that speaks another language is taken at its word, as one that has refused for good.
const PASSING: [&str; 10] = [
    "deadlock detected",
    "Connection refused",
    "too many clients",
    "too many connections",
    "server closed the connection",
    "terminating connection",
    "the database system is starting up",
    "the database system is shutting down",
    "could not receive data from server",
    "no connection to the server",
];

impl SchemaError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            SchemaError::Program { message, .. }
                if PASSING.iter().any(|text| message.contains(text)) =>
            {
                Remedy::Retry
            }
            _ => Remedy::AskOperator,
        }
    }
}

/// What of the definitions is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leave {
    /// pg_restore's `--no-owner`, `--no-acl`, `--no-comments`, `--no-tablespaces`, as they are.
    pub options: Vec<String>,
    /// Comments on extensions, which only their owner may write.
    pub extension_comments: bool,
    /// Collations.
    pub collations: bool,
    /// Extensions.
    pub extensions: bool,
}

impl Leave {
    /// Whether this option of pg_restore is among them.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|given| given == option)
    }
}

/// More schemas than this are not named to pg_dump: a command line is limited.
const EXCLUDED_SCHEMAS_MAX: usize = 1000;

/// `source` as pg_dump and pg_dumpall are to connect to it: with options for what they do not set
/// themselves, or only after their first questions. Only where they are needed, because poolers
/// refuse options.
///
/// Where strings are escaped as before 9.1, so would those of the definitions be, which are read
/// with our own settings.
pub async fn for_programs(source: &Address) -> Result<Address, pg::Error> {
    let session = Session::connect(source, "definitions").await?;
    let sql = "SELECT format('-c %s=%s', name, boot_val) FROM pg_settings
                WHERE name IN ('statement_timeout', 'standard_conforming_strings')
                  AND reset_val <> boot_val";
    let mut address = source.clone();
    for row in session.query(sql, &[]).await? {
        address = address.with_option(row.get(0));
    }
    Ok(address)
}

/// Dumps the definitions of the source, as the snapshot `snapshot_id` sees them, to `file`.
///
/// Of `left_out` schemas nothing is dumped, and nothing locked: the role may have no right to.
pub fn dump(
    programs: &Programs,
    source: &Address,
    snapshot_id: &str,
    left_out: &[String],
    file: &Path,
    shutdown: &Shutdown,
) -> Result<(), SchemaError> {
    let mut command = Command::new(&programs.pg_dump);
    command
        .args(["--schema-only", "--format=custom", "--no-subscriptions"])
        // Whatever the database's encoding, a name is the same text for us and for the target.
        .arg("--encoding=UTF8")
        .args(["--exclude-schema=pgflit", "--snapshot", snapshot_id])
        .args(left_out.iter().take(EXCLUDED_SCHEMAS_MAX).map(|schema| {
            // A pattern; what is in double quotes is taken as it is.
            format!("--exclude-schema={}", quote_ident(schema))
        }))
        .arg("--file")
        .arg(file);
    connect_to(&mut command, source);
    // It waits for as long as somebody holds a lock on a table, so it must hear of a stop too.
    let path = &programs.pg_dump;
    let failed = |source| SchemaError::Io {
        doing: "running",
        path: path.clone(),
        source,
    };
    match output_unless_stopped(&mut command, shutdown).map_err(failed)? {
        Some(output) => succeeded(output, "pg_dump", Side::Source).map(drop),
        None => Err(SchemaError::Stopped),
    }
}

/// What pg_dumpall with `arguments` writes of the source. It may hold passwords.
pub fn dump_all(
    programs: &Programs,
    source: &Address,
    arguments: &[String],
    shutdown: &Shutdown,
) -> Result<String, SchemaError> {
    if shutdown.asked() {
        return Err(SchemaError::Stopped);
    }
    let mut command = Command::new(&programs.pg_dumpall);
    command.args(arguments);
    connect_to(&mut command, source);
    let path = &programs.pg_dumpall;
    let output = run(&mut command, "pg_dumpall", path, Side::Source)?;
    String::from_utf8(output.stdout).map_err(|_| SchemaError::Program {
        program: "pg_dumpall",
        message: "what it wrote is not UTF-8".to_owned(),
        side: Side::Source,
    })
}

/// The table of contents of a dump, without what `leave` leaves out.
pub fn contents(programs: &Programs, file: &Path, leave: &Leave) -> Result<Contents, SchemaError> {
    let list = |option: &str| {
        let mut command = Command::new(&programs.pg_restore);
        command.args(["--list", option]).arg(file);
        let output = run(
            &mut command,
            "pg_restore",
            &programs.pg_restore,
            Side::Target,
        )?;
        Ok::<_, SchemaError>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut contents = restore_list::contents(
        &list("--section=pre-data")?,
        &list("--section=post-data")?,
        &list("--verbose")?,
    );
    contents.retain(|entry| !(leave.extension_comments && entry.is_extension_comment()));
    if leave.extensions {
        let extensions = contents
            .all()
            .map(|entry| entry.object)
            .filter(|(catalog, _)| *catalog == PG_EXTENSION)
            .collect();
        contents.leave_out(&extensions, &Objects::new());
    }
    if leave.collations {
        let collations = contents
            .all()
            .map(|entry| entry.object)
            .filter(|(catalog, _)| *catalog == PG_COLLATION)
            .collect();
        contents.leave_out(&collations, &Objects::new());
    }
    Ok(contents)
}

/// The entries of `list`, written to `list_file`, as SQL. To be run in one transaction, so that
/// all of it is on the target afterwards or nothing.
pub fn script(
    programs: &Programs,
    file: &Path,
    list: &str,
    list_file: &Path,
    leave: &Leave,
) -> Result<String, SchemaError> {
    script_with(programs, file, list, list_file, &leave.options)
}

/// What drops the entries of `list`, where they are there, one statement a line at least.
///
/// pg_restore writes the DROP statements of all entries before the first CREATE; its own comments
/// say where an entry begins.
pub fn drop_script(
    programs: &Programs,
    file: &Path,
    list: &str,
    list_file: &Path,
) -> Result<String, SchemaError> {
    let options = ["--clean", "--if-exists"].map(str::to_owned);
    let script = script_with(programs, file, list, list_file, &options)?;
    let drops = script
        .find("\n--\n-- Name: ")
        .map_or(script.as_str(), |at| &script[..at]);
    Ok(drops.to_owned())
}

fn script_with(
    programs: &Programs,
    file: &Path,
    list: &str,
    list_file: &Path,
    options: &[String],
) -> Result<String, SchemaError> {
    fs::write(list_file, list).map_err(|source| SchemaError::Io {
        doing: "writing",
        path: list_file.to_owned(),
        source,
    })?;
    let mut command = Command::new(&programs.pg_restore);
    command
        .args(["--file", "-"])
        .args(options)
        .arg("--use-list")
        .arg(list_file)
        .arg(file);
    let output = run(
        &mut command,
        "pg_restore",
        &programs.pg_restore,
        Side::Target,
    )?;
    let script = String::from_utf8(output.stdout).map_err(|_| SchemaError::Program {
        program: "pg_restore",
        message: "the definitions are not UTF-8".to_owned(),
        side: Side::Target,
    })?;
    Ok(for_server(&script))
}

/// The script without what is meant for psql (`\restrict` and `\unrestrict`, with one token) and
/// without settings that older servers do not know and pgflit has set in any case.
fn for_server(script: &str) -> String {
    let token = script
        .lines()
        .find_map(|line| line.strip_prefix("\\restrict "));
    let is_for_psql = |line: &str| {
        token.is_some_and(|token| {
            line.strip_prefix("\\restrict ") == Some(token)
                || line.strip_prefix("\\unrestrict ") == Some(token)
        })
    };
    let mut kept = String::with_capacity(script.len());
    for line in script.split_inclusive('\n') {
        let bare = line.trim_end();
        if !is_for_psql(bare) && bare != "SET transaction_timeout = 0;" {
            kept.push_str(line);
        }
    }
    kept
}

/// Tells a program where to connect by its environment, where no other user sees the password.
fn connect_to(command: &mut Command, address: &Address) {
    for variable in Address::libpq_variables() {
        command.env_remove(variable);
    }
    command.envs(address.libpq_env());
}

fn run(
    command: &mut Command,
    program: &'static str,
    path: &Path,
    side: Side,
) -> Result<Output, SchemaError> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| SchemaError::Io {
        doing: "running",
        path: path.to_owned(),
        source,
    })?;
    succeeded(output, program, side)
}

/// What `command` prints; none, and the program is ended, when asked to stop meanwhile.
fn output_unless_stopped(command: &mut Command, shutdown: &Shutdown) -> io::Result<Option<Output>> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child?;
    let mut pipe = child.stderr.take();
    thread::scope(|scope| {
        // Beside waiting, so that a program with much to say does not wait for us.
        let reader = scope.spawn(move || {
            let mut stderr = Vec::new();
            if let Some(pipe) = &mut pipe {
                pipe.read_to_end(&mut stderr)?;
            }
            Ok::<_, io::Error>(stderr)
        });
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if shutdown.sleep(POLL) {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
        };
        let stderr = reader.join().unwrap_or_else(|_| Ok(Vec::new()))?;
        Ok(Some(Output {
            status,
            stdout: Vec::new(),
            stderr,
        }))
    })
}

fn succeeded(output: Output, program: &'static str, side: Side) -> Result<Output, SchemaError> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        for line in lines_once(&stderr) {
            tracing::warn!("{program}: {line}");
        }
        return Ok(output);
    }
    Err(SchemaError::Program {
        program,
        message: lines_once(&stderr).join("; "),
        side,
    })
}

/// Each line once, without the program's name before it.
fn lines_once(stderr: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for line in stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let line = line
            .trim_start_matches("pg_restore: ")
            .trim_start_matches("pg_dump: ")
            .trim_start_matches("pg_dumpall: ");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        let remedy = |message: &str| {
            let message = message.to_owned();
            SchemaError::Program {
                program: "pg_dump",
                message,
                side: Side::Source,
            }
            .remedy()
        };
        for message in [
            "error: query failed: ERROR:  deadlock detected; DETAIL:  Process 1 waits",
            "error: connection to server at \"::1\" failed: Connection refused",
            "FATAL:  terminating connection due to administrator command",
        ] {
            assert_eq!(remedy(message), Remedy::Retry, "{message}");
        }
        for message in [
            "error: connection to server at \"::1\" failed: FATAL:  password authentication failed",
            "error: query failed: ERROR:  permission denied for table t",
        ] {
            assert_eq!(remedy(message), Remedy::AskOperator, "{message}");
        }
    }

    #[test]
    fn what_is_meant_for_psql_does_not_reach_the_server() {
        let script = "--\n\\restrict abc\nSET transaction_timeout = 0;\nCREATE FUNCTION f() AS $$\n\\restrict x\n$$;\n\\unrestrict abc\n";
        assert_eq!(
            for_server(script),
            "--\nCREATE FUNCTION f() AS $$\n\\restrict x\n$$;\n"
        );
    }

    #[test]
    fn each_line_of_the_programs_errors_is_said_once() {
        let stderr = "pg_restore: error: could not execute query: ERROR:  role \"x\" does not exist\nCommand was: ALTER\n\npg_restore: error: could not execute query: ERROR:  role \"x\" does not exist\n";
        assert_eq!(
            lines_once(stderr),
            [
                "error: could not execute query: ERROR:  role \"x\" does not exist",
                "Command was: ALTER"
            ]
        );
    }
}
