//! One thing that is told.

use std::path::PathBuf;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::ExitCode;

/// What all news of one process are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// The command: `clone`, `cutover`.
    pub command: &'static str,
    /// The work directory.
    #[serde(rename = "dir")]
    pub work_dir: PathBuf,
    /// The machine it runs on.
    pub host: String,
}

/// What kind of news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Where it has come to.
    Stage,
    /// The target is far behind, or near again.
    Lag,
    /// Something to look at; it goes on.
    Warning,
    /// Something has failed.
    Error,
    /// The command has ended.
    End,
}

impl Kind {
    /// As it stands in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Stage => "stage",
            Kind::Lag => "lag",
            Kind::Warning => "warning",
            Kind::Error => "error",
            Kind::End => "end",
        }
    }
}

/// One thing that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    pub(super) kind: Kind,
    pub(super) message: String,
    pub(super) at: SystemTime,
    /// The exit code, of the end.
    pub(super) code: Option<u8>,
}

/// As it is delivered.
#[derive(Serialize)]
struct Delivered<'a> {
    event: Kind,
    /// What chat rooms show.
    text: String,
    message: &'a str,
    at: String,
    pid: u32,
    #[serde(flatten)]
    about: &'a About,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "is_zero")]
    missed: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_zero(missed: &u64) -> bool {
    *missed == 0
}

impl News {
    pub(super) fn now(kind: Kind, message: String) -> Self {
        News {
            kind,
            message,
            at: SystemTime::now(),
            code: None,
        }
    }

    pub(super) fn end(about: &About, code: ExitCode, problem: Option<&str>) -> Self {
        let message = match (code, problem) {
            (ExitCode::Done, _) => "done".to_owned(),
            (ExitCode::Stopped, _) => "stopped as asked".to_owned(),
            (ExitCode::Busy, _) => {
                format!("not run: it runs already in {}", about.work_dir.display())
            }
            (_, Some(problem)) => problem.to_owned(),
            (code, None) => format!("ended with exit code {}", code.number()),
        };
        News {
            code: Some(code.number()),
            ..News::now(Kind::End, message)
        }
    }

    /// One line of JSON. `missed` news were not told before it.
    pub(super) fn json(&self, about: &About, missed: u64) -> String {
        let at = Timestamp::try_from(self.at).unwrap_or_default();
        let mark = match self.kind {
            Kind::Warning => "warning: ",
            Kind::Error => "error: ",
            Kind::End if self.code != Some(0) => "ended: ",
            Kind::Stage | Kind::Lag | Kind::End => "",
        };
        let delivered = Delivered {
            event: self.kind,
            text: format!(
                "pgflit {} on {}: {mark}{}",
                about.command, about.host, self.message
            ),
            message: &self.message,
            at: at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            pid: std::process::id(),
            about,
            code: self.code,
            missed,
        };
        // A path that is no UTF-8 is all that could fail.
        serde_json::to_string(&delivered).unwrap_or_else(|error| {
            format!(
                "{{\"event\":\"{}\",\"text\":\"{error}\"}}",
                self.kind.as_str()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_one_line_of_json_that_chat_rooms_can_show() {
        let about = About {
            command: "clone",
            work_dir: PathBuf::from("/var/lib/pgflit/shop"),
            host: "mover".to_owned(),
        };
        let news = News::end(&about, ExitCode::Target, Some("no \"such\"\ntable"));
        let json: serde_json::Value =
            serde_json::from_str(&news.json(&about, 2)).expect("it is JSON");
        assert_eq!(json["event"], "end");
        assert_eq!(
            json["text"],
            "pgflit clone on mover: ended: no \"such\"\ntable"
        );
        assert_eq!(json["code"], ExitCode::Target.number());
        assert_eq!(json["dir"], "/var/lib/pgflit/shop");
        assert_eq!(json["missed"], 2);
        let stage = News::now(Kind::Stage, "live replay".to_owned()).json(&about, 0);
        assert!(!stage.contains('\n') && !stage.contains("missed") && !stage.contains("code"));
    }
}
