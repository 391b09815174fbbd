//! Shell completions.

use clap_complete::Shell as ClapShell;

use crate::cli::arguments::tree::definition;
use crate::cli::invocation::Shell;

impl Shell {
    /// Every shell that there are completions for.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    /// The name under which the shell looks for the script.
    pub const fn file_name(self) -> &'static str {
        match self {
            Shell::Bash => "pgflit.bash",
            Shell::Zsh => "_pgflit",
            Shell::Fish => "pgflit.fish",
        }
    }
}

/// The script that teaches `shell` pgflit's commands and options.
pub fn completion_script(shell: Shell) -> Vec<u8> {
    let generator = match shell {
        Shell::Bash => ClapShell::Bash,
        Shell::Zsh => ClapShell::Zsh,
        Shell::Fish => ClapShell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut definition(), "pgflit", &mut script);
    script
}
