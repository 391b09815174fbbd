//! One client, from its first byte to its last.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;

use super::admin;
use super::admission;
use super::auth::Credential;
use super::cancel;
use super::channel::{Channel, ChannelError};
use super::gate::Turns;
use super::greeting::{self, GreetingError, Wish};
use super::login::{Authentication, LoggedIn, LoginError, passthrough};
use super::mirror::{self, tap::Tap};
use super::notice::{self, Refusal};
use super::opening::{self, Passport};
use super::registry::{ClientFacts, Entry, Registered, Replication, ServerSide, SessionState};
use super::relay::{Event, Relay};
use super::relocation::{self, Left};
use super::server;
use super::service::{Service, Settings};
use super::statistics::client::Wait;
use super::survey;
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::connect::Stream;
use crate::wire::startup::Startup;

/// How long a client waits, in a pause or for its server, before it is told why: shorter waits nobody notices.
pub(super) const TOLD_AFTER: Duration = Duration::from_secs(1);

/// How long a client may take to read why its connection ends.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// The first and the longest wait before a server that says "not now" is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Serves one client to its end.
pub async fn serve(service: Arc<Service>, stream: Stream, address: String) {
    let Some(admitted) = service.admit() else {
        let refusal = Refusal::new("53300", "too many clients are logging in");
        return end(Channel::new(stream), Some(&refusal)).await;
    };
    let settings = service.settings();
    let limit = settings.config.limits.login_timeout;
    let greeting = greeting::greet(stream, settings.tls.as_ref());
    match tokio::time::timeout(limit, greeting).await {
        Ok(Ok(Wish::Session(client, startup))) => {
            if let Some(console) = service.console_for(&settings, &startup) {
                return admin::listener::serve_session(client, &startup, address, &console).await;
            }
            let begun = (service.as_ref(), settings.as_ref());
            session(begun, client, &startup, address, admitted).await;
        }
        Ok(Ok(Wish::Cancel(client, key))) => {
            cancel::carry_anywhere(&service, &key).await;
            // The client waits for this close: from then on the cancel has been sent.
            drop(client);
        }
        Ok(Err(GreetingError::Closed)) => {}
        Ok(Err(error)) => tracing::info!(client = address, "{error}"),
        Err(_) => tracing::info!(client = address, "said nothing of use within {limit:?}"),
    }
}

async fn session(
    (service, settings): (&Service, &Settings),
    mut client: Channel,
    startup: &Startup,
    address: String,
    admitted: OwnedSemaphorePermit,
) {
    if startup.user().is_none() {
        let problem = "no PostgreSQL user name specified in startup packet";
        return end(client, Some(&Refusal::new("28000", problem))).await;
    }
    let facts = facts(startup, address, &client.stream);
    let mut registered = service.registry.add(facts);
    let entry = Arc::clone(&registered.entry);
    let opened = tokio::select! {
        opened = begin((service, settings), &mut client, &mut registered, startup, admitted) => opened,
        () = entry.asked_to_end() => Err(Some(ended_words(&entry))),
    };
    entry.statistics.end_wait(Wait::Server);
    match opened {
        Ok(opened) => {
            entry.database.count_login();
            speak(service, client, opened, &entry).await;
        }
        Err(refusal) => {
            if refusal.is_some() && !entry.is_asked_to_end() {
                entry.database.count_failed_login();
            }
            entry.set_state(SessionState::Waiting);
            entry.gate().settled();
            end(client, refusal.as_ref()).await;
        }
    }
}

/// Finds out who the client is, and opens its server connection. The error is what the client is to
/// be told; none if it has been, or has gone.
async fn begin(
    (service, settings): (&Service, &Settings),
    client: &mut Channel,
    registered: &mut Registered,
    startup: &Startup,
    admitted: OwnedSemaphorePermit,
) -> Result<Opened, Option<Refusal>> {
    let limits = &settings.config.limits;
    if service.registry.count()
        > usize::try_from(limits.max_client_connections).unwrap_or(usize::MAX)
    {
        let refusal = Refusal::new("53300", "sorry, too many clients already");
        return Err(Some(refusal));
    }
    if settings.lookup.is_some() {
        // While traffic is moved, neither server may let in whoever looks users up.
        let _ =
            tokio::time::timeout(limits.server_wait_limit, registered.entry.gate().opened()).await;
    }
    let facts = &registered.entry.facts;
    let authentication = admission::authenticate(
        service,
        (settings, &settings.policy),
        client,
        facts,
        startup,
    );
    let authentication = tokio::time::timeout(limits.login_timeout, authentication).await;
    let authentication = match authentication.unwrap_or_else(|_| Err(too_slow())) {
        Ok(authentication) => authentication,
        Err(error) => return Err(told(client, error).await),
    };
    // Who has shown who it is counts no more among those that have not.
    let admitted = Some(admitted).filter(|_| authentication == Authentication::Passthrough);
    // What is not there at all is told before anything is waited for.
    admission::destination(settings, startup, Side::Source).map_err(Some)?;
    let begun = (service, settings);
    let opened = match &authentication {
        Authentication::Passthrough => open(begun, client, registered, startup).await,
        Authentication::Shown(credential) => {
            registered.entry.statistics.begin_wait();
            let passport = Passport {
                startup: startup.clone(),
                credential: credential.clone(),
            };
            let opened = opening::open(begun, client, registered, &passport).await;
            let _ = registered.entry.passport.set(passport);
            opened
        }
    };
    drop(admitted);
    let mut opened = opened?;
    let side = opened.turns.side();
    opened.tap = mirror::begin::begin(settings, startup, &authentication, side);
    if let Some(tap) = &opened.tap {
        let _ = registered.entry.mirrors.set(tap.feeds().to_vec());
    }
    Ok(opened)
}

fn too_slow() -> LoginError {
    LoginError::Refused(Refusal::new("57014", "the login took too long"))
}

/// What a client says of itself.
pub(super) fn facts(startup: &Startup, address: String, stream: &Stream) -> ClientFacts {
    let text =
        |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    ClientFacts {
        address,
        user: text(startup.user()),
        database: text(startup.database()),
        application_name: text(startup.parameter("application_name")),
        is_encrypted: stream.is_encrypted(),
        replication: Replication::of(startup.parameter("replication")),
        local: stream.local_address(),
    }
}

/// A server connection that is logged in, and the right to have it.
pub(super) struct Opened {
    pub(super) server: Stream,
    pub(super) from_server: Bytes,
    pub(super) turns: Turns,
    pub(super) tap: Option<Box<Tap>>,
    pub(super) _slot: Option<OwnedSemaphorePermit>,
}

/// Opens a server connection, and lets the server find out who the client is. The error is what the
/// client is to be told; none if it has been, or has gone.
async fn open(
    (service, settings): (&Service, &Settings),
    client: &mut Channel,
    registered: &mut Registered,
    startup: &Startup,
) -> Result<Opened, Option<Refusal>> {
    registered.entry.statistics.begin_wait();
    let slot = service.slot(settings).await.map_err(Some)?;
    let limits = &settings.config.limits;
    let mut deadline = Instant::now() + limits.server_wait_limit;
    loop {
        if pass_gate(&registered.entry).await {
            // The gate may have been closed for longer than any server may be waited for.
            deadline = deadline.max(Instant::now() + limits.server_wait_limit / 4);
        }
        let turns = registered.entry.gate().turns();
        let destination = admission::destination(settings, startup, turns.side());
        let (renamed, address) = destination.map_err(Some)?;
        let opened = server::open(&address, deadline).await;
        let opened = opened.map_err(|error| {
            tracing::warn!("connecting to the server: {}", chain(&error));
            Some(Refusal::unreachable())
        })?;
        // How long the login takes is up to the client.
        registered.entry.statistics.end_wait(Wait::Server);
        let since = Instant::now();
        let (local, is_encrypted) = (opened.stream.local_address(), opened.stream.is_encrypted());
        let mut server = Channel::new(opened.stream);
        let login = passthrough::carry(client, &mut server, registered, &renamed);
        let login = tokio::time::timeout(limits.login_timeout, login).await;
        match login.unwrap_or_else(|_| Err(too_slow())) {
            Ok(LoggedIn {
                server_key,
                was_asked,
                from_server,
            }) => {
                if !was_asked {
                    let _ = registered.entry.passport.set(Passport {
                        startup: startup.clone(),
                        credential: Credential::Nothing,
                    });
                }
                registered.entry.set_server(ServerSide {
                    place: opened.place,
                    key: server_key,
                    local,
                    since,
                    is_encrypted,
                });
                return Ok(Opened {
                    server: server.stream,
                    from_server,
                    turns,
                    tap: None,
                    _slot: slot,
                });
            }
            Err(LoginError::NotNow(_)) if Instant::now() + ASK_AGAIN < deadline => {
                if registered.entry.statistics.waits_for().is_none() {
                    registered.entry.statistics.begin_wait();
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
            Err(error) => {
                if matches!(error, LoginError::RefusedByServer { is_of_proof: true }) {
                    admission::count_failure(service, settings, client);
                }
                if let LoginError::RefusedByServer { .. } | LoginError::NotNow(_) = error {
                    // The client has heard it from the server.
                    registered.entry.database.count_failed_login();
                }
                return Err(told(client, error).await);
            }
        }
    }
}

/// Waits while the gate is closed; then the session counts as logging in. Whether it has waited.
pub(super) async fn pass_gate(entry: &Entry) -> bool {
    let mut has_waited = false;
    let gate = entry.gate();
    loop {
        entry.set_state(SessionState::LoggingIn);
        if !gate.is_closed() {
            return has_waited;
        }
        has_waited = true;
        entry.set_state(SessionState::Waiting);
        gate.settled();
        gate.opened().await;
    }
}

/// What the client is to be told of a failed login.
async fn told(client: &mut Channel, error: LoginError) -> Option<Refusal> {
    match error {
        LoginError::RefusedByServer { .. } | LoginError::Client(ChannelError::Closed(_)) => None,
        LoginError::Refused(refusal) => Some(refusal),
        LoginError::Client(error) => Some(Refusal::protocol(error)),
        LoginError::NotNow(message) => {
            let _ = client.send(&message).await;
            None
        }
        LoginError::Server(error) => {
            tracing::warn!("logging in to the server: {}", chain(&error));
            Some(Refusal::new(
                "08006",
                "the server closed the connection during the login",
            ))
        }
    }
}

/// Client and server speak until one of them ends.
async fn speak(service: &Service, mut client: Channel, opened: Opened, entry: &Arc<Entry>) {
    let from_client = client.input.split().freeze();
    let relay = Relay::new(
        client.stream,
        opened.server,
        (from_client, opened.from_server),
        (Arc::clone(entry), opened.turns),
    );
    let has_elsewhere = service.settings().config.has_target(&entry.facts.database);
    let mut relay = match relay.map(|relay| relay.tapped(opened.tap)) {
        Ok(relay) if has_elsewhere && entry.passport.get().is_some() => relay.that_may_move(),
        Ok(relay) => relay,
        Err(error) => return tracing::warn!("the server said what is no message: {error}"),
    };
    poll_fn(|cx| {
        entry.set_relay(cx.waker());
        std::task::Poll::Ready(())
    })
    .await;
    let mut event = poll_fn(|cx| relay.poll(cx)).await;
    loop {
        let next = match event {
            Event::Held => {
                entry.statistics.begin_wait();
                let next = hold(&mut relay, entry).await;
                entry.statistics.end_wait(Wait::Pause);
                next
            }
            Event::Quiet => quiet(&mut relay, entry).await,
            Event::Elsewhere => match relocation::relocate(service, relay, entry).await {
                Ok(moved) => {
                    relay = moved;
                    None
                }
                Err(left) => return say_why(left, entry).await,
            },
            Event::Surveyed => match survey::answer(relay, entry).await {
                Ok(same) => {
                    relay = same;
                    None
                }
                Err(left) => return say_why(left, entry).await,
            },
            ended => {
                leave(relay, ended, entry).await;
                return;
            }
        };
        event = match next {
            Some(event) => event,
            None => poll_fn(|cx| relay.poll(cx)).await,
        };
    }
}

/// Tells a client that has lost its server why.
async fn say_why(Left { client, words }: Left, entry: &Entry) {
    entry.set_state(SessionState::Waiting);
    entry.gate().settled();
    end(Channel::new(client), words.as_ref()).await;
}

/// Keeps a client that speaks waiting until the gate opens. What the server says by itself still
/// reaches it.
async fn hold(relay: &mut Relay, entry: &Entry) -> Option<Event> {
    let told_at = tokio::time::Instant::now() + TOLD_AFTER;
    let mut is_told = false;
    loop {
        tokio::select! {
            () = entry.gate().opened() => {
                relay.go_on();
                return None;
            }
            event = poll_fn(|cx| relay.poll_from_server(cx)) => return Some(event),
            () = entry.asked_to_end() => return Some(Event::AskedToEnd),
            () = asked(entry, |entry| entry.is_asked_to_move()) => return Some(Event::Elsewhere),
            () = asked(entry, |entry| entry.survey.is_asked_while_held()) => {
                return Some(Event::Surveyed);
            }
            () = entry.cancel_held.notified() => {
                if poll_fn(|cx| std::task::Poll::Ready(relay.cancel_held(cx))).await {
                    relay.go_on();
                    return None;
                }
            }
            () = tokio::time::sleep_until(told_at), if !is_told => {
                is_told = true;
                relay.say_to_client(&notice::notice("waiting: traffic is paused for a moment"));
            }
        }
    }
}

/// Returns once the session is asked to do something. Whoever asks wakes the task as a whole.
async fn asked(entry: &Entry, what: impl Fn(&Entry) -> bool) {
    poll_fn(|_| match what(entry) {
        true => std::task::Poll::Ready(()),
        false => std::task::Poll::Pending,
    })
    .await;
}

/// Does not listen to a client that has asked something while the gate is closed, until it has its
/// answer.
async fn quiet(relay: &mut Relay, entry: &Entry) -> Option<Event> {
    tokio::select! {
        event = poll_fn(|cx| relay.poll_until_answered(cx)) => event,
        () = entry.gate().opened() => None,
        () = entry.asked_to_end() => Some(Event::AskedToEnd),
    }
}

/// Tells the client why it ends, if it does not know.
async fn leave(mut relay: Relay, ended: Event, entry: &Entry) {
    let id = entry.id;
    let last_words = match ended {
        Event::ClientEnded | Event::Lost(_) => None,
        Event::ServerEnded if relay.has_client_left() || relay.has_said_why() => None,
        Event::ServerEnded => {
            tracing::info!(
                client = id,
                "the server closed the connection without a word"
            );
            Some(Refusal::new(
                "57P01",
                "terminating connection because the server closed its side",
            ))
        }
        Event::ClientBroke(error) => {
            tracing::info!(client = id, "the client sent what is no message: {error}");
            Some(Refusal::protocol(error))
        }
        Event::ServerBroke(error) => {
            tracing::warn!(client = id, "the server said what is no message: {error}");
            Some(Refusal::new("08P01", "the server said what is no message"))
        }
        Event::AskedToEnd => Some(ended_words(entry)),
        Event::Held | Event::Quiet | Event::Elsewhere | Event::Surveyed => None,
    };
    if let Some(words) = &last_words {
        relay.say_to_client(&words.encode());
    }
    let flush = poll_fn(|cx| relay.poll_flush_client(cx));
    let _ = tokio::time::timeout(LAST_WORDS_MAX, flush).await;
    entry.set_state(SessionState::Waiting);
    entry.gate().settled();
    if last_words.is_some() {
        end(Channel::new(relay.into_client()), None).await;
    }
}

/// Why a session ends that was asked to.
fn ended_words(entry: &Entry) -> Refusal {
    let why = match entry.is_killed() {
        true => "terminating connection due to administrator command",
        false => "terminating connection because the proxy shuts down",
    };
    Refusal::new("57P01", why)
}

/// Sends the last words, if there are any, and closes. What the client still sends is read for a
/// moment: closing with it unread would reset the connection, and the client lose the words.
pub(super) async fn end(mut client: Channel, words: Option<&Refusal>) {
    let farewell = async {
        if let Some(words) = words {
            client.send(&words.encode()).await.ok()?;
        }
        tokio::io::AsyncWriteExt::shutdown(&mut client.stream)
            .await
            .ok()?;
        let mut rest = [0; 1024];
        while client.stream.read(&mut rest).await.ok()? > 0 {}
        Some(())
    };
    let _ = tokio::time::timeout(LAST_WORDS_MAX, farewell).await;
}
