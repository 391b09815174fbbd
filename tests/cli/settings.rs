//! Where values come from: option, environment, configuration file, default.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use pgflit::base::Lsn;
use pgflit::base::quantity::ByteSize;
use pgflit::cli::invocation::ColorChoice;
use pgflit::cli::options::{
    ApplyTo, CloneOptions, FileOrPipe, NewEndpos, Plugin, ProxyCommand, SentinelCommand,
    SentinelField, StartMode, StreamCommand,
};
use pgflit::cli::{self, Command, Environment, Invocation, Parsed};

/// What `line` means in an environment of `variables`, or the text of the error.
fn parse(line: &str, variables: &[(&str, &str)]) -> Result<Invocation, String> {
    let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    let environment = Environment::from_iter(variables.iter().copied());
    match cli::parse(&arguments, &environment) {
        Ok(Parsed::Run(invocation)) => Ok(*invocation),
        Ok(Parsed::Show(text)) => Err(text),
        Err(error) => Err(error.to_string()),
    }
}

fn clone(line: &str, variables: &[(&str, &str)]) -> CloneOptions {
    match parse(line, variables).map(|invocation| invocation.command) {
        Ok(Command::Clone(options)) => options,
        Ok(_) => panic!("{line} is not a clone"),
        Err(error) => panic!("{error}"),
    }
}

fn refusal(line: &str, variables: &[(&str, &str)]) -> String {
    match parse(line, variables) {
        Ok(_) => panic!("{line} was accepted"),
        Err(error) => error,
    }
}

fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

fn config_file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("pgflit.toml");
    std::fs::write(&path, text).expect("configuration file");
    path
}

#[test]
fn without_anything_the_defaults_hold() {
    let options = clone("pgflit clone", &[("HOME", "/home/ann")]);
    assert_eq!(options.copy.table_jobs, jobs(4));
    assert_eq!(options.copy.restore_jobs, jobs(4));
    assert_eq!(options.cdc.slot_name, "pgflit");
    assert_eq!(options.cdc.plugin, Plugin::Pgoutput);
    assert_eq!(options.start, StartMode::Fresh);
    assert_eq!(options.work_dir.dir, Path::new("/tmp/pgflit"));
    assert_eq!(
        options.work_dir.cdc_dir(),
        Path::new("/home/ann/.local/share/pgflit")
    );
}

#[test]
fn an_option_beats_the_environment_which_beats_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = config_file(
        &folder,
        "table-jobs = 2\nindex-jobs = 2\nsplit-tables-larger-than = \"1 GB\"\nroles = true\n\
         copy-from = [\"host=a\", \"host=b\"]\n[proxy]\nlisten = \"x\"\n",
    );
    let line = format!("pgflit clone --config {} --table-jobs 8", path.display());
    let options = clone(
        &line,
        &[("PGFLIT_TABLE_JOBS", "5"), ("PGCOPYDB_INDEX_JOBS", "5")],
    );
    assert_eq!(options.copy.table_jobs, jobs(8));
    assert_eq!(options.copy.index_jobs, jobs(5));
    assert_eq!(options.copy.restore_jobs, jobs(5), "as many as index jobs");
    assert_eq!(options.copy.split.larger_than, Some(ByteSize(1 << 30)));
    assert!(options.copy.roles);
    assert_eq!(options.copy.copy_from, ["host=a", "host=b"]);
}

#[test]
fn a_bad_value_names_the_place_it_came_from() {
    for (name, value, form) in [
        ("PGFLIT_FAIL_FAST", "maybe", "boolean"),
        ("PGCOPYDB_SKIP_VACUUM", "o", "boolean"),
        ("PGFLIT_TABLE_JOBS", "many", "invalid digit"),
        ("PGFLIT_SPLIT_TABLES_LARGER_THAN", "big", "100 MB or 2GB"),
        ("PGCOPYDB_OUTPUT_PLUGIN", "decoderbufs", "wal2json"),
        ("PGFLIT_LOG_JSON", "2", "boolean"),
    ] {
        let error = refusal("pgflit clone", &[(name, value)]);
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
        assert!(error.contains(form), "{error}");
    }
}

#[test]
fn a_configuration_file_is_held_to_the_options_there_are() {
    let folder = tempfile::tempdir().expect("folder");
    for (text, complaint) in [
        (
            "roles = true\ntabel-jobs = 2",
            "pgflit.toml line 2: \"tabel-jobs\" cannot be set here; did you mean \"table-jobs\"?",
        ),
        ("dry-run = true", "\"dry-run\" cannot be set here"),
        ("table-jobs = [1, 2]", "table-jobs in "),
        ("no-proxy = true", "\"no-proxy\" cannot be set here"),
        ("fail-fast = \"perhaps\"", "fail-fast in "),
        (
            "roles = true\nrestart = true\nresume = true",
            "exclude each other",
        ),
        ("roles = true\nsource = \"password=s3cret", "line 2"),
    ] {
        let path = config_file(&folder, text);
        let error = refusal(&format!("pgflit clone --config {}", path.display()), &[]);
        assert!(error.contains(complaint), "{text}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let error = refusal("pgflit clone --config /nonexistent/pgflit.toml", &[]);
    assert!(error.contains("/nonexistent/pgflit.toml"), "{error}");
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let options = clone(
        "pgflit clone",
        &[("PGFLIT_SNAPSHOT", ""), ("PGCOPYDB_SNAPSHOT", "00000003-1")],
    );
    assert_eq!(options.snapshot.as_deref(), Some("00000003-1"));
}

#[test]
fn under_the_name_of_pgcopydb_slot_and_origin_have_its_name() {
    let options = clone("/usr/local/bin/pgcopydb clone --follow", &[]);
    assert_eq!(options.cdc.slot_name, "pgcopydb");
    assert_eq!(options.cdc.origin, "pgcopydb");
    let options = clone("pgcopydb clone --slot-name mine", &[]);
    assert_eq!(options.cdc.slot_name, "mine");
}

#[test]
fn flags_that_describe_one_thing_become_one_value() {
    for (line, start) in [
        (
            "pgflit clone --resume",
            StartMode::Resume {
                not_consistent: false,
            },
        ),
        (
            "pgflit clone -R -C",
            StartMode::Resume {
                not_consistent: true,
            },
        ),
        ("pgflit clone --restart", StartMode::Restart),
        ("pgflit clone --not-consistent", StartMode::Fresh),
    ] {
        assert_eq!(clone(line, &[]).start, start, "{line}");
    }
}

#[test]
fn the_work_directory_holds_the_changes_only_if_it_was_given() {
    let variables = [
        ("TMPDIR", "/scratch"),
        ("XDG_DATA_HOME", "/data"),
        ("HOME", "/home/ann"),
    ];
    let options = clone("pgflit clone", &variables);
    assert_eq!(options.work_dir.dir, Path::new("/scratch/pgflit"));
    assert_eq!(options.work_dir.cdc_dir(), Path::new("/data/pgflit"));
    let options = clone("pgflit clone -D /d", &variables);
    assert!(options.work_dir.dir_given);
    assert_eq!(options.work_dir.cdc_dir(), Path::new("/d/cdc"));
}

#[test]
fn sentinel_commands_mean_one_thing_each() {
    let command = |line: &str| match parse(line, &[]).map(|invocation| invocation.command) {
        Ok(Command::Sentinel(command)) => command,
        _ => panic!("{line} is not a sentinel command"),
    };
    let set = |line: &str| match command(line) {
        SentinelCommand::SetEndpos { endpos, .. } => endpos,
        _ => panic!("{line} sets no endpos"),
    };
    assert_eq!(
        set("pgflit sentinel set endpos --current"),
        NewEndpos::Current
    );
    assert_eq!(
        set("pgflit stream sentinel set endpos 0/10"),
        NewEndpos::At(Lsn::new(16))
    );
    for (option, chosen) in [
        ("", None),
        (" --apply", Some(SentinelField::Apply)),
        (" --write-lsn", Some(SentinelField::WriteLsn)),
    ] {
        let line = format!("pgflit sentinel get{option}");
        let SentinelCommand::Get { field, .. } = command(&line) else {
            panic!("{line} gets nothing");
        };
        assert_eq!(field, chosen, "{line}");
    }
}

#[test]
fn a_dash_is_a_pipe() {
    let stream = |line: &str| match parse(line, &[]).map(|invocation| invocation.command) {
        Ok(Command::Stream(command)) => command,
        _ => panic!("{line} is not a streaming step"),
    };
    let StreamCommand::Transform(transform) = stream("pgflit stream transform - out.sql") else {
        panic!("not a transform");
    };
    assert_eq!(transform.json, Some(FileOrPipe::Pipe));
    assert_eq!(transform.sql, Some(FileOrPipe::File("out.sql".into())));
    let StreamCommand::Apply(apply) = stream("pgflit stream apply --target - -") else {
        panic!("not an apply");
    };
    assert_eq!((apply.to, apply.follow.target), (ApplyTo::Stdout, None));
}

#[test]
fn options_of_the_proxy_stand_on_either_side_of_its_command() {
    for line in ["pgflit proxy --dir /d pause", "pgflit proxy pause --dir /d"] {
        let Ok(Command::Proxy(ProxyCommand::Pause { control, .. })) =
            parse(line, &[]).map(|invocation| invocation.command)
        else {
            panic!("{line} pauses no proxy");
        };
        assert_eq!(control.work_dir.dir, Path::new("/d"), "{line}");
    }
}

#[test]
fn how_results_are_shown_may_be_said_anywhere() {
    for line in [
        "pgflit --json --color never sentinel get",
        "pgflit sentinel get --json --color never",
        "pgflit stream sentinel get -J --color=never",
    ] {
        let invocation = parse(line, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(invocation.output.json, "{line}");
        assert_eq!(invocation.output.color, ColorChoice::Never, "{line}");
    }
    let invocation = parse("pgflit ping", &[("NO_COLOR", "1")]);
    let invocation = invocation.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(invocation.output.color, ColorChoice::Never);
}
