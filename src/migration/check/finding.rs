//! What a check has found: one line, what to do about it, and what would mend it.

use serde::Serialize;

use crate::base::Side;
use crate::migration::error::MigrationError;
use crate::pg;

/// Every check, in alphabetical order.
pub const IDS: [&str; 69] = [
    "always-triggers",
    "binary-copy",
    "capacity",
    "client-programs",
    "clock",
    "collation-library",
    "collation-version",
    "collations",
    "connections",
    "create",
    "deferrable-keys",
    "distinct",
    "durability",
    "encoding",
    "encryption",
    "endpos",
    "event-triggers",
    "extension-rights",
    "extension-versions",
    "extensions",
    "foreign-tables",
    "generated-keys",
    "identities",
    "invalid-indexes",
    "leftovers",
    "locale",
    "locks",
    "long-transactions",
    "origin",
    "origin-privileges",
    "other-slots",
    "output-plugin",
    "owners",
    "parameters",
    "preload",
    "prepared-transactions",
    "primary",
    "publication",
    "publish",
    "read-large-objects",
    "read-only",
    "read-sequences",
    "read-tables",
    "replicate",
    "role-passwords",
    "roles",
    "row-security",
    "segment-space",
    "session-replication-role",
    "slot-name",
    "slot-wal-limit",
    "slots",
    "source-load",
    "statistics",
    "subscriptions",
    "tables",
    "tablespaces",
    "target-empty",
    "target-large-objects",
    "target-space",
    "temp-file-limit",
    "unlogged-tables",
    "version",
    "version-order",
    "wal-level",
    "wal-sender-timeout",
    "wal-senders",
    "work-dir",
    "wraparound",
];

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing stands against the migration.
    Pass,
    /// It can be done, and may not be what was meant.
    Warn,
    /// It would fail, or lose something.
    Fail,
}

/// Where it was looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The server that everything is on.
    Source,
    /// The server that everything goes to.
    Target,
    /// Both, compared.
    Both,
    /// This machine.
    Here,
}

impl Place {
    /// As people and scripts read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Place::Source => "source",
            Place::Target => "target",
            Place::Both => "both",
            Place::Here => "here",
        }
    }
}

impl From<Side> for Place {
    fn from(side: Side) -> Self {
        match side {
            Side::Source => Place::Source,
            Side::Target => Place::Target,
        }
    }
}

/// When a fix takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// At once.
    Now,
    /// When the server has read its configuration again, which pgflit asks it to.
    Reload,
    /// When the operator has restarted the server.
    Restart,
}

/// Statements that mend what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Where they are run.
    pub side: Side,
    /// Each by itself, in order.
    pub statements: Vec<String>,
    /// When they take effect.
    pub effect: Effect,
}

impl Fix {
    /// `ALTER SYSTEM SET name = value`; the value as SQL.
    pub fn system(side: Side, name: &str, value: &str, effect: Effect) -> Self {
        Self {
            side,
            statements: vec![format!("ALTER SYSTEM SET {name} = {value}")],
            effect,
        }
    }
}

/// What one check has found in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check; the same in every version, for scripts.
    pub id: &'static str,
    /// Where it was looked.
    pub place: Place,
    /// How much it matters.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What would mend it, if that can be done from here.
    pub fix: Option<Fix>,
    /// Whether what it looks at could be seen.
    pub seen: bool,
}

/// The findings, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// All of them.
    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    /// Nothing stands against it.
    pub(super) fn pass(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        text: impl Into<String>,
    ) {
        self.add(id, place.into(), Verdict::Pass, text.into(), None);
    }

    /// It may not be what was meant.
    pub(super) fn warn(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(
            id,
            place.into(),
            Verdict::Warn,
            text.into(),
            Some(hint.into()),
        );
    }

    /// It would fail, or lose something.
    pub(super) fn fail(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(
            id,
            place.into(),
            Verdict::Fail,
            text.into(),
            Some(hint.into()),
        );
    }

    fn add(
        &mut self,
        id: &'static str,
        place: Place,
        verdict: Verdict,
        text: String,
        hint: Option<String>,
    ) {
        debug_assert!(IDS.contains(&id), "{id} is not in the list of checks");
        self.0.push(Finding {
            id,
            place,
            verdict,
            text,
            hint,
            fix: None,
            seen: true,
        });
    }

    /// What the checks of these identifiers would have failed for is a warning.
    pub(super) fn skip(&mut self, ids: &[String]) {
        let failed = self.0.iter_mut().filter(|one| one.verdict == Verdict::Fail);
        for finding in failed.filter(|one| ids.iter().any(|id| id == one.id)) {
            finding.verdict = Verdict::Warn;
        }
    }

    /// What would mend the last finding; nothing where it has passed.
    pub(super) fn mended_by(&mut self, fix: Option<Fix>) {
        if let Some(last) = self.0.last_mut()
            && last.verdict != Verdict::Pass
        {
            last.fix = fix;
        }
    }

    /// What is to be mended by setting parameters of `side` that are set already, and `pending`: nothing
    /// is left to do but a restart.
    pub(super) fn wait_for_restart(&mut self, side: Side, pending: &[String]) {
        let is_pending = |statement: &String| {
            let set = |name: &String| statement.starts_with(&format!("ALTER SYSTEM SET {name} = "));
            pending.iter().any(set)
        };
        for finding in &mut self.0 {
            let is_done = finding.fix.as_ref().is_some_and(|fix| {
                fix.side == side
                    && fix.effect == Effect::Restart
                    && fix.statements.iter().all(is_pending)
            });
            if is_done {
                finding.fix = None;
                finding
                    .text
                    .push_str("; it is set anew, and waits for a restart");
                finding.hint = Some(format!("restart the {side}"));
            }
        }
    }

    /// What was asked of a server. None, and a line that says what could not be seen, if the server
    /// does not let it be seen; none, and a line that says why, if it was looked at and refused.
    ///
    /// # Errors
    /// The server is not there any more.
    pub(super) fn seen<T>(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        asked: Result<T, MigrationError>,
    ) -> Result<Option<T>, MigrationError> {
        let (doing, source) = match asked {
            Ok(answer) => return Ok(Some(answer)),
            Err(MigrationError::Refused { problem, hint, .. }) => {
                self.fail(id, place, problem, hint);
                return Ok(None);
            }
            Err(
                MigrationError::Source { doing, source } | MigrationError::Target { doing, source },
            ) if is_said_no(&source) => (doing, source),
            Err(error) => return Err(error),
        };
        self.unseen(
            id,
            place,
            format!("could not be seen: {doing}: {source}"),
            "connect as a role that may see it, or see to it by hand",
        );
        Ok(None)
    }

    /// What a check would look at may not be seen.
    pub(super) fn unseen(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.warn(id, place, text, hint);
        if let Some(last) = self.0.last_mut() {
            last.seen = false;
        }
    }

    /// As [`Findings::seen`], for a check that says no more than whether it is refused: `text` if it is
    /// not.
    ///
    /// # Errors
    /// The server is not there any more.
    pub(super) fn unless_refused(
        &mut self,
        id: &'static str,
        place: impl Into<Place>,
        text: impl Into<String>,
        asked: Result<(), MigrationError>,
    ) -> Result<(), MigrationError> {
        let place = place.into();
        if self.seen(id, place, asked)?.is_some() {
            self.pass(id, place, text);
        }
        Ok(())
    }
}

/// Whether the server has answered, and stays: SQLSTATEs of a session that ends are others.
fn is_said_no(error: &pg::Error) -> bool {
    error.sqlstate().is_some_and(|code| {
        let ends = ["08", "57P0", "53300"];
        !ends.iter().any(|end| code.starts_with(end))
    })
}

/// So many names are told in a line.
const NAMED_MAX: usize = 3;

/// The longest name that is told whole.
const NAME_CHARS: usize = 80;

/// The first few of `names`, and how many more there are.
pub(super) fn first_of<T: ToString>(names: &[T]) -> String {
    let named = names.iter().take(NAMED_MAX).map(|name| {
        let name = name.to_string();
        match name.char_indices().nth(NAME_CHARS) {
            None => name,
            Some((end, _)) => format!("{}…", &name[..end]),
        }
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMED_MAX));
    }
    text
}

/// `1 table`, `5 tables`.
pub(super) fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_few_and_counts_the_rest() {
        assert_eq!(first_of(&["a"]), "a");
        assert_eq!(first_of(&["a", "b", "c"]), "a, b, c");
        assert_eq!(first_of(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        let long = "ü".repeat(200);
        assert!(first_of(&[long]).chars().count() <= NAME_CHARS + 1);
        assert_eq!(counted(1, "table"), "1 table");
        assert_eq!(counted(0, "table"), "0 tables");
    }

    #[test]
    fn what_is_set_already_only_waits_for_its_restart() {
        let mut found = Findings::default();
        for (side, name) in [
            (Side::Source, "wal_level"),
            (Side::Source, "max_wal_senders"),
            (Side::Target, "wal_level"),
        ] {
            found.fail("slots", side, "too low", "raise it");
            found.mended_by(Some(Fix::system(side, name, "1", Effect::Restart)));
        }
        found.wait_for_restart(Side::Source, &["wal_level".to_owned()]);
        let waits: Vec<bool> = found
            .into_vec()
            .iter()
            .map(|one| one.fix.is_none() && one.text.ends_with("waits for a restart"))
            .collect();
        assert_eq!(waits, [true, false, false]);
    }

    #[test]
    fn what_is_skipped_warns() {
        let mut found = Findings::default();
        found.fail("slots", Side::Source, "none", "drop one");
        found.fail("slots", Side::Target, "none", "drop one");
        found.fail("wal-level", Side::Source, "too low", "raise it");
        found.skip(&["slots".to_owned()]);
        let verdicts: Vec<_> = found.into_vec().iter().map(|one| one.verdict).collect();
        assert_eq!(verdicts, [Verdict::Warn, Verdict::Warn, Verdict::Fail]);
    }

    #[test]
    fn what_has_passed_has_nothing_to_be_mended() {
        let mut found = Findings::default();
        let fix = || Fix::system(Side::Source, "a", "1", Effect::Reload);
        found.pass("slots", Side::Source, "fine");
        found.mended_by(Some(fix()));
        found.warn("wal-level", Side::Source, "odd", "do");
        found.mended_by(Some(fix()));
        let fixes: Vec<_> = found.into_vec().into_iter().map(|one| one.fix).collect();
        assert_eq!(fixes, [None, Some(fix())]);
    }
}
