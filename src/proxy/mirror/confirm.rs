//! A difference is asked about again, on both sides, before it counts.
//!
//! A mirror that change capture feeds is a moment behind: what it answers then may be what the
//! source would have answered a moment ago. So the same transaction, which only reads, is said again
//! in two sessions that may only read: to the client's own server, to the mirror, and to the own
//! server once more. If the own server's two answers are alike, and the mirror's is not, nothing
//! changed in between that could explain it but the mirror's being behind; this is repeated until
//! the mirror has replayed what the source had written when it was asked, or, where that cannot be
//! seen, for some seconds.

use std::sync::Arc;
use std::time::Duration;

use super::Mirror;
use super::answers::{self, Answer, Difference};
use super::compare;
use super::link::{Link, LinkError, READ_ONLY, Route};
use super::messages;
use super::shadow::{StatementFacts, Verdict};
use super::state::State;
use super::unit::{Charge, Unit};
use crate::base::Lsn;

/// How long is waited before each time. Together longer than a mirror is behind that is of use.
const WAITS: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// How long one answer may take, when it is asked for again.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where the source writes, as `pg_current_wal_insert_lsn` tells it.
const SOURCE_LSN: &str = "SELECT pg_catalog.pg_current_wal_insert_lsn()";

/// What the mirror has replayed. Only some roles may see it, and where it replays from several
/// servers nobody knows here which is which.
const REPLAYED_LSN: &str = "SELECT pg_catalog.max(remote_lsn) FROM pg_catalog.pg_replication_origin_status \
     HAVING count(*) = 1";

/// One answer that was different.
#[derive(Debug)]
pub struct Question {
    /// Of which statement.
    pub facts: Arc<StatementFacts>,
    /// In which round of its transaction.
    pub round: usize,
    /// It is a text, whose answers are taken together.
    pub is_text: bool,
    /// Where in the round: group, and within that.
    pub place: (usize, usize),
    /// What was different.
    pub difference: Difference,
    /// The client was answered by an error.
    pub own_failed: bool,
}

/// None of these can be asked again.
fn give_up(questions: &[Question]) {
    for question in questions {
        question.facts.judge(Verdict::Unconfirmed);
    }
}

/// Asks again, the own server by the first of `routes`, the mirror by the second, in sessions whose
/// state is `state`. Where too many ask already, the differences stay unconfirmed.
pub async fn ask(
    mirror: Arc<Mirror>,
    routes: (Route, Route),
    state: State,
    (unit, _charge): (Arc<Unit>, Charge),
    questions: Vec<Question>,
) {
    let Ok(_place) = mirror.asked.try_acquire() else {
        return give_up(&questions);
    };
    let Ok(_turn) = mirror.asking.acquire().await else {
        return give_up(&questions);
    };
    match settle(routes, &state, &unit, &questions).await {
        Ok(verdicts) => {
            for (question, verdict) in questions.iter().zip(verdicts) {
                question.facts.judge(verdict);
            }
        }
        Err(error) => {
            tracing::debug!("a difference could not be asked about again: {error}");
            give_up(&questions);
        }
    }
}

async fn settle(
    (own, mirror): (Route, Route),
    state: &State,
    unit: &Unit,
    questions: &[Question],
) -> Result<Vec<Verdict>, LinkError> {
    let mut own = Link::open(&own.reading_only()).await?;
    let mut mirror = Link::open(&mirror.reading_only()).await?;
    // Each time from the same beginning: what was prepared the last time would be refused.
    let anew = [
        messages::query(b"DISCARD ALL"),
        state.named(),
        messages::query(READ_ONLY),
        state.unnamed(),
    ];
    let anew = anew.concat();
    let mut verdicts = vec![Verdict::Unconfirmed; questions.len()];
    for wait in WAITS {
        tokio::time::sleep(wait).await;
        let first = rounds(&mut own, &anew, unit).await?;
        let written = lsn(&mut own, SOURCE_LSN).await?;
        let replayed = lsn(&mut mirror, REPLAYED_LSN).await?;
        let there = rounds(&mut mirror, &anew, unit).await?;
        let second = rounds(&mut own, &anew, unit).await?;
        let has_replayed = written
            .zip(replayed)
            .is_some_and(|(written, replayed)| replayed >= written);
        let mut is_open = false;
        for (question, verdict) in questions.iter().zip(&mut verdicts) {
            if *verdict == Verdict::Passing {
                continue;
            }
            *verdict = question.judge(&first, &there, &second);
            is_open |= *verdict != Verdict::Passing;
        }
        let all_confirmed = || {
            let mut verdicts = verdicts.iter();
            verdicts.all(|verdict| *verdict != Verdict::Unconfirmed)
        };
        if !is_open || has_replayed && all_confirmed() {
            break;
        }
    }
    own.close().await;
    mirror.close().await;
    Ok(verdicts)
}

impl Question {
    /// What three more answers say of it.
    fn judge(&self, first: &Rounds, there: &Rounds, second: &Rounds) -> Verdict {
        let differs = |one: &Rounds, other: &Rounds| {
            let (one, other) = (one.get(self.round)?, other.get(self.round)?);
            compare::at_place((self.is_text, self.place), one, other)
        };
        let fails = |one: &Rounds| {
            one.get(self.round)
                .is_some_and(|one| compare::fails_at(self.place, one))
        };
        if fails(first) && !self.own_failed {
            // What it needs is not there, where it is asked again.
            return Verdict::Unconfirmed;
        }
        match (
            differs(first, there),
            differs(second, there),
            differs(first, second),
        ) {
            (Some(None), _, _) | (_, Some(None), _) => Verdict::Passing,
            (Some(_), Some(Some(difference)), Some(None)) => Verdict::Confirmed(difference),
            _ => Verdict::Unconfirmed,
        }
    }
}

/// The answers to each round of a transaction, by group.
type Rounds = Vec<Vec<Vec<Answer>>>;

async fn rounds(link: &mut Link, anew: &[u8], unit: &Unit) -> Result<Rounds, LinkError> {
    link.say(anew, ANSWER_MAX).await?;
    let mut rounds = Vec::new();
    for said in unit.rounds() {
        let heard = link.say(said.requests, ANSWER_MAX).await?;
        rounds.push(answers::groups(&heard.answers));
    }
    Ok(rounds)
}

/// The position that `query` gives; none where the server does not tell.
async fn lsn(link: &mut Link, text: &str) -> Result<Option<Lsn>, LinkError> {
    let heard = link
        .say(&messages::query(text.as_bytes()), ANSWER_MAX)
        .await?;
    let mut messages = crate::wire::frame::frames(&heard.answers);
    let row = messages.find(|(tag, _)| *tag == b'D');
    // Header, number of columns, length of the first.
    let text = row.and_then(|(_, row)| std::str::from_utf8(row.get(11..)?).ok());
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::super::answers::Outcome;
    use super::super::shadow::Shadow;
    use super::super::statement::Statement;
    use super::*;

    fn answer(digest: u64) -> Rounds {
        vec![vec![vec![Answer {
            outcome: Outcome::Done(b"SELECT 1".to_vec()),
            columns: None,
            rows: 1,
            digest,
        }]]]
    }

    #[test]
    fn only_what_stays_different_while_nothing_changes_counts() {
        let question = Question {
            facts: Shadow::default().facts(&Statement::of(b"SELECT 1")),
            round: 0,
            is_text: true,
            place: (0, 0),
            difference: Difference::Values,
            own_failed: false,
        };
        let verdict =
            |first, there, second| question.judge(&answer(first), &answer(there), &answer(second));
        assert_eq!(verdict(1, 2, 1), Verdict::Confirmed(Difference::Values));
        assert_eq!(verdict(1, 1, 2), Verdict::Passing);
        assert_eq!(verdict(1, 2, 2), Verdict::Passing);
        assert_eq!(verdict(1, 2, 3), Verdict::Unconfirmed);
        let nothing = Vec::new();
        assert_eq!(
            question.judge(&answer(1), &nothing, &answer(1)),
            Verdict::Unconfirmed
        );
    }
}
