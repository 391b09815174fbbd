//! A webhook: one POST for each.

use std::thread;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::cli::options::WebhookUrl;

/// How long it may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The waits before it is asked again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Where news are posted to.
pub(super) struct Webhook {
    url: WebhookUrl,
    agent: Agent,
}

impl Webhook {
    pub(super) fn new(url: WebhookUrl) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_MAX))
            .http_status_as_error(false)
            // One that is followed becomes a GET without the news, and its answer a success.
            .max_redirects(0)
            .tls_config(tls)
            .user_agent(concat!("pgflit/", env!("CARGO_PKG_VERSION")))
            .build();
        Webhook {
            url,
            agent: config.new_agent(),
        }
    }

    pub(super) fn url(&self) -> &WebhookUrl {
        &self.url
    }

    /// Posts it. Whoever cannot answer now is asked again; whoever refuses is not.
    pub(super) fn post(&self, json: &str) -> Result<(), String> {
        let mut waits = AGAIN.iter();
        loop {
            let (problem, may_pass) = match self.post_once(json) {
                Ok(200..=299) => return Ok(()),
                Ok(status) => (
                    format!("it answers with status {status}"),
                    status == 429 || status >= 500,
                ),
                // Its text may name the URL.
                Err(error) => (problem(&error), !matches!(error, ureq::Error::BadUri(_))),
            };
            match waits.next() {
                Some(wait) if may_pass => thread::sleep(*wait),
                _ => return Err(problem),
            }
        }
    }

    fn post_once(&self, json: &str) -> Result<u16, ureq::Error> {
        let request = self.agent.post(self.url.secret());
        let request = request.content_type("application/json");
        Ok(request.send(json)?.status().as_u16())
    }
}

fn problem(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "it is no URL".to_owned(),
        error => error.to_string(),
    }
}
