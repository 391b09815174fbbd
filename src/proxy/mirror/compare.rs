//! Which answer belongs to which statement, and what is different in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::answers::{self, Answer, Difference, Outcome};
use super::change::Change;
use super::finder::UNNAMED_BYTES_MAX;
use super::messages::{self, Request};
use super::shadow::{Shadow, StatementFacts};
use super::statement::{self, Kinds, Statement};
use super::token;
use crate::wire::frame;

/// Prepared statements of a session that are known; what is executed beyond is taken for anything.
const NAMES_MAX: usize = 10_000;

/// A statement that a client runs.
#[derive(Debug, Clone)]
pub struct Known {
    /// What is known of it.
    pub facts: Arc<StatementFacts>,
    /// What it does.
    pub kinds: Kinds,
    /// What it does to other prepared statements.
    prepares: Arc<[Change]>,
    /// Too long to be kept as the unnamed statement.
    is_long: bool,
}

/// The statements that a session has prepared.
#[derive(Debug, Default)]
pub struct Names {
    statements: HashMap<Vec<u8>, Known>,
    portals: HashMap<Vec<u8>, Known>,
}

/// What a client ran in one round.
#[derive(Debug, Default)]
pub struct Script {
    /// Groups of statements, each of which is answered up to a ReadyForQuery.
    pub groups: Vec<Group>,
}

/// Statements that are answered together.
#[derive(Debug, Default)]
pub struct Group {
    /// One text, which may hold several statements.
    pub is_text: bool,
    /// In the order in which they were run.
    pub statements: Vec<Known>,
}

impl Script {
    /// Every statement in it.
    pub fn statements(&self) -> impl Iterator<Item = &Known> {
        self.groups.iter().flat_map(|group| &group.statements)
    }

    /// Its statement, if it is one alone: how long the round took is how long that took.
    pub fn only(&self) -> Option<&Known> {
        let mut statements = self.statements();
        let first = statements.next();
        first.filter(|_| statements.next().is_none())
    }
}

impl Names {
    /// What `requests`, whole messages, run.
    pub fn read(&mut self, requests: &[u8], shadow: &Shadow) -> Script {
        let mut script = Script::default();
        let mut group = Group::default();
        for (tag, message) in frame::frames(requests) {
            match messages::request(tag, message) {
                Request::Query(text) => {
                    let known = known(text, shadow);
                    self.change(&known.prepares);
                    // What was said before it is answered before it.
                    script.close(&mut group);
                    script.groups.push(Group {
                        is_text: true,
                        statements: vec![known],
                    });
                }
                Request::FunctionCall => {
                    script.close(&mut group);
                    script.groups.push(Group {
                        is_text: true,
                        statements: vec![of_nothing(shadow)],
                    });
                }
                Request::Parse { name, text } => {
                    if self.statements.len() < NAMES_MAX || self.statements.contains_key(name) {
                        self.statements.insert(name.to_vec(), known(text, shadow));
                    }
                }
                Request::CloseStatement(name) => {
                    self.statements.remove(name);
                }
                Request::Bind { portal, statement } => {
                    let bound = self.statements.get(statement);
                    let mut bound = bound.cloned().unwrap_or_else(|| of_nothing(shadow));
                    bound.kinds = bound.kinds.and(statement::of_values(message));
                    if self.portals.len() < NAMES_MAX || self.portals.contains_key(portal) {
                        self.portals.insert(portal.to_vec(), bound);
                    }
                }
                Request::Execute { portal } => {
                    let run = self.portals.get(portal).cloned();
                    let run = run.unwrap_or_else(|| of_nothing(shadow));
                    self.change(&run.prepares);
                    group.statements.push(run);
                }
                Request::Sync => script.groups.push(std::mem::take(&mut group)),
                Request::Other => {}
            }
        }
        script.close(&mut group);
        script
    }

    /// A transaction is over, and its portals with it, and an unnamed statement that is too long to
    /// be kept for the next.
    pub fn end(&mut self) {
        self.portals.clear();
        let unnamed = self.statements.get(b"".as_slice());
        if unnamed.is_some_and(|unnamed| unnamed.is_long) {
            self.statements.remove(b"".as_slice());
        }
    }

    /// What SQL does to prepared statements. What it prepares itself may be anything.
    fn change(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Prepares(name) | Change::Forgets(name) => {
                    self.statements.remove(name);
                }
                _ => self.statements.clear(),
            }
        }
    }
}

impl Script {
    fn close(&mut self, group: &mut Group) {
        if !group.statements.is_empty() {
            self.groups.push(std::mem::take(group));
        }
    }
}

fn known(text: &[u8], shadow: &Shadow) -> Known {
    let is_long = text.len() >= UNNAMED_BYTES_MAX;
    let statement = Statement::of(text);
    let text = match statement.kinds.has(Kinds::STATE) {
        true => text,
        false => b"",
    };
    let changes = token::statements(text).filter_map(Change::of);
    let prepares = changes.filter(Change::forgets_statements).collect();
    Known {
        facts: shadow.facts(&statement),
        kinds: statement.kinds,
        prepares,
        is_long,
    }
}

/// A statement whose text is not known: it may do anything.
fn of_nothing(shadow: &Shadow) -> Known {
    let statement = Statement {
        kinds: Kinds::OTHER,
        fingerprint: 0,
        shape: "(unknown statement)".to_owned(),
    };
    Known {
        facts: shadow.facts(&statement),
        kinds: Kinds::OTHER,
        prepares: Arc::default(),
        is_long: false,
    }
}

/// A statement that two servers answered.
#[derive(Debug)]
pub struct Compared {
    /// Which.
    pub facts: Arc<StatementFacts>,
    /// What the mirror answered differently.
    pub difference: Option<Difference>,
    /// Its place: the group, and within that. What is asked again is found by it.
    pub place: (usize, usize),
}

/// Compares the answers to each statement of `script`. Statements that neither side came to, behind
/// an error, are left out.
pub fn compare(script: &Script, main: &[Vec<Answer>], mirror: &[Vec<Answer>]) -> Vec<Compared> {
    let mut compared = Vec::new();
    if script.groups.len() != main.len() || main.len() != mirror.len() {
        // Where COPY passed over a Sync on one side alone, nobody knows what belongs to what.
        return compared;
    }
    for (at, group) in script.groups.iter().enumerate() {
        let (main, mirror) = (&main[at], &mirror[at]);
        match (group.is_text, group.statements.first()) {
            (true, Some(text)) => compared.push(Compared {
                facts: Arc::clone(&text.facts),
                difference: of_text(main, mirror),
                place: (at, 0),
            }),
            _ => {
                let both = main.iter().zip(mirror);
                for (index, (known, (main, mirror))) in
                    group.statements.iter().zip(both).enumerate()
                {
                    compared.push(Compared {
                        facts: Arc::clone(&known.facts),
                        difference: answers::difference(main, mirror),
                        place: (at, index),
                    });
                }
            }
        }
    }
    compared
}

/// The first difference in the answers to a text of several statements.
fn of_text(main: &[Answer], mirror: &[Answer]) -> Option<Difference> {
    let mut both = main.iter().zip(mirror);
    let first = both.find_map(|(main, mirror)| answers::difference(main, mirror));
    first.or_else(|| (main.len() != mirror.len()).then_some(Difference::Error))
}

/// What is different at `place` of two sides' answers; none where one has no such answer.
pub fn at_place(
    (is_text, (group, index)): (bool, (usize, usize)),
    main: &[Vec<Answer>],
    mirror: &[Vec<Answer>],
) -> Option<Option<Difference>> {
    let (main, mirror) = (main.get(group)?, mirror.get(group)?);
    match is_text {
        true => Some(of_text(main, mirror)),
        false => Some(answers::difference(main.get(index)?, mirror.get(index)?)),
    }
}

/// Whether the answer at `place` is an error.
pub fn fails_at((group, index): (usize, usize), groups: &[Vec<Answer>]) -> bool {
    let answer = groups.get(group).and_then(|group| group.get(index));
    answer.is_some_and(|answer| matches!(answer.outcome, Outcome::Failed(_)))
}

/// The SQLSTATEs of what failed.
pub fn failures(groups: &[Vec<Answer>]) -> impl Iterator<Item = [u8; 5]> {
    groups
        .iter()
        .flatten()
        .filter_map(|answer| match answer.outcome {
            Outcome::Failed(sqlstate) => Some(sqlstate),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::super::messages::build::{self, message};
    use super::*;

    fn done(tag: &str) -> Vec<u8> {
        message(b'C', format!("{tag}\0").as_bytes())
    }

    fn failed(sqlstate: &str) -> Vec<u8> {
        message(b'E', format!("C{sqlstate}\0\0").as_bytes())
    }

    fn ready() -> Vec<u8> {
        message(b'Z', b"I")
    }

    fn differences(
        requests: &[Vec<u8>],
        main: &[Vec<u8>],
        mirror: &[Vec<u8>],
    ) -> Vec<(String, Option<Difference>)> {
        let shadow = Shadow::default();
        let script = Names::default().read(&requests.concat(), &shadow);
        let groups = |messages: &[Vec<u8>]| answers::groups(&messages.concat());
        compare(&script, &groups(main), &groups(mirror))
            .into_iter()
            .map(|one| (one.facts.shape.clone(), one.difference))
            .collect()
    }

    #[test]
    fn answers_belong_to_what_was_executed() {
        let pipeline = [
            build::parse("a", "SELECT a"),
            build::bind("", "a"),
            build::execute(""),
            build::parse("", "SELECT b"),
            build::bind("p", ""),
            build::execute("p"),
            build::sync(),
            build::query("UPDATE c SET d = 1"),
        ];
        let main = [
            done("SELECT 1"),
            done("SELECT 2"),
            ready(),
            done("UPDATE 1"),
            ready(),
        ];
        let other = [
            done("SELECT 1"),
            done("SELECT 3"),
            ready(),
            done("UPDATE 1"),
            ready(),
        ];
        assert_eq!(
            differences(&pipeline, &main, &other),
            [
                ("select a".to_owned(), None),
                ("select b".to_owned(), Some(Difference::Rows)),
                ("update c set d = ?".to_owned(), None),
            ]
        );
    }

    #[test]
    fn behind_an_error_nothing_is_compared() {
        let pipeline = [
            build::parse("", "SELECT a"),
            build::bind("", ""),
            build::execute(""),
            build::execute(""),
            build::sync(),
        ];
        let found = differences(
            &pipeline,
            &[done("SELECT 1"), done("SELECT 0"), ready()],
            &[failed("42P01"), ready()],
        );
        assert_eq!(found, [("select a".to_owned(), Some(Difference::Error))]);
    }

    #[test]
    fn texts_of_several_statements_are_compared_as_one() {
        let text = [build::query("SELECT 1; SELECT x")];
        let found = differences(
            &text,
            &[done("SELECT 1"), done("SELECT 1"), ready()],
            &[done("SELECT 1"), failed("42703"), ready()],
        );
        assert_eq!(found[0].1, Some(Difference::Error));
        let odd = differences(
            &text,
            &[done("SELECT 1"), ready(), ready()],
            &[done("SELECT 1"), ready()],
        );
        assert!(odd.is_empty());
    }

    #[test]
    fn what_sql_forgets_or_prepares_anew_may_be_anything() {
        let shadow = Shadow::default();
        let mut names = Names::default();
        let run = |name: &str| [build::bind("", name), build::execute("")].concat();
        let mut kinds = |said: &[Vec<u8>]| {
            let script = names.read(&said.concat(), &shadow);
            names.end();
            script.statements().last().map(|known| known.kinds)
        };
        let prepare = build::parse("s", "SELECT 1");
        for text in [
            "DEALLOCATE s",
            "SELECT 1; DEALLOCATE ALL",
            "PREPARE S AS INSERT INTO t",
        ] {
            assert_eq!(kinds(&[prepare.clone(), run("s")]), Some(Kinds::READ));
            assert_eq!(kinds(&[build::query(text), run("s")]), Some(Kinds::OTHER));
            kinds(&[build::parse("s", "SELECT 2")]);
            let extended = [build::parse("", text), run("")];
            let said = [&extended[..], &[run("s")]].concat();
            assert_ne!(kinds(&said), Some(Kinds::READ), "{text}");
        }
        // The unnamed one outlives its transaction.
        assert_eq!(kinds(&[build::parse("", "SELECT 1")]), None);
        assert_eq!(kinds(&[run("")]), Some(Kinds::READ));
        let long = format!("SELECT '{}'", "x".repeat(UNNAMED_BYTES_MAX));
        assert_eq!(
            kinds(&[build::parse("", &long), run("")]),
            Some(Kinds::READ)
        );
        assert_eq!(kinds(&[run("")]), Some(Kinds::OTHER));
    }

    #[test]
    fn what_was_never_prepared_may_be_anything() {
        let shadow = Shadow::default();
        let script = Names::default().read(
            &[build::bind("", "x"), build::execute("")].concat(),
            &shadow,
        );
        assert!(script.only().expect("one").kinds.has(Kinds::OTHER));
    }
}
