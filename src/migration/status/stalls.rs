//! What does not get on, and why: sessions of pgflit that wait for somebody else.
//!
//! Who waits is known by its `application_name`. Of others, only what they are is told, never what
//! they say.

use crate::base::Side;
use crate::base::quantity::display_duration;
use crate::pg::{Error, Session};
use std::time::Duration;

use super::model::{SESSIONS_MAX, Stall, Working};

/// Whoever waits for less does not stall.
const MOMENT: f64 = 1.0;

/// Waiting for each other is what pgflit's own sessions do now and then; after this long it is told.
const OWN_MOMENT: f64 = 30.0;

/// So many holders are told of each that waits.
const HOLDERS_MAX: usize = 3;

/// Sessions of pgflit that run something, and what each waits for.
const SESSIONS: &str = "
    SELECT a.pid, regexp_replace(a.application_name, '^.*pgflit: ', ''),
           a.wait_event_type, a.wait_event,
           coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.query_start, a.backend_start)),
                    0)::float8,
           w.kind, w.relation,
           CASE WHEN w.kind IS NOT NULL THEN pg_blocking_pids(a.pid) END
      FROM pg_stat_activity a
      LEFT JOIN LATERAL (
           SELECT l.locktype AS kind,
                  (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = coalesce(l.relation,
                                  (SELECT t.relation FROM pg_locks t
                                    WHERE t.pid = a.pid AND t.locktype = 'tuple' LIMIT 1)))
                  AS relation
             FROM pg_locks l
            WHERE l.pid = a.pid AND NOT l.granted
            LIMIT 1) w ON a.wait_event_type = 'Lock'
     WHERE a.datname = current_database() AND a.state = 'active'
       AND a.application_name LIKE '%pgflit: %' AND a.pid <> pg_backend_pid()
     ORDER BY a.query_start, a.pid
     LIMIT $1";

/// Who those are that have what is waited for.
const HOLDERS: &str = "
    SELECT pid, coalesce(application_name, ''), coalesce(usename::text, ''), coalesce(state, ''),
           coalesce(backend_type, ''),
           coalesce(extract(epoch FROM clock_timestamp() - coalesce(state_change, xact_start)),
                    0)::float8
      FROM pg_stat_activity WHERE pid = ANY ($1)
     ORDER BY xact_start, pid";

/// A session that waits for a lock.
#[derive(Debug, Clone, PartialEq)]
struct Waiting {
    session: Working,
    kind: String,
    relation: Option<String>,
    blockers: Vec<i32>,
}

/// Somebody who has what is waited for.
#[derive(Debug, Clone, PartialEq)]
struct Holder {
    pid: i32,
    application: String,
    user: String,
    state: String,
    backend_type: String,
    seconds: f64,
}

/// What pgflit does on this server, and what of it stalls.
///
/// # Errors
/// The server refuses.
pub(super) async fn look(
    session: &Session,
    side: Side,
) -> Result<(Vec<Working>, Vec<Stall>), Error> {
    let most = i64::try_from(SESSIONS_MAX).unwrap_or(i64::MAX);
    let rows = session.query(SESSIONS, &[&most]).await?;
    let mut sessions = Vec::with_capacity(rows.len());
    let mut stalls = Vec::new();
    for row in rows {
        let working = Working {
            pid: row.get(0),
            purpose: row.get(1),
            wait_event_type: row.get(2),
            wait_event: row.get(3),
            seconds: row.get(4),
        };
        let (kind, relation): (Option<String>, _) = (row.get(5), row.get(6));
        let blockers: Option<Vec<i32>> = row.get(7);
        if working.seconds >= MOMENT {
            if let Some(kind) = kind {
                let waiting = Waiting {
                    session: working.clone(),
                    kind,
                    relation,
                    blockers: blockers.unwrap_or_default(),
                };
                let holders = holders(session, &waiting.blockers).await?;
                stalls.extend(behind_a_lock(side, &waiting, &holders));
            } else if working.wait_event.as_deref() == Some("SyncRep") {
                stalls.push(behind_a_standby(side, &working));
            }
        }
        sessions.push(working);
    }
    Ok((sessions, stalls))
}

async fn holders(session: &Session, pids: &[i32]) -> Result<Vec<Holder>, Error> {
    let rows = session.query(HOLDERS, &[&pids]).await?;
    let holders = rows.iter().map(|row| Holder {
        pid: row.get(0),
        application: row.get(1),
        user: row.get(2),
        state: row.get(3),
        backend_type: row.get(4),
        seconds: row.get(5),
    });
    Ok(holders.collect())
}

fn behind_a_standby(side: Side, working: &Working) -> Stall {
    Stall {
        side,
        pid: working.pid,
        what: working.purpose.clone(),
        why: format!("waits for a synchronous standby of the {side} to confirm"),
        hint: "see pg_stat_replication there; mend the standby, or take it out of synchronous_standby_names"
            .to_owned(),
        seconds: working.seconds,
    }
}

/// The story of a session that waits for a lock; none if it is not worth one yet.
fn behind_a_lock(side: Side, waiting: &Waiting, holders: &[Holder]) -> Option<Stall> {
    let Waiting {
        session, relation, ..
    } = waiting;
    let is_our_own = !holders.is_empty() && holders.iter().all(Holder::is_pgflit);
    if is_our_own && session.seconds < OWN_MOMENT {
        return None;
    }
    let lock = match (waiting.kind.as_str(), relation) {
        ("transactionid" | "tuple", Some(table)) => format!("for a row of {table}"),
        ("transactionid" | "tuple", None) => "for a row".to_owned(),
        ("virtualxid", _) => "for older transactions".to_owned(),
        (_, Some(table)) => format!("for a lock on {table}"),
        (kind, None) => format!("for a lock ({kind})"),
    };
    // What pg_blocking_pids calls a prepared transaction.
    let is_prepared = waiting.blockers.contains(&0);
    let mut told: Vec<String> = holders
        .iter()
        .take(HOLDERS_MAX)
        .map(Holder::words)
        .collect();
    if is_prepared {
        told.push("a prepared transaction".to_owned());
    }
    let more = holders.len().saturating_sub(HOLDERS_MAX);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    let why = match told.is_empty() {
        true => format!("waits {lock}"),
        false => format!("waits {lock} held by {}", told.join("; ")),
    };
    let hint = match holders.first() {
        _ if is_our_own => "both are pgflit's own: it goes on by itself".to_owned(),
        Some(holder) => holder.hint(side),
        None if is_prepared => format!(
            "see pg_prepared_xacts on the {side}, and COMMIT PREPARED or ROLLBACK PREPARED it"
        ),
        None => format!("see pg_locks on the {side}"),
    };
    Some(Stall {
        side,
        pid: session.pid,
        what: session.purpose.clone(),
        why,
        hint,
        seconds: session.seconds,
    })
}

impl Holder {
    fn is_pgflit(&self) -> bool {
        self.application.contains("pgflit: ")
    }

    /// `pid 123 (billing, user app, idle in transaction for 4m10s)`.
    fn words(&self) -> String {
        let since = display_duration(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let user = match self.user.is_empty() {
            true => String::new(),
            false => format!("user {}", self.user),
        };
        let state = match self.state.is_empty() {
            true => String::new(),
            false => format!("{} for {since}", self.state),
        };
        let kind = match self.backend_type.as_str() {
            "client backend" => String::new(),
            kind => kind.to_owned(),
        };
        let words = [self.application.clone(), kind, user, state];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        match words.is_empty() {
            // Of others, not every role may see more.
            true => format!("pid {}", self.pid),
            false => format!("pid {} ({})", self.pid, words.join(", ")),
        }
    }

    fn hint(&self, side: Side) -> String {
        let pid = self.pid;
        match (self.backend_type.as_str(), self.state.as_str()) {
            ("autovacuum worker", _) => {
                "it gives way by itself, unless it prevents wraparound".to_owned()
            }
            (_, "active") => format!(
                "wait until its statement has ended, or on the {side}: SELECT pg_cancel_backend({pid})"
            ),
            _ => format!(
                "end its transaction where it was begun, or on the {side}: SELECT pg_terminate_backend({pid})"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(kind: &str, relation: Option<&str>, seconds: f64) -> Waiting {
        Waiting {
            session: Working {
                pid: 7,
                purpose: "apply".to_owned(),
                wait_event_type: Some("Lock".to_owned()),
                wait_event: Some(kind.to_owned()),
                seconds,
            },
            kind: kind.to_owned(),
            relation: relation.map(str::to_owned),
            blockers: vec![123],
        }
    }

    fn holder(application: &str, state: &str, backend_type: &str) -> Holder {
        Holder {
            pid: 123,
            application: application.to_owned(),
            user: "x".to_owned(),
            state: state.to_owned(),
            backend_type: backend_type.to_owned(),
            seconds: 250.0,
        }
    }

    #[test]
    fn who_holds_what_is_waited_for_is_named_and_what_to_do() {
        let blocked = waiting("relation", Some("public.t"), 9.0);
        let idle = holder("app", "idle in transaction", "client backend");
        let stall = behind_a_lock(Side::Target, &blocked, &[idle]).expect("told");
        assert_eq!(
            stall.why,
            "waits for a lock on public.t held by pid 123 (app, user x, idle in transaction for 4m10s)"
        );
        assert_eq!(
            stall.hint,
            "end its transaction where it was begun, or on the target: SELECT pg_terminate_backend(123)"
        );
        let active = holder("", "active", "client backend");
        let row = waiting("transactionid", Some("public.t"), 9.0);
        let stall = behind_a_lock(Side::Source, &row, &[active]).expect("told");
        assert_eq!(
            stall.why,
            "waits for a row of public.t held by pid 123 (user x, active for 4m10s)"
        );
        assert!(
            stall.hint.ends_with("pg_cancel_backend(123)"),
            "{}",
            stall.hint
        );
    }

    #[test]
    fn pgflits_own_sessions_may_wait_for_each_other_for_a_while() {
        let own = holder("pgflit: indexes", "active", "client backend");
        let story = |seconds| {
            let waiting = waiting("relation", Some("public.t"), seconds);
            behind_a_lock(Side::Target, &waiting, std::slice::from_ref(&own))
        };
        assert!(story(2.0).is_none());
        assert!(story(40.0).is_some_and(|stall| stall.hint.contains("by itself")));
    }

    #[test]
    fn holders_that_are_no_sessions_are_told_too() {
        let mut prepared = waiting("relation", None, 9.0);
        prepared.blockers = vec![0];
        let stall = behind_a_lock(Side::Target, &prepared, &[]).expect("told");
        assert_eq!(
            stall.why,
            "waits for a lock (relation) held by a prepared transaction"
        );
        let autovacuum = holder("", "active", "autovacuum worker");
        let blocked = waiting("virtualxid", None, 9.0);
        let stall = behind_a_lock(Side::Target, &blocked, &[autovacuum]).expect("told");
        assert!(stall.why.contains("autovacuum worker"), "{}", stall.why);
        assert!(stall.hint.contains("gives way"), "{}", stall.hint);
    }
}
