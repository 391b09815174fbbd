//! What clap cannot derive: groups of commands, and which variable stands for an option.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use crate::cli::environment::Variable;

/// The commands of the front page, in the order in which someone meets them.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Migrate", &["check", "clone", "follow", "demo"]),
    ("Steer", &["sentinel"]),
    ("Look", &["status", "report", "compare", "list", "ping"]),
    ("Traffic", &["proxy", "cutover", "rollback", "finalize"]),
    (
        "Steps by hand",
        &["snapshot", "copy", "dump", "restore", "stream"],
    ),
    ("About pgflit", &["completions", "version", "help"]),
];

const EXAMPLES: &str = "\
Examples:
  pgflit check --source postgres://old/shop --target postgres://new/shop
  pgflit clone --follow --source … --target … --dir /var/lib/shop-move
  pgflit sentinel set endpos --current --dir /var/lib/shop-move";

/// Adds to every option the variable that stands for it, and to the front page the groups.
///
/// `--help` is the short form, which fits a screen or two; `pgflit help clone` and the man pages
/// have the variables and what each value means.
pub(super) fn complete(root: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .global(true)
        .action(ArgAction::HelpShort)
        .help_heading("Output")
        .help("Print this help; \"pgflit help COMMAND\" says more about each option");
    let root = name_variables(root).disable_help_flag(true).arg(help);
    let template = front_page(&root);
    root.help_template(template).after_help(EXAMPLES)
}

/// Hides the options that only the copy reads, where they are accepted for scripts' sake.
pub(super) fn hide_copy_options(arg: Arg) -> Arg {
    let only_copy = matches!(arg.get_help_heading(), Some("Copy" | "Checks"))
        || matches!(arg.get_id().as_str(), "all_databases" | "follow");
    let hidden = arg.is_hide_set() || only_copy;
    arg.hide(hidden)
}

/// Hides what receive accepts like every streaming step, and does not read.
pub(super) fn hide_apply_options(arg: Arg) -> Arg {
    let only_apply = matches!(
        arg.get_id().as_str(),
        "target"
            | "origin"
            | "progress_tracking"
            | "on_conflict"
            | "apply_jobs"
            | "replay_no_op_updates"
            | "yes"
    );
    let hidden = arg.is_hide_set() || only_apply;
    arg.hide(hidden)
}

/// Hides what apply accepts like every streaming step, and does not read.
pub(super) fn hide_receive_options(arg: Arg) -> Arg {
    let only_receive = matches!(
        arg.get_id().as_str(),
        "source"
            | "plugin"
            | "wal2json_numeric_as_string"
            | "slot_name"
            | "create_slot"
            | "publication"
            | "ack"
            | "compress_segments"
            | "cdc_disk_limit"
            | "new_tables"
            | "yes"
            | "snapshot"
    );
    let hidden = arg.is_hide_set() || only_receive;
    arg.hide(hidden)
}

/// Hides what transform, which touches no network, accepts like every streaming step.
pub(super) fn hide_network_options(arg: Arg) -> Arg {
    let id = arg.get_id().as_str().to_owned();
    let only_network = matches!(arg.get_help_heading(), Some("Connection" | "Resume"))
        && !matches!(id.as_str(), "restart" | "resume");
    let only_capture = arg.get_help_heading() == Some("Change capture")
        && !matches!(id.as_str(), "endpos" | "compress_segments");
    let hidden = arg.is_hide_set() || only_network || only_capture;
    arg.hide(hidden)
}

fn name_variables(command: Command) -> Command {
    command
        .mut_args(name_variable)
        .mut_subcommands(name_variables)
}

fn name_variable(arg: Arg) -> Arg {
    let Some(help) = arg.get_help() else {
        return arg;
    };
    let long_help = match arg.get_long().and_then(Variable::of_option) {
        Some(variable) => format!("{help} [env: PGFLIT_{}]", variable.name),
        None => help.to_string(),
    };
    arg.long_help(long_help)
}

fn front_page(root: &Command) -> StyledStr {
    let header = root.get_styles().get_header();
    let literal = root.get_styles().get_literal();
    let mut page = String::from("{about}\n\n{usage-heading} {usage}\n");
    for (title, names) in GROUPS {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "\n{header}{title}:{header:#}");
        for name in names {
            let about = match *name {
                "help" => "Print this, or the help of a command".to_owned(),
                name => about(root, name),
            };
            let _ = writeln!(page, "  {literal}{name:<12}{literal:#} {about}");
        }
    }
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "\n{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    StyledStr::from(page)
}

fn about(root: &Command, name: &str) -> String {
    let about = root.find_subcommand(name).and_then(Command::get_about);
    about.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::tree::definition;

    #[test]
    fn the_front_page_shows_every_command_once() {
        let mut shown: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let definition = definition();
        let commands = definition
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut known: Vec<_> = commands.map(Command::get_name).chain(["help"]).collect();
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }

    #[test]
    fn the_definition_is_one_that_clap_accepts() {
        definition().debug_assert();
    }
}
