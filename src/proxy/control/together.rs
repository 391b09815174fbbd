//! All processes of a proxy, asked as if they were one.
//!
//! # How a pause is one pause
//! All processes are paused at the same time, and then it is looked whether others have come. A
//! process that starts shows its socket first, and then asks the others whether they are paused: so
//! either it is seen here, or it sees the pause and begins with it. If one cannot be paused, all that
//! are there by then are told to go on: those that were asked, one that does not answer, and one that has
//! begun with the pause.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::asking::{AskError, ask_one};
use super::place::{Place, Process};
use super::serving::TOO_LATE;
use super::{ProcessStatus, Reply, Request, Scope, Status};
use crate::proxy::unix_socket::answers;

/// Asks the proxy whose newest process has the control socket `path`: all its processes. Blocks.
///
/// # Errors
/// None runs, or one of them refuses or does not answer.
pub fn ask(path: &Path, request: &Request) -> Result<Reply, AskError> {
    let place = Place::new(path);
    if let Request::Pause {
        limit_ms,
        id,
        scope,
    } = request
    {
        return pause(&place, Duration::from_millis(*limit_ms), *id, scope);
    }
    let answered = ask_all(&place.processes(), request);
    if answered.is_empty() {
        // One that has no other socket, or none.
        return ask_one(path, request);
    }
    let mut replies = Vec::new();
    let mut failed = None;
    let mut silent = Vec::new();
    let several = answered.len() > 1;
    for (pid, answer) in answered {
        match answer {
            Ok(reply) => replies.push(reply),
            Err(error) => {
                if matches!(error, AskError::Lost(_)) {
                    silent.push(pid);
                }
                failed = Some(of_process(pid, error, several));
            }
        }
    }
    match (merged(replies), failed) {
        // What can be seen is shown.
        (Some(Reply::Status(mut status)), _) => {
            status.silent = silent;
            Ok(Reply::Status(status))
        }
        (_, Some(error)) => Err(error),
        (Some(reply), None) => Ok(reply),
        (None, None) => ask_one(path, request),
    }
}

type Answer = Result<Reply, AskError>;

/// What each says. Those that have gone are left out.
fn ask_all(processes: &[Process], request: &Request) -> Vec<(u32, Answer)> {
    let answers = thread::scope(|scope| {
        let ask = |process| scope.spawn(move || ask_living(process, request));
        let asked: Vec<_> = processes.iter().map(ask).collect();
        let answers = asked.into_iter().map(|asked| asked.join().ok().flatten());
        answers.collect::<Vec<_>>()
    });
    let pids = processes.iter().map(|process| process.pid);
    let answered = pids.zip(answers);
    answered
        .filter_map(|(pid, answer)| Some((pid, answer?)))
        .collect()
}

fn ask_living(process: &Process, request: &Request) -> Option<Answer> {
    match ask_one(&process.path, request) {
        Err(AskError::Nobody { .. }) => None,
        // It has ended meanwhile.
        Err(AskError::Lost(_)) if matches!(answers(&process.path), Ok(false)) => None,
        answer => Some(answer),
    }
}

fn pause(place: &Place, limit: Duration, id: u64, scope: &Scope) -> Answer {
    let began = Instant::now();
    let mut paused: BTreeMap<u32, Process> = BTreeMap::new();
    let done = pause_all(place, (began, limit), (id, scope), &mut paused);
    if done.is_err() {
        let (id, scope) = (Some(id), scope.clone());
        ask_all(&place.processes(), &Request::Resume { id, scope });
    }
    done.map(|()| Reply::Paused {
        after_ms: began.elapsed().as_secs_f64() * 1000.0,
    })
}

fn pause_all(
    place: &Place,
    (began, limit): (Instant, Duration),
    (id, scope): (u64, &Scope),
    paused: &mut BTreeMap<u32, Process>,
) -> Result<(), AskError> {
    let mut gone = Vec::new();
    loop {
        let mut new = place.processes();
        new.retain(|one| !paused.contains_key(&one.pid) && !gone.contains(one));
        let left = limit.saturating_sub(began.elapsed());
        let request = Request::Pause {
            limit_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            id,
            scope: scope.clone(),
        };
        if new.is_empty() {
            break match (paused.is_empty(), left.is_zero()) {
                (true, _) => ask_one(place.newest(), &request).map(|_| ()),
                (false, true) => Err(AskError::Refused {
                    problem: "the time limit has passed before all processes were paused"
                        .to_owned(),
                    hint: Some("clients go on; try again with a longer limit".to_owned()),
                    sqlstate: Some(TOO_LATE.to_owned()),
                }),
                (false, false) => Ok(()),
            };
        }
        let answered = ask_all(&new, &request);
        let several = new.len() + paused.len() > 1;
        let mut failed = None;
        for process in new {
            let answer = answered.iter().find(|(pid, _)| *pid == process.pid);
            match answer {
                Some((_, Ok(_))) => {
                    paused.insert(process.pid, process);
                }
                None => gone.push(process),
                Some(_) => {}
            }
        }
        for (pid, answer) in answered {
            if let Err(error) = answer {
                failed = Some(of_process(pid, error, several));
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
}

/// Says which process it was, where there are several.
fn of_process(pid: u32, error: AskError, several: bool) -> AskError {
    match error {
        AskError::Lost(source) => AskError::Silent { pid, source },
        AskError::Refused {
            problem,
            hint,
            sqlstate,
        } if several => AskError::Refused {
            problem: format!("process {pid}: {problem}"),
            hint,
            sqlstate,
        },
        other => other,
    }
}

/// One answer of those of all processes, the newest's first; none of none.
fn merged(replies: Vec<Reply>) -> Option<Reply> {
    let mut replies = replies.into_iter();
    let first = replies.next()?;
    Some(replies.fold(first, merge))
}

fn merge(first: Reply, other: Reply) -> Reply {
    match (first, other) {
        (Reply::Status(one), Reply::Status(two)) => Reply::Status(Box::new(together(*one, &two))),
        (Reply::Clients { mut clients }, Reply::Clients { clients: more }) => {
            clients.extend(more);
            Reply::Clients { clients }
        }
        (Reply::Mirrors { mut mirrors }, Reply::Mirrors { mirrors: more }) => {
            mirrors.extend(more);
            Reply::Mirrors { mirrors }
        }
        (Reply::Resumed { was_paused: one }, Reply::Resumed { was_paused: two }) => {
            let was_paused = one || two;
            Reply::Resumed { was_paused }
        }
        (
            Reply::Reloaded {
                mut now,
                mut after_restart,
            },
            Reply::Reloaded {
                now: more,
                after_restart: later,
            },
        ) => {
            let add = |all: &mut Vec<String>, more: Vec<String>| {
                let new: Vec<_> = more.into_iter().filter(|one| !all.contains(one)).collect();
                all.extend(new);
            };
            add(&mut now, more);
            add(&mut after_restart, later);
            Reply::Reloaded { now, after_restart }
        }
        (first, _) => first,
    }
}

/// Sums, under what the first is; paused only if all are.
fn together(mut one: Status, other: &Status) -> Status {
    if one.processes.is_empty() {
        one.processes.push(process_status(&one));
    }
    one.processes.push(process_status(other));
    for place in &other.listen {
        if !one.listen.contains(place) {
            one.listen.push(place.clone());
        }
    }
    one.members.extend(&other.members);
    one.paused &= other.paused;
    one.draining &= other.draining;
    one.paused_ms = match (one.paused_ms, other.paused_ms) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => None,
    };
    let (sum, more) = (&mut one.clients, other.clients);
    for (sum, more) in [
        (&mut sum.total, more.total),
        (&mut sum.busy, more.busy),
        (&mut sum.idle, more.idle),
        (&mut sum.login, more.login),
        (&mut sum.waiting, more.waiting),
        (&mut sum.held, more.held),
    ] {
        *sum = sum.saturating_add(more);
    }
    one.transactions = one.transactions.saturating_add(other.transactions);
    one.bytes_in = one.bytes_in.saturating_add(other.bytes_in);
    one.bytes_out = one.bytes_out.saturating_add(other.bytes_out);
    one
}

fn process_status(status: &Status) -> ProcessStatus {
    ProcessStatus {
        pid: status.pid,
        version: status.version.clone(),
        uptime_s: status.uptime_s,
        draining: status.draining,
        paused: status.paused,
        clients: status.clients.total,
    }
}
