//! What `pgflit check` has found: a line each with a hint below it, and the count at the end.

use console::measure_text_width;
use serde::Serialize;

use super::progress::printable;
use super::summary::Page;
use super::terminal::knows_unicode;
use crate::migration::check::{Effect, Finding, Verdict};

/// A terminal with fewer columns has each line's head above its text.
const COLUMNS_MIN: usize = 72;

/// Fewer columns than this are not filled more than they are.
const WRAP_MIN: usize = 20;

/// So many statements of a fix are told to programs; the rest is counted.
const STATEMENTS_MAX: usize = 100;

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Where it is printed.
    pub page: Page,
    /// Whether in colours.
    pub colored: bool,
    /// Whether what has passed is left out.
    pub quiet: bool,
}

/// All findings as text.
pub fn text(findings: &[Finding], look: Look) -> String {
    let shown = findings
        .iter()
        .filter(|one| !look.quiet || one.verdict != Verdict::Pass);
    let shown: Vec<_> = shown.collect();
    let widest = |width: fn(&Finding) -> usize| {
        let widths = shown.iter().map(|one| width(one));
        widths.max().unwrap_or_default()
    };
    let columns = Columns {
        place: widest(|one| one.place.as_str().len()),
        id: widest(|one| one.id.len()),
    };
    let mut text: String = shown.iter().map(|one| line(one, columns, look)).collect();
    text.push_str(&conclusion(findings));
    match look.page {
        Page::Terminal(_) if !knows_unicode() => text.replace('…', "..."),
        _ => text,
    }
}

#[derive(Debug, Clone, Copy)]
struct Columns {
    place: usize,
    id: usize,
}

fn line(finding: &Finding, columns: Columns, look: Look) -> String {
    let word = match finding.verdict {
        Verdict::Pass => "PASS",
        Verdict::Warn => "WARN",
        Verdict::Fail => "FAIL",
    };
    let word = match look.colored {
        true => format!("\u{1b}[{}m{word}\u{1b}[0m", color(finding.verdict)),
        false => word.to_owned(),
    };
    let place = finding.place.as_str();
    let (head, indent, width) = match look.page {
        Page::Terminal(width) if width < COLUMNS_MIN => {
            (format!("{word} {place} {}\n  ", finding.id), 2, width)
        }
        page => {
            let head = format!(
                "{word}  {place:<0$}  {id:<1$}  ",
                columns.place,
                columns.id,
                id = finding.id
            );
            let indent = "PASS".len() + columns.place + columns.id + 6;
            let width = match page {
                Page::Terminal(width) => width,
                Page::Endless => usize::MAX,
            };
            (head, indent, width)
        }
    };
    let mut text = head;
    let room = width.saturating_sub(indent).max(WRAP_MIN);
    let below = format!("\n{}", " ".repeat(indent));
    text.push_str(&wrapped(&printable(&finding.text), room).join(&below));
    if let Some(hint) = &finding.hint {
        let hint = format!("hint: {}", printable(hint));
        text.push_str(&below);
        text.push_str(&wrapped(&hint, room).join(&below));
    }
    text.push('\n');
    text
}

const fn color(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 32,
        Verdict::Warn => 33,
        Verdict::Fail => 31,
    }
}

/// `text` in lines of at most `width`, cut between words; a longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn count(findings: &[Finding], verdict: Verdict) -> usize {
    findings.iter().filter(|one| one.verdict == verdict).count()
}

fn conclusion(findings: &[Finding]) -> String {
    let of = |verdict| count(findings, verdict);
    let warnings = match of(Verdict::Warn) {
        1 => "1 warning".to_owned(),
        count => format!("{count} warnings"),
    };
    format!(
        "{} passed, {warnings}, {} failed\n",
        of(Verdict::Pass),
        of(Verdict::Fail)
    )
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    checks: Vec<One<'a>>,
    passed: usize,
    warned: usize,
    failed: usize,
    /// Whether both servers could be looked at to the end.
    complete: bool,
    /// The checks that were mended before.
    fixed: &'a [&'static str],
}

#[derive(Debug, Serialize)]
struct One<'a> {
    id: &'static str,
    place: &'static str,
    status: Verdict,
    message: &'a str,
    hint: Option<&'a str>,
    seen: bool,
    fix: Option<Mending<'a>>,
}

#[derive(Debug, Serialize)]
struct Mending<'a> {
    side: &'static str,
    sql: &'a [String],
    /// Statements that are not told.
    more: usize,
    takes_effect: Effect,
}

/// All findings for a program, in one line.
///
/// # Errors
/// None that can be provoked: everything is text and numbers.
pub fn json(
    findings: &[Finding],
    is_complete: bool,
    fixed: &[&'static str],
) -> Result<String, serde_json::Error> {
    let one = |finding| one(finding);
    let whole = Whole {
        checks: findings.iter().map(one).collect(),
        passed: count(findings, Verdict::Pass),
        warned: count(findings, Verdict::Warn),
        failed: count(findings, Verdict::Fail),
        complete: is_complete,
        fixed,
    };
    Ok(serde_json::to_string(&whole)? + "\n")
}

fn one(finding: &Finding) -> One<'_> {
    let mending = finding.fix.as_ref().map(|fix| {
        let told = fix.statements.len().min(STATEMENTS_MAX);
        Mending {
            side: fix.side.as_str(),
            sql: &fix.statements[..told],
            more: fix.statements.len() - told,
            takes_effect: fix.effect,
        }
    });
    One {
        id: finding.id,
        place: finding.place.as_str(),
        status: finding.verdict,
        message: &finding.text,
        hint: finding.hint.as_deref(),
        seen: finding.seen,
        fix: mending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::check::Place;

    fn finding(verdict: Verdict) -> Finding {
        Finding {
            id: "wal-level",
            place: Place::Source,
            verdict,
            text: "the source has wal_level = replica, change capture needs logical".into(),
            hint: (verdict != Verdict::Pass).then(|| "restart\u{1b}[2J the source".into()),
            fix: None,
            seen: true,
        }
    }

    fn shown(page: Page, quiet: bool) -> String {
        let findings = [finding(Verdict::Pass), finding(Verdict::Fail)];
        let look = Look {
            page,
            colored: false,
            quiet,
        };
        text(&findings, look)
    }

    #[test]
    fn a_pipe_gets_a_line_each_and_a_hint_below() {
        assert_eq!(
            shown(Page::Endless, true),
            "FAIL  source  wal-level  the source has wal_level = replica, change capture needs logical\n\
             \x20                        hint: restart\\u{1b}[2J the source\n\
             1 passed, 0 warnings, 1 failed\n"
        );
        assert!(shown(Page::Endless, false).starts_with("PASS  source  wal-level  the"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [24, 40, 80, 200] {
            let text = shown(Page::Terminal(width), false);
            for line in text.lines() {
                assert!(
                    measure_text_width(line) <= width.max(30),
                    "{width}: {line:?}"
                );
            }
        }
        let narrow = shown(Page::Terminal(40), true);
        assert!(
            narrow.starts_with("FAIL source wal-level\n  the source has"),
            "{narrow}"
        );
    }

    #[test]
    fn programs_read_a_status_and_how_to_mend_it() {
        let text = json(&[finding(Verdict::Warn)], false, &["identities"]).expect("JSON");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["checks"][0]["id"], "wal-level");
        assert_eq!(value["checks"][0]["status"], "warn");
        assert_eq!(value["warned"], 1);
        assert_eq!(value["complete"], false);
        assert_eq!(value["fixed"][0], "identities");
    }
}
