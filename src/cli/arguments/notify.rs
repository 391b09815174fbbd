//! The options of who is told what happens.

use clap::Args;

use crate::cli::error::UsageError;
use crate::cli::options::{NotifySettings, WebhookUrl};
use crate::cli::settings::Settings;

#[derive(Args)]
#[command(next_help_heading = "Notifications")]
pub(super) struct NotifyArgs {
    /// Post each stage, warning, error and the end as JSON to this URL
    #[arg(long, value_name = "URL")]
    notify: Option<WebhookUrl>,
    /// Run this by a shell for each of them, with the same JSON on its stdin
    #[arg(long, value_name = "COMMAND")]
    notify_command: Option<String>,
}

impl NotifyArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<NotifySettings, UsageError> {
        Ok(NotifySettings {
            url: settings.value("notify", self.notify)?,
            command: settings.value("notify-command", self.notify_command)?,
        })
    }
}
