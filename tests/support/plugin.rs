//! The output plugins that changes can be captured with.

use super::{Database, Pair, SOON, eventually};

/// Every server has the first two.
pub(crate) const PLUGINS: [&str; 3] = ["pgoutput", "test_decoding", "wal2json"];

/// Runs `scenario` between a pair of its own with each of `plugins` that the source has.
pub(crate) fn with_each(plugins: &[&str], scenario: impl Fn(&Pair, &str)) {
    for plugin in plugins {
        let pair = Pair::new();
        if allow_plugin(&pair.source, plugin) {
            println!("--- {plugin}");
            scenario(&pair, plugin);
        }
    }
}

/// Lets changes of `source` be captured with `plugin`. False if its server lacks the plugin, which
/// is said; the server that tests run with by default never may.
#[track_caller]
pub(crate) fn allow_plugin(source: &Database, plugin: &str) -> bool {
    if plugin != "wal2json" {
        return true;
    }
    if let Err(message) = source.try_sql("LOAD 'wal2json'") {
        let version = source.sql("SHOW server_version");
        assert!(
            !version.starts_with("15.") && message.contains("could not access file"),
            "PostgreSQL {version} has no wal2json; run .ci/setup test: {message}"
        );
        eprintln!("skipped: PostgreSQL {version} has no wal2json");
        return false;
    }
    let setting = "SELECT coalesce(current_setting('output_plugin_libraries', true), '')";
    if !source.sql(setting).is_empty() {
        source.sql("ALTER SYSTEM SET output_plugin_libraries = pgoutput, test_decoding, wal2json");
        source.sql("SELECT pg_reload_conf()");
        eventually(SOON, "the source lets wal2json be used", || {
            source.sql(setting).contains("wal2json")
        });
    }
    true
}
