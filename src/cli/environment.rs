//! The environment variables that stand for options.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The environment of one process, taken once so that parsing is a function of its inputs.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

/// One option and the variable that stands for it, without the `PGFLIT_` in front.
pub struct Variable {
    /// The long option, without dashes.
    pub option: &'static str,
    /// The part after `PGFLIT_` or `PGCOPYDB_`.
    pub name: &'static str,
}

/// The prefixes, the stronger first: pgcopydb's variables count where ours are not set.
pub const PREFIXES: [&str; 2] = ["PGFLIT_", "PGCOPYDB_"];

/// Every option that a variable may stand for.
pub const VARIABLES: [Variable; 27] = [
    variable("source", "SOURCE_PGURI"),
    variable("target", "TARGET_PGURI"),
    variable("table-jobs", "TABLE_JOBS"),
    variable("index-jobs", "INDEX_JOBS"),
    variable("restore-jobs", "RESTORE_JOBS"),
    variable("large-objects-jobs", "LARGE_OBJECTS_JOBS"),
    variable("split-tables-larger-than", "SPLIT_TABLES_LARGER_THAN"),
    variable("split-max-parts", "SPLIT_MAX_PARTS"),
    variable("estimate-table-sizes", "ESTIMATE_TABLE_SIZES"),
    variable("drop-if-exists", "DROP_IF_EXISTS"),
    variable("fail-fast", "FAIL_FAST"),
    variable("skip-vacuum", "SKIP_VACUUM"),
    variable("skip-analyze", "SKIP_ANALYZE"),
    variable("skip-db-properties", "SKIP_DB_PROPERTIES"),
    variable("skip-split-by-ctid", "SKIP_CTID_SPLIT"),
    variable("no-tablespaces", "SKIP_TABLESPACES"),
    variable("use-copy-binary", "USE_COPY_BINARY"),
    variable("snapshot", "SNAPSHOT"),
    variable("plugin", "OUTPUT_PLUGIN"),
    variable("wal2json-numeric-as-string", "WAL2JSON_NUMERIC_AS_STRING"),
    variable("replay-no-op-updates", "REPLAY_NO_OP_UPDATES"),
    variable("notify", "NOTIFY"),
    variable("notify-command", "NOTIFY_COMMAND"),
    variable("notify-lag", "NOTIFY_LAG"),
    variable("log-json", "LOG_JSON"),
    variable("log-file", "LOG_FILENAME"),
    variable("log-time-format", "LOG_TIME_FORMAT"),
];

const fn variable(option: &'static str, name: &'static str) -> Variable {
    Variable { option, name }
}

impl Variable {
    /// The variable for `option`, if it has one.
    pub fn of_option(option: &str) -> Option<&'static Variable> {
        VARIABLES.iter().find(|variable| variable.option == option)
    }
}

impl Environment {
    /// The environment that this process was started with.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of `name`, unless it is unset or empty: `X= pgflit …` means "without X".
    pub fn get(&self, name: &str) -> Option<&OsString> {
        let value = self.variables.get(&OsString::from(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// The path in the variable `name`.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// The full name and the value of the variable that stands for `option`.
    pub fn for_option(&self, option: &str) -> Option<(String, &OsString)> {
        let variable = Variable::of_option(option)?;
        PREFIXES.iter().find_map(|prefix| {
            let name = format!("{prefix}{}", variable.name);
            let value = self.get(&name)?;
            Some((name, value))
        })
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Environment {
            variables: variables
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}
