//! The command line: everything parses, what is wrong is refused, generated files are in step.

mod bad_input;
mod drift;
mod logging;
mod proxy_config;
mod settings;
mod signals;
mod tree;

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::support::assert_explained;

/// A command line whose errors are looked up on the page about troubleshooting.
struct Typed(Command);

/// pgflit in an environment that holds nothing but a home.
fn pgflit() -> Typed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgflit"));
    command.env_clear().env("HOME", "/nonexistent");
    Typed(command)
}

impl Typed {
    fn arg(&mut self, argument: &str) -> &mut Self {
        self.0.arg(argument);
        self
    }

    fn args<A: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = A>) -> &mut Self {
        self.0.args(arguments);
        self
    }

    fn current_dir(&mut self, folder: &Path) -> &mut Self {
        self.0.current_dir(folder);
        self
    }

    #[track_caller]
    fn assert(&mut self) -> Assert {
        let assert = self.0.assert();
        assert_explained(&String::from_utf8_lossy(&assert.get_output().stderr));
        assert
    }

    fn output(&mut self) -> io::Result<Output> {
        let output = self.0.output()?;
        assert_explained(&String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }
}
