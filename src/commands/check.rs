//! `pgflit check`: everything that stands against a migration, before it begins.

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use super::{CommandError, choices, place, runtime};
use crate::base::Side;
use crate::base::cause::chain;
use crate::cli::ExitCode;
use crate::cli::invocation::{LogSettings, OutputSettings, Verbosity};
use crate::cli::options::{CdcSettings, CheckOptions, Fixes, ProgressTracking};
use crate::migration::check::{self, Config, Effect, Finding, Fix, Following, Report, Verdict};
use crate::report::check::{Look, json, text};
use crate::report::progress::printable;
use crate::report::{errors, stdout, terminal};

/// So many statements of a fix are shown before it is asked for.
const STATEMENTS_SHOWN: usize = 3;

/// Nobody is there who could be asked.
#[derive(Debug, thiserror::Error)]
#[error("--fix asks before it changes anything, and nobody is at a terminal")]
struct NobodyToAsk;

/// Looks, mends what is asked for, looks again, and says what it has found.
pub(super) fn run(
    options: &CheckOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    if options.fixes == Fixes::Ask && !io::stdin().is_terminal() {
        return Err(CommandError::usage(NobodyToAsk).with_hint("add --yes to have it done"));
    }
    let config = config(options)?;
    let shown = Shown {
        json: output.json,
        look: Look {
            page: stdout::page(),
            colored: output.color.on(io::stdout().is_terminal()),
            quiet: logging.verbosity == Verbosity::Quiet,
        },
    };
    let mut report = look(&config)?;
    let mut fixed = Vec::new();
    if options.fixes != Fixes::None {
        let is_fixable = report.findings.iter().any(|one| one.fix.is_some());
        if is_fixable && !output.json {
            shown.print(&report, &[])?;
        }
        fixed = mend(&report.findings, options.fixes, &config)?;
        if is_fixable && fixed.is_empty() && !output.json {
            return Ok(end(report));
        }
        if !fixed.is_empty() {
            tracing::info!("checking again");
            report = look(&config)?;
        }
    }
    shown.print(&report, &fixed)?;
    Ok(end(report))
}

fn look(config: &Config) -> Result<Report, CommandError> {
    Ok(runtime::block_on(check::look(config))??)
}

fn config(options: &CheckOptions) -> Result<Config, CommandError> {
    let cdc = &options.cdc;
    Ok(Config {
        source: place::address(Side::Source, options.source.as_deref())?,
        target: place::address(Side::Target, options.target.as_deref())?,
        work_dir: place::work_dir(&options.work_dir),
        filters: place::filters(options.filters.as_deref())?,
        copy: choices::of(&options.copy, Duration::ZERO)?,
        follow: following(cdc, cdc.change_source && options.fixes == Fixes::None),
        skip: skipped(&options.skip_checks)?,
    })
}

/// How changes are captured, as the checks see it.
pub(super) fn following(cdc: &CdcSettings, gives_identities: bool) -> Option<Following> {
    cdc.follow.then(|| Following {
        slot: cdc.slot_name.clone(),
        plugin: cdc.plugin.name(),
        publication: cdc.own_publication(),
        gives_identities,
        origin: cdc.origin.clone(),
        origin_is_demanded: cdc.progress_tracking == ProgressTracking::Origin,
        endpos: cdc.endpos,
        disk_limit: cdc.disk_limit,
    })
}

/// A check that there is none of.
#[derive(Debug, thiserror::Error)]
#[error("--skip-check \"{0}\": there is no such check")]
struct NoSuchCheck(String);

/// The checks that are only to warn.
pub(super) fn skipped(typed: &[String]) -> Result<Vec<String>, CommandError> {
    match typed.iter().find(|id| !check::IDS.contains(&id.as_str())) {
        None => Ok(typed.to_vec()),
        Some(unknown) => Err(CommandError::usage(NoSuchCheck(unknown.clone()))
            .with_hint(format!("they are: {}", check::IDS.join(", ")))),
    }
}

/// How it is shown.
struct Shown {
    json: bool,
    look: Look,
}

impl Shown {
    fn print(&self, report: &Report, fixed: &[&'static str]) -> Result<(), CommandError> {
        let text = match self.json {
            true => json(&report.findings, report.failures.is_empty(), fixed)
                .map_err(|error| CommandError::stdout(error.into()))?,
            false => text(&report.findings, self.look),
        };
        stdout::write(text.as_bytes()).map_err(CommandError::stdout)
    }
}

/// Says which servers could not be looked at, and how the process ends.
fn end(report: Report) -> ExitCode {
    let mut code = None;
    for failure in report.failures {
        let error = CommandError::from(failure);
        errors::print(error.source.as_ref(), error.hint.as_deref());
        code = code.or(Some(error.code));
    }
    let has_failed = |one: &Finding| one.verdict == Verdict::Fail;
    match code {
        Some(code) => code,
        None if report.findings.iter().any(has_failed) => ExitCode::CheckFailed,
        None => ExitCode::Done,
    }
}

/// Mends what is fixable and wanted; the checks that it was for.
fn mend(
    findings: &[Finding],
    fixes: Fixes,
    config: &Config,
) -> Result<Vec<&'static str>, CommandError> {
    let mut fixed = Vec::new();
    for finding in findings {
        let Some(fix) = &finding.fix else {
            continue;
        };
        let is_wanted = match fixes {
            Fixes::None => false,
            Fixes::Ask => ask(finding, fix),
            Fixes::WithoutAsking => true,
        };
        if !is_wanted {
            continue;
        }
        let address = match fix.side {
            Side::Source => &config.source,
            Side::Target => &config.target,
        };
        match runtime::block_on(check::carry_out(fix, address))? {
            Ok(()) => {
                tracing::info!("{} on the {}: {}", finding.id, fix.side, statements(fix));
                if fix.effect == Effect::Restart {
                    tracing::warn!(
                        "{} takes effect when the {} is restarted",
                        finding.id,
                        fix.side
                    );
                }
                fixed.push(finding.id);
            }
            // The others may be mended all the same, and the checks say what is left.
            Err(error) => tracing::warn!("{} is not mended: {}", finding.id, chain(&error)),
        }
    }
    Ok(fixed)
}

fn statements(fix: &Fix) -> String {
    let shown = fix.statements.iter().take(STATEMENTS_SHOWN);
    let shown: Vec<_> = shown.map(|sql| printable(sql)).collect();
    let text = shown.join("; ");
    match fix.statements.len().saturating_sub(STATEMENTS_SHOWN) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

/// Asks on the terminal; anything but yes is no.
fn ask(finding: &Finding, fix: &Fix) -> bool {
    let after = match fix.effect {
        Effect::Now | Effect::Reload => "",
        Effect::Restart => " (and restart it yourself afterwards)",
    };
    let question = format!(
        "{}: run on the {}: {}{after}? [y/N] ",
        finding.id,
        fix.side,
        statements(fix)
    );
    terminal::write(question.as_bytes());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
