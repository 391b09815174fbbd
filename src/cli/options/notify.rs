//! Who is told what happens.

use std::fmt;
use std::str::FromStr;

/// Who is told of stages, warnings, errors and the end.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NotifySettings {
    /// Gets each as a POST of JSON.
    pub url: Option<WebhookUrl>,
    /// Is run by a shell for each, with the JSON on its stdin.
    pub command: Option<String>,
}

/// A URL of `http` or `https`. It often is a secret itself, so it is never shown as a whole.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

/// It is no URL that can be posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no URL of http:// or https:// with a host")]
pub struct NoWebhookUrl;

impl FromStr for WebhookUrl {
    type Err = NoWebhookUrl;

    fn from_str(text: &str) -> Result<Self, NoWebhookUrl> {
        let rest = ["http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_plain = !text
            .chars()
            .any(|one| one.is_whitespace() || one.is_control());
        match host {
            Some(host) if is_plain && host.rsplit('@').next().is_some_and(|it| !it.is_empty()) => {
                Ok(WebhookUrl(text.to_owned()))
            }
            _ => Err(NoWebhookUrl),
        }
    }
}

impl WebhookUrl {
    /// All of it, for the request.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

/// Scheme and host, without what is secret.
impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}/…\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_shown_without_what_is_secret() {
        let url: WebhookUrl = "https://u:p@hooks.example.com:8443/services/T0/B0?key=x"
            .parse()
            .expect("a URL");
        assert_eq!(url.to_string(), "https://hooks.example.com:8443");
        assert!(!format!("{url:?}").contains("T0"));
    }

    #[test]
    fn what_cannot_be_posted_to_is_refused() {
        for text in [
            "",
            "hooks.example.com",
            "ftp://x/",
            "https://",
            "http:///x",
            "http://u@/x",
        ] {
            assert_eq!(text.parse::<WebhookUrl>(), Err(NoWebhookUrl), "{text}");
        }
        assert!("http://a b/".parse::<WebhookUrl>().is_err());
        assert!("http://a/\n".parse::<WebhookUrl>().is_err());
    }
}
