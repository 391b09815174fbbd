//! One source that users are looked up on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::LookupError;
use crate::base::Remedy;
use crate::pg::{Address, Session};
use crate::proxy::config::{AuthQuery, Stored, User};

/// Queries at a time, and so sessions: what strangers can take of the source's connections.
const QUERIES_MAX: usize = 4;

/// How long a session is kept that nobody needs.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// A longer password is none.
const PASSWORD_BYTES_MAX: usize = 16 * 1024;

/// A source, and sessions on it.
#[derive(Debug)]
pub struct Server {
    address: Address,
    query: String,
    timeout: Duration,
    turns: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    sessions: Vec<(Session, Instant)>,
    /// Whether somebody closes those that are not needed.
    is_watched: bool,
}

impl Server {
    /// Connects to nothing.
    pub fn new(address: Address, query: &AuthQuery) -> Self {
        // More than one row is told; millions would be read first. The name is a parameter.
        let asked = query.query.trim_end().trim_end_matches(';');
        Server {
            address,
            query: format!("SELECT * FROM ({asked}\n) AS found LIMIT 2"),
            timeout: query.timeout,
            turns: Semaphore::new(QUERIES_MAX),
            idle: Mutex::default(),
        }
    }

    /// The role `name`; none if there is none.
    ///
    /// # Errors
    /// It cannot be asked, or not in time.
    pub async fn find(self: &Arc<Self>, name: &str) -> Result<Option<User>, LookupError> {
        let find = async {
            // Nobody closes it.
            let _turn = self.turns.acquire().await;
            if let Some(session) = self.take() {
                match self.ask(session, name).await {
                    // The source has closed it meanwhile.
                    Err(LookupError::Server(error)) if error.remedy() == Remedy::Retry => {}
                    answer => return answer,
                }
            }
            let session = Session::connect(&self.address, "auth query").await?;
            let limit = format!("SET statement_timeout = {}", self.timeout.as_millis());
            session.batch(&limit).await?;
            self.ask(session, name).await
        };
        let found = tokio::time::timeout(self.timeout, find).await;
        found.unwrap_or(Err(LookupError::TooLong))
    }

    async fn ask(
        self: &Arc<Self>,
        session: Session,
        name: &str,
    ) -> Result<Option<User>, LookupError> {
        let rows = session.query(&self.query, &[&name]).await?;
        self.put_back(session);
        let row = match rows.as_slice() {
            [] => return Ok(None),
            [row] => row,
            _ => return Err(LookupError::Query("gives several rows for one role")),
        };
        if row.len() != 2 {
            return Err(LookupError::Query("does not give two columns"));
        }
        let text = |column: usize| row.try_get::<_, Option<&str>>(column);
        let (Ok(found), Ok(password)) = (text(0), text(1)) else {
            return Err(LookupError::Query("gives columns that are no text"));
        };
        if found != Some(name) {
            return Err(LookupError::Query("gives another role than was asked for"));
        }
        if password.is_some_and(|password| password.len() > PASSWORD_BYTES_MAX) {
            return Err(LookupError::Query("gives a password that is too long"));
        }
        Ok(Some(User {
            name: name.to_owned(),
            stored: password.map_or(Stored::Nothing, Stored::of),
            certificate_name: None,
        }))
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle();
        idle.sessions.pop().map(|(session, _)| session)
    }

    fn put_back(self: &Arc<Self>, session: Session) {
        let mut idle = self.idle();
        idle.sessions.push((session, Instant::now()));
        if !std::mem::replace(&mut idle.is_watched, true) {
            let server = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(IDLE_MAX).await;
                    let Some(server) = server.upgrade() else {
                        return;
                    };
                    let mut idle = server.idle();
                    idle.sessions
                        .retain(|(_, since)| since.elapsed() < IDLE_MAX);
                    if idle.sessions.is_empty() {
                        idle.is_watched = false;
                        return;
                    }
                }
            });
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
