//! This process as a member: a session on each server, and its lease.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, mpsc};

use super::knowledge::{Knowledge, Verdict};
use super::tables::{self, Card, Member};
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::{Error, Session};
use crate::proxy::authority::Doubt;
use crate::proxy::config::CutoverConfig;
use crate::proxy::control::{self, Facts, Reply, Request};
use crate::proxy::pause::Hold;
use crate::proxy::service::Service;
use crate::proxy::switch::{self, Ground};

/// How often a server is asked at least; a fourth of the lease where that is less.
const BEAT_MAX: Duration = Duration::from_secs(1);

/// How long a server may take to let the member in, and to answer: less than the shortest lease would be
/// useless, more hides that it is gone.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The pauses between attempts to connect.
const AGAIN_FIRST: Duration = Duration::from_millis(100);

/// A session that waits for a lock must end before the next is opened, and one whose other end is gone must not
/// stay.
const SESSION: &str = "SET lock_timeout = '4s'; SET tcp_keepalives_idle = 10;
     SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// What any role can wake a member for costs the server so little.
const BEAT_MIN: Duration = Duration::from_millis(2);

/// Requests that wait to be begun, and that are answered at a time: whoever moves traffic asks one after the
/// other, but for one that gives up what is being done.
const WAITING_MAX: usize = 16;
const AT_ONCE_MAX: usize = 4;

/// How often it is looked who the other members are, for SHOW PROXIES.
const OTHERS_EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether the lease is over.
const WATCH_EVERY: Duration = Duration::from_millis(100);

/// What a server has said, and when that was asked.
#[derive(Debug, Clone, Copy)]
struct Heard {
    asked: Instant,
    knowledge: Knowledge,
}

/// One server, as this process hears it.
#[derive(Debug, Default)]
struct Line {
    heard: Mutex<Option<Heard>>,
    /// Why it is not heard; empty while it is.
    problem: Mutex<String>,
}

/// A process that is told through the servers what to do.
#[derive(Debug)]
pub struct Membership {
    /// Who it says it is.
    pub card: Card,
    told: CutoverConfig,
    source: Line,
    target: Line,
    /// Something was heard.
    news: Notify,
    /// All members, as the server that is served says, and when it was asked.
    others: Mutex<Option<(Instant, Vec<Member>)>>,
}

impl Line {
    fn heard(&self) -> MutexGuard<'_, Option<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has said within `lease`.
    fn within(&self, lease: Duration) -> Option<Knowledge> {
        let heard = (*self.heard())?;
        (heard.asked.elapsed() < lease).then_some(heard.knowledge)
    }

    /// Tells the log why it is not heard, once for each reason.
    fn lost(&self, side: Side, problem: String) {
        let mut told = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != problem {
            tracing::warn!("the {side} does not tell this proxy about the migration: {problem}");
            *told = problem;
        }
    }

    fn found(&self, side: Side) {
        let mut told = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.is_empty() {
            tracing::info!("the {side} tells this proxy about the migration again");
            told.clear();
        }
    }
}

impl Membership {
    /// Of a process that is told so. From here on its clients wait until it is known where traffic goes.
    pub fn begin(told: &CutoverConfig, service: &Service, listen: &[String]) -> Arc<Self> {
        service.pauses.hold_as(&Hold::Lease, 0);
        Arc::new(Membership {
            card: Card {
                id: rand::random(),
                name: format!("{}:{}", host_name(), std::process::id()),
                listen: listen.join(", "),
                lease: told.lease,
            },
            told: told.clone(),
            source: Line::default(),
            target: Line::default(),
            news: Notify::new(),
            others: Mutex::default(),
        })
    }

    /// Takes part for as long as it is polled.
    pub async fn serve(&self, facts: &Arc<Facts>) {
        tokio::join!(
            self.keep(Side::Source, facts),
            self.keep(Side::Target, facts),
            self.watch(&facts.service)
        );
    }

    /// The other members, and how long ago each was heard.
    pub fn others(&self) -> Vec<Member> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((asked, members)) = &*others else {
            return Vec::new();
        };
        let others = members.iter().filter(|one| one.id != self.card.id);
        let aged = others.map(|one| Member {
            silent: one.silent + asked.elapsed(),
            ..one.clone()
        });
        aged.collect()
    }

    fn line(&self, side: Side) -> &Line {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Keeps a session on `side`, for ever.
    async fn keep(&self, side: Side, facts: &Arc<Facts>) {
        let mut wait = AGAIN_FIRST;
        loop {
            let began = Instant::now();
            let problem = match self.talk(side, facts).await {
                Ok(()) => "the proxy's row in pgflit.proxy is gone".to_owned(),
                Err(error) => chain(&error),
            };
            self.line(side).lost(side, problem);
            wait = match began.elapsed() > BEAT_MAX {
                true => AGAIN_FIRST,
                false => (2 * wait).min(BEAT_MAX),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One session: asks and is asked, until it breaks or the server does not know the member any more.
    async fn talk(&self, side: Side, facts: &Arc<Facts>) -> Result<(), Error> {
        let woken = Arc::new(Notify::new());
        let session = in_time(async {
            let address = self.told.address(side);
            let woken = Arc::clone(&woken);
            let session = Session::connect_listening(address, "proxy", woken).await?;
            session.batch(SESSION).await?;
            tables::prepare(&session).await?;
            tables::register(&session, &self.card).await?;
            Ok(session)
        });
        let session = Arc::new(session.await?);
        let (ask, asked) = mpsc::channel(WAITING_MAX);
        // What was begun is done to its end, also if the session breaks meanwhile.
        let (answers, all) = (Arc::clone(&session), Arc::clone(facts));
        let wake = Arc::clone(&woken);
        tokio::spawn(async move { answer_all(asked, &answers, &all, &wake).await });
        self.beat((side, &session), &woken, ask, facts).await
    }

    async fn beat(
        &self,
        (side, session): (Side, &Session),
        woken: &Notify,
        ask: mpsc::Sender<(i64, Request)>,
        facts: &Facts,
    ) -> Result<(), Error> {
        let client = session.client();
        let (beat, asked) = in_time(async {
            Ok((
                client.prepare(tables::BEAT).await?,
                client.prepare(tables::ASKED).await?,
            ))
        })
        .await?;
        let every = BEAT_MAX.min(self.told.lease / 4);
        let line = self.line(side);
        let mut last = 0_i64;
        let mut looked = Instant::now()
            .checked_sub(OTHERS_EVERY)
            .unwrap_or_else(Instant::now);
        loop {
            tokio::time::sleep(BEAT_MIN).await;
            let at = Instant::now();
            let row = in_time(async { Ok(client.query_one(&beat, &[&self.card.id]).await?) });
            let Some(knowledge) = tables::knowledge(&row.await?) else {
                return Ok(());
            };
            *line.heard() = Some(Heard {
                asked: at,
                knowledge,
            });
            line.found(side);
            self.news.notify_one();
            let rows = in_time(async { Ok(client.query(&asked, &[&self.card.id, &last]).await?) });
            for row in rows.await? {
                let (id, text): (i64, String) = (row.get(0), row.get(1));
                last = last.max(id);
                // Whoever asks in other words waits in vain, and says so.
                if let Ok(request) = serde_json::from_str(&text)
                    && ask.try_send((id, request)).is_err()
                {
                    tracing::warn!("more is asked of this proxy than it can answer");
                }
            }
            if looked.elapsed() >= OTHERS_EVERY && side == facts.service.registry.turns().side() {
                looked = Instant::now();
                let members = in_time(tables::members(session)).await?;
                let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
                *others = Some((looked, members));
            }
            // A notification that came meanwhile ends the wait at once.
            let _ = tokio::time::timeout(every, woken.notified()).await;
        }
    }

    /// Holds clients when the lease is over, and lets them go on where traffic goes.
    async fn watch(&self, service: &Arc<Service>) {
        let mut fenced_at = None;
        let mut told = None;
        loop {
            let _ = tokio::time::timeout(WATCH_EVERY, self.news.notified()).await;
            // Both at one moment: a decision that is read between a verdict and what is made of it would be
            // taken for another one.
            let known =
                [Side::Source, Side::Target].map(|side| self.line(side).within(self.told.lease));
            let heard = |side: Side| match side {
                Side::Source => known[0],
                Side::Target => known[1],
            };
            let serves = service.registry.turns().side();
            let went = service.promises.went();
            let here = heard(serves);
            if here.is_none() {
                self.hold(service, || {
                    let lease = self.told.lease;
                    format!(
                        "the {serves} has not told this proxy for {lease:?} that traffic goes there"
                    )
                });
            }
            let verdict = Verdict::of(heard(Side::Source), heard(Side::Target));
            // A fence that is up while nobody has asked this process to wait: it was left out. Seen
            // twice, for what was read before an attempt ended is not news.
            let is_fenced = here.is_some_and(|here| here.fenced > here.switched.max(went))
                && service.promises.made().is_none()
                && !matches!(verdict, Verdict::Serves(side, _) if side == serves);
            let asked = self.line(serves).heard().map(|heard| heard.asked);
            match (is_fenced, fenced_at) {
                (false, _) => fenced_at = None,
                (true, None) => fenced_at = asked,
                (true, first) if first != asked => {
                    self.hold(service, || format!("traffic is leaving the {serves}"));
                }
                (true, _) => {}
            }
            let is_held = service.pauses.in_force(&Hold::Lease).is_some();
            // An attempt that was decided against, and nobody has told this process.
            let decided = heard(serves.other()).map_or(0, |there| there.decided);
            if let Some(promised) = service.promises.made()
                && promised <= decided
                && matches!(verdict, Verdict::Serves(side, _) if side == serves)
            {
                tracing::info!("attempt {promised} was aborted, as the servers say");
                switch::abort(service, promised, false);
            }
            match verdict {
                // Also while nobody was asked: an attempt may have left this process out. What a server said
                // before the last move is no reason to go back.
                Verdict::Serves(side, attempt) if side != serves && attempt > went => {
                    match switch::switch(service, attempt, side).await {
                        Ok(_) => self.go_on(service),
                        Err(problem) => tracing::warn!("not gone to the {side} yet: {problem}"),
                    }
                }
                Verdict::Serves(side, attempt) if side == serves && heard(side).is_some() => {
                    service.promises.came(attempt);
                    self.go_on(service);
                }
                Verdict::Undecided(to, attempt)
                    if is_held && !service.promises.is_over(attempt) =>
                {
                    service.pauses.hold_as(&Hold::Cutover, attempt);
                    let doubt = Doubt {
                        attempt,
                        to,
                        at: self.told.address(to).to_string(),
                        left: self.told.address(to.other()).to_string(),
                    };
                    let noted_for = heard(to.other()).map(|there| there.noted_for);
                    let lease = noted_for.unwrap_or_default().max(self.told.lease);
                    if switch::promise(service, doubt, lease, Ground::Noted) {
                        self.go_on(service);
                    }
                }
                Verdict::Ask(side) | Verdict::Unclear(side, _) if told != Some(side) => {
                    // At the start it takes a moment.
                    let held = service.pauses.held_for(&Hold::Lease);
                    if held.is_some_and(|held| held > BEAT_MAX) {
                        tracing::warn!(
                            "clients wait until the {side} says whether traffic goes there; if an attempt \
                             was interrupted, run the command again that began it"
                        );
                        told = Some(side);
                    }
                }
                _ => {}
            }
            if !matches!(verdict, Verdict::Ask(_) | Verdict::Unclear(..)) {
                told = None;
            }
        }
    }

    fn hold(&self, service: &Service, why: impl FnOnce() -> String) {
        if service.pauses.in_force(&Hold::Lease).is_none() {
            tracing::warn!("{}: clients wait", why());
            service.pauses.hold_as(&Hold::Lease, 0);
        }
    }

    fn go_on(&self, service: &Service) {
        if service.pauses.resume(&Hold::Lease) {
            let serves = service.registry.turns().side();
            tracing::info!("traffic goes to the {serves}, as the servers say");
        }
    }
}

/// Answers what is asked, for as long as somebody may ask. What takes its time keeps nobody waiting: an
/// attempt may be given up while clients are being held for it.
async fn answer_all(
    mut asked: mpsc::Receiver<(i64, Request)>,
    session: &Arc<Session>,
    facts: &Arc<Facts>,
    woken: &Arc<Notify>,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE_MAX));
    while let Some((id, request)) = asked.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (session, facts) = (Arc::clone(session), Arc::clone(facts));
        let woken = Arc::clone(woken);
        tokio::spawn(async move {
            let reply = answer(request, &facts).await;
            // Plain values: it cannot fail.
            let text = serde_json::to_string(&reply).unwrap_or_default();
            let answered = in_time(async { session.execute(tables::ANSWER, &[&id, &text]).await });
            if let Err(error) = answered.await {
                tracing::warn!(
                    "what was asked of this proxy is not answered: {}",
                    chain(&error)
                );
            }
            // What the server says may be another thing by now.
            woken.notify_one();
            drop(place);
        });
    }
}

async fn answer(request: Request, facts: &Facts) -> Reply {
    match request {
        request @ (Request::Status
        | Request::Clients
        | Request::Mirrors
        | Request::Survey { .. }
        | Request::Drain { .. }
        | Request::Hold { .. }
        | Request::Promise { .. }
        | Request::WarmUp { .. }
        | Request::Switch { .. }
        | Request::Abort { .. }) => control::answer_to(request, facts).await,
        _ => Reply::Refused {
            problem: "that is asked by the control socket only".to_owned(),
            hint: None,
            sqlstate: None,
        },
    }
}

/// What a server does within its time.
async fn in_time<T>(doing: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(ANSWER_MAX, doing).await {
        Ok(done) => done,
        Err(_) => Err(Error::Lost(Some(std::io::ErrorKind::TimedOut.into()))),
    }
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "?".to_owned())
}
