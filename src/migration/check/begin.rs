//! What a migration that begins does not begin with.

use crate::base::Side;
use crate::migration::error::MigrationError;

use super::finding::{Finding, Place, Verdict};
use super::look::{Config, look};

/// What a migration that begins sees to by itself: its work directory, and tables without a replica
/// identity, which it tells of, or gives one.
const OWN: [&str; 2] = ["identities", "work-dir"];

/// So many warnings are named in a line of the log.
const NAMED_MAX: usize = 8;

/// Looks at everything that stands against the migration, and says how many warnings there are.
///
/// # Errors
/// The first thing that it would fail for; or the servers cannot be looked at.
pub(in crate::migration) async fn refuse(config: &Config) -> Result<(), MigrationError> {
    let report = look(config).await?;
    if let Some(failure) = report.failures.into_iter().next() {
        return Err(failure);
    }
    let count = |verdict| of(&report.findings, verdict).count();
    let (failed, warned) = (count(Verdict::Fail), count(Verdict::Warn));
    if let Some(first) = of(&report.findings, Verdict::Fail).next() {
        return Err(refused(first, failed));
    }
    match warned {
        0 => tracing::info!("both servers are checked: nothing stands against it"),
        count => tracing::info!(
            "both servers are checked: {} ({}), see pgflit check with the same options",
            match count {
                1 => "1 warning".to_owned(),
                count => format!("{count} warnings"),
            },
            names(&report.findings)
        ),
    }
    Ok(())
}

fn of(findings: &[Finding], verdict: Verdict) -> impl Iterator<Item = &Finding> {
    let judged = findings.iter().filter(move |one| one.verdict == verdict);
    judged.filter(|one| !OWN.contains(&one.id))
}

/// The checks that warn, each once.
fn names(findings: &[Finding]) -> String {
    let mut names: Vec<&str> = of(findings, Verdict::Warn).map(|one| one.id).collect();
    names.dedup();
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn refused(first: &Finding, failed: usize) -> MigrationError {
    let side = match first.place {
        Place::Source => Some(Side::Source),
        Place::Target => Some(Side::Target),
        Place::Both | Place::Here => None,
    };
    let others = match failed {
        1 => String::new(),
        _ => format!("; pgflit check tells of {failed} such things in all"),
    };
    MigrationError::Refused {
        side,
        problem: format!("the check {} fails: {}", first.id, first.text),
        hint: format!(
            "{}; or, if you know better, say --skip-check {}{others}",
            first.hint.as_deref().unwrap_or("mend that"),
            first.id
        ),
    }
}
