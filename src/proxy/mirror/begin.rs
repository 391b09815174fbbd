//! The mirrors of a session that begins.

use std::sync::Arc;

use super::feed::Feed;
use super::link::Route;
use super::tap::Tap;
use super::worker::{self, Session};
use crate::base::Side;
use crate::proxy::auth::Credential;
use crate::proxy::config::databases::Server;
use crate::proxy::config::{Config, MirrorConfig, MirrorMode, Stored};
use crate::proxy::login::Authentication;
use crate::proxy::service::Settings;
use crate::wire::startup::Startup;

/// Starts what says a client's session again, for each mirror that is sent its database; none if
/// there is none. Nothing is connected to before the client has said something.
pub fn begin(
    settings: &Settings,
    startup: &Startup,
    authentication: &Authentication,
    side: Side,
) -> Option<Box<Tap>> {
    let config = &settings.config;
    if settings.mirrors.is_empty() || startup.parameter("replication").is_some() {
        return None;
    }
    let asked = String::from_utf8_lossy(startup.database().unwrap_or_default()).into_owned();
    let user = String::from_utf8_lossy(startup.user().unwrap_or_default()).into_owned();
    let database = config.database(&asked)?;
    let shown = match authentication {
        Authentication::Shown(credential) => credential.clone(),
        // The server knows, and the proxy does not.
        Authentication::Passthrough => Credential::Nothing,
    };
    let mut feeds = Vec::new();
    let mut keeps_answers = false;
    for mirror in &settings.mirrors {
        let told = &mirror.config;
        let own = database.server(side);
        let of_others = |server: &&Server| *server != own && told.is_of(&asked);
        // Where traffic goes there is nothing to be mirrored to.
        let Some(server) = told.server(database).filter(of_others) else {
            continue;
        };
        let client = (user.as_str(), &shown);
        let route = route(server, startup, &asked, login(config, told, client));
        let own_route = self::route(own, startup, &asked, (&user, shown.clone()));
        let feed = Arc::new(Feed::new(Arc::clone(mirror)));
        tokio::spawn(worker::run(Session {
            mirror: Arc::clone(mirror),
            feed: Arc::clone(&feed),
            route: match told.mode {
                MirrorMode::Reads => route.reading_only(),
                MirrorMode::All | MirrorMode::Ddl | MirrorMode::Dml => route,
            },
            own_route,
        }));
        feeds.push(feed);
        keeps_answers |= told.compares;
    }
    (!feeds.is_empty()).then(|| Box::new(Tap::new(feeds, keeps_answers)))
}

/// As whom a mirror is logged in to.
fn login<'a>(
    config: &'a Config,
    mirror: &'a MirrorConfig,
    (client, shown): (&'a str, &'a Credential),
) -> (&'a str, Credential) {
    match mirror.user.as_ref().and_then(|name| config.user(name)) {
        None => (client, shown.clone()),
        Some(user) => {
            let credential = match &user.stored {
                Stored::Password(password) => Credential::Password(password.clone()),
                Stored::Md5(hash) => Credential::Md5(hash.clone()),
                // The configuration refuses the latter.
                Stored::Nothing | Stored::Scram(_) => Credential::Nothing,
            };
            (&user.name, credential)
        }
    }
}

fn route(
    server: &Server,
    startup: &Startup,
    asked: &str,
    (user, credential): (&str, Credential),
) -> Route {
    let mut startup = server.renamed(startup);
    for (name, value) in &mut startup.parameters {
        if name == b"user" {
            *value = user.as_bytes().to_vec();
        }
    }
    Route {
        address: server.address(asked),
        startup,
        user: user.to_owned(),
        credential,
    }
}
