//! What the processes of the proxy are told: those of this machine by their sockets, those of others
//! through the servers. All of them at once; what one refuses ends it for all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{CutoverError, on};
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::Session;
use crate::proxy::authority::Doubt;
use crate::proxy::control::{self, AskError, Client, MirrorStatus, Reply, Request, Status};
use crate::proxy::coordination::tables::{self, Answered, Member, Silence};

/// How much longer an answer may take that comes through a server.
const WAY_MAX: Duration = Duration::from_secs(2);

/// The proxies in front of the application; none where it is moved by other means.
#[derive(Debug, Clone)]
pub struct Proxies {
    /// Of this machine.
    socket: Option<PathBuf>,
    /// Of others.
    members: Vec<Member>,
    /// The numbers of those of this machine that have one.
    reached: Vec<i64>,
}

/// The server through which members are asked.
pub type Via<'a> = (&'a Session, Side);

/// Connections that were opened ahead.
#[derive(Debug, Clone, Default)]
pub struct Warm {
    /// How many.
    pub ready: usize,
    /// Those that could not be, and why.
    pub failed: Option<(usize, String)>,
}

impl Proxies {
    /// Those whose newest process has the control socket `socket`, if this machine has any.
    pub fn at(socket: Option<&Path>) -> Self {
        Proxies {
            socket: socket.map(Path::to_owned),
            members: Vec::new(),
            reached: Vec::new(),
        }
    }

    /// Finds those of other machines, which are told from now on, too. One that has been silent for longer
    /// than its lease is none: its clients wait, and meet the fence.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn find(&mut self, (session, side): Via<'_>) -> Result<(), CutoverError> {
        // Of a process that is reached by both ways.
        let reached = match self.of_this_machine(&Request::Status).await {
            Ok(Some(Reply::Status(status))) => status.members,
            _ => Vec::new(),
        };
        let members = tables::members(session).await;
        let mut members = members.map_err(on(side, "looking for proxies of other machines"))?;
        if let Some(lost) = self
            .members
            .iter()
            .find(|before| !members.iter().any(|one| one.id == before.id))
        {
            return Err(CutoverError::not_ready(
                format!("the proxy {} has lost its session on the {side}", lost.name),
                "it opens another, or has ended: try again",
            ));
        }
        members.retain(|one| {
            if !one.is_there() {
                let (name, silent) = (&one.name, one.silent);
                tracing::warn!("the proxy {name} has said nothing for {silent:?}: it is left out");
            }
            one.is_there() && !reached.contains(&one.id)
        });
        (self.members, self.reached) = (members, reached);
        Ok(())
    }

    /// Whether this is one of them, of whichever machine.
    pub fn knows(&self, id: i64) -> bool {
        self.reached.contains(&id) || self.members.iter().any(|one| one.id == id)
    }

    /// Those of other machines.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How they do: those of this machine as one, without a name; then the others.
    ///
    /// # Errors
    /// One does not answer; there are none.
    pub async fn statuses(&self, via: Via<'_>) -> Result<Vec<(String, Status)>, CutoverError> {
        let replies = self.ask(&Request::Status, via).await?;
        let status = |(name, reply)| match reply {
            Reply::Status(status) => Some((name, *status)),
            _ => None,
        };
        Ok(replies.into_iter().filter_map(status).collect())
    }

    /// Their mirrors, each as often as there are processes.
    ///
    /// # Errors
    /// One does not answer.
    pub async fn mirrors(&self, via: Via<'_>) -> Result<Vec<MirrorStatus>, CutoverError> {
        let replies = self.ask(&Request::Mirrors, via).await?;
        let mirrors = |(_, reply)| match reply {
            Reply::Mirrors { mirrors } => mirrors,
            _ => Vec::new(),
        };
        Ok(replies.into_iter().flat_map(mirrors).collect())
    }

    /// Their clients.
    ///
    /// # Errors
    /// One does not answer.
    pub async fn clients(&self, via: Via<'_>) -> Result<Vec<Client>, CutoverError> {
        self.clients_by(&Request::Clients, via).await
    }

    async fn clients_by(
        &self,
        request: &Request,
        via: Via<'_>,
    ) -> Result<Vec<Client>, CutoverError> {
        let replies = self.ask(request, via).await?;
        let clients = |(_, reply)| match reply {
            Reply::Clients { clients } => clients,
            _ => Vec::new(),
        };
        Ok(replies.into_iter().flat_map(clients).collect())
    }

    /// Their clients, once those that may move have said what they hold, or `limit` is over.
    ///
    /// # Errors
    /// One does not answer.
    pub async fn survey(&self, limit: Duration, via: Via<'_>) -> Result<Vec<Client>, CutoverError> {
        let (limit_ms, every_ms) = (millis(limit), 0);
        self.clients_by(&Request::Survey { limit_ms, every_ms }, via)
            .await
    }

    /// How the mirror `mirror` of each process does, once it is drained or `limit` is over, with the proxy's
    /// name.
    ///
    /// # Errors
    /// One does not answer, or has no such mirror.
    pub async fn drain(
        &self,
        mirror: &str,
        limit: Duration,
        via: Via<'_>,
    ) -> Result<Vec<(String, MirrorStatus)>, CutoverError> {
        let request = Request::Drain {
            mirror: mirror.to_owned(),
            limit_ms: millis(limit),
        };
        let replies = self.ask(&request, via).await?;
        let statuses = |(name, reply): (String, Reply)| match reply {
            Reply::Mirrors { mirrors } => mirrors
                .into_iter()
                .map(|mirror| (name.clone(), mirror))
                .collect(),
            _ => Vec::new(),
        };
        Ok(replies.into_iter().flat_map(statuses).collect())
    }

    /// Opens connections on `to` ahead, within `limit`.
    ///
    /// # Errors
    /// One does not answer.
    pub async fn warm_up(
        &self,
        to: Side,
        limit: Duration,
        via: Via<'_>,
    ) -> Result<Warm, CutoverError> {
        let limit_ms = millis(limit);
        let replies = self.ask(&Request::WarmUp { to, limit_ms }, via).await?;
        let mut all = Warm::default();
        for (_, reply) in replies {
            if let Reply::Warm {
                ready,
                failed,
                problem,
            } = reply
            {
                all.ready += ready;
                let before = all.failed.take();
                all.failed = match (problem, before) {
                    (Some(problem), before) => {
                        Some((failed + before.map_or(0, |(count, _)| count), problem))
                    }
                    (None, before) => before,
                };
            }
        }
        Ok(all)
    }

    /// Holds every client between two transactions.
    ///
    /// # Errors
    /// One could not be within `drain_limit`; those that were go on.
    pub async fn hold(
        &self,
        attempt: u64,
        (drain_limit, limit): (Duration, Duration),
        via: Via<'_>,
    ) -> Result<(), CutoverError> {
        let request = Request::Hold {
            attempt,
            drain_limit_ms: millis(drain_limit),
            limit_ms: millis(limit),
        };
        let held = self.ask(&request, via).await;
        if held.is_err() {
            let _ = self.abort(attempt, false, via).await;
        }
        held.map(drop)
    }

    /// Has them wait for the decision, however long that takes.
    ///
    /// # Errors
    /// One has let its clients go on.
    pub async fn promise(
        &self,
        doubt: &Doubt,
        lease: Duration,
        via: Via<'_>,
    ) -> Result<(), CutoverError> {
        let request = Request::Promise {
            doubt: doubt.clone(),
            lease_ms: millis(lease),
        };
        self.ask(&request, via).await.map(drop)
    }

    /// Traffic goes to `to`.
    ///
    /// # Errors
    /// One of this machine does not answer; the others have gone there.
    pub async fn switch(&self, attempt: u64, to: Side, via: Via<'_>) -> Result<(), CutoverError> {
        let request = Request::Switch { attempt, to };
        let told = self.ask(&request, via).await;
        unless_far(told).map(drop)
    }

    /// Traffic stays. `is_fenced`: they are to lift the fence, which may be up still.
    ///
    /// # Errors
    /// One of this machine does not answer; the others go on.
    pub async fn abort(
        &self,
        attempt: u64,
        is_fenced: bool,
        via: Via<'_>,
    ) -> Result<(), CutoverError> {
        let told = self.ask(&Request::Abort { attempt, is_fenced }, via).await;
        unless_far(told).map(drop)
    }

    /// Asks all of them at the same time. Everyone is asked, whatever the others say.
    async fn ask(
        &self,
        request: &Request,
        via: Via<'_>,
    ) -> Result<Vec<(String, Reply)>, CutoverError> {
        let (own, others) = tokio::join!(
            self.of_this_machine(request),
            self.of_other_machines(request, via)
        );
        let own = match own {
            // Those of other machines are enough.
            Err(error) if is_nobody(&error) && !self.members.is_empty() => None,
            own => own?,
        };
        let own = own.map(|reply| (String::new(), reply));
        Ok(own.into_iter().chain(others?).collect())
    }

    async fn of_this_machine(&self, request: &Request) -> Result<Option<Reply>, CutoverError> {
        let Some(socket) = self.socket.clone() else {
            return Ok(None);
        };
        let request = request.clone();
        let asked = tokio::task::spawn_blocking(move || control::ask(&socket, &request));
        let lost = |error| AskError::Lost(std::io::Error::other(error));
        Ok(Some(asked.await.map_err(lost)??))
    }

    async fn of_other_machines(
        &self,
        request: &Request,
        (session, side): Via<'_>,
    ) -> Result<Vec<(String, Reply)>, CutoverError> {
        if self.members.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = self.members.iter().map(|one| one.id).collect();
        let limit = control::asking::limit_of(request) + WAY_MAX;
        let answers = tables::ask(session, &ids, request, limit).await;
        let answers = answers.map_err(on(side, "asking proxies of other machines"))?;
        let name_of = |id: i64| {
            let member = self.members.iter().find(|one| one.id == id);
            member.map_or_else(String::new, |one| one.name.clone())
        };
        // One that is gone is why the others were not waited for.
        let is_gone = |answer: &Answered| answer.1.as_ref().is_err_and(|one| *one == Silence::Gone);
        if let Some((id, _)) = answers.iter().find(|one| is_gone(one)) {
            let (name, source) = (name_of(*id), Silence::Gone);
            return Err(CutoverError::Member { name, source });
        }
        let mut replies = Vec::with_capacity(answers.len());
        for (id, answer) in answers {
            let name = name_of(id);
            match answer {
                Ok(Reply::Refused {
                    problem,
                    hint,
                    sqlstate,
                }) => {
                    let refused = AskError::Refused {
                        problem: format!("{name}: {problem}"),
                        hint,
                        sqlstate,
                    };
                    return Err(refused.into());
                }
                Ok(reply) => replies.push((name, reply)),
                Err(source) => return Err(CutoverError::Member { name, source }),
            }
        }
        Ok(replies)
    }
}

/// What is decided, a proxy of another machine finds out by itself if it cannot be told, or the server
/// through which it is told has gone.
fn unless_far<T: Default>(told: Result<T, CutoverError>) -> Result<T, CutoverError> {
    match told {
        Err(error @ (CutoverError::Member { .. } | CutoverError::Server { .. })) => {
            tracing::warn!("{}: it finds out by itself", chain(&error));
            Ok(T::default())
        }
        told => told,
    }
}

/// Whether no proxy runs on this machine.
pub(super) fn is_nobody(error: &CutoverError) -> bool {
    matches!(error, CutoverError::Proxy(AskError::Nobody { .. }))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
