//! The throw-away clusters that are measured with.

use pgflit::worker::cluster::ClusterOptions;

/// A cluster that does not wait for its disk, and does nothing of its own accord meanwhile.
pub(crate) fn quick(name: &str) -> ClusterOptions {
    ClusterOptions::new(name)
        .setting("fsync", "off")
        .setting("shared_buffers", "1GB")
        .setting("max_wal_size", "8GB")
        .setting("checkpoint_timeout", "1h")
        .setting("autovacuum", "off")
}

/// The program to compare with: `PGCOPYDB` names it.
pub(crate) fn pgcopydb() -> String {
    std::env::var("PGCOPYDB").unwrap_or_else(|_| "pgcopydb".to_owned())
}

/// Its version, if it is here.
pub(crate) fn pgcopydb_version() -> Option<String> {
    let output = std::process::Command::new(pgcopydb())
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines();
    let version = lines.find_map(|line| line.strip_prefix("pgcopydb version "));
    Some(version.unwrap_or("unknown").to_owned())
}
