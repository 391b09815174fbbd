//! Who runs the server.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};

use super::ClusterError;

/// Users to run as when pgflit itself is root, which PostgreSQL refuses to be.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The user that the server's processes and files belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerUser {
    uid: Uid,
    gid: Gid,
    /// Whether it is another than the user of this process.
    other: bool,
}

impl ServerUser {
    /// This process's own user or, when that is root, the first of [`UNPRIVILEGED`] that exists.
    pub(super) fn choose() -> Result<Self, ClusterError> {
        if !Uid::effective().is_root() {
            return Ok(Self {
                uid: Uid::effective(),
                gid: Gid::effective(),
                other: false,
            });
        }
        UNPRIVILEGED
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self {
                uid: user.uid,
                gid: user.gid,
                other: true,
            })
            .ok_or(ClusterError::NoUser)
    }

    /// The number in the name of the folder that is kept for this user's clusters.
    pub(super) fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// Makes `path` this user's own.
    pub(super) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        if !self.other {
            return Ok(());
        }
        nix::unistd::chown(path, Some(self.uid), Some(self.gid))
            .map_err(|errno| ClusterError::io("giving away", path)(errno.into()))
    }

    /// A command that will run as this user in `folder`, with messages in English, nothing on
    /// stdin, and none of the caller's libpq defaults.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if self.other {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Runs a program as this user to its end.
    pub(super) fn run(
        &self,
        program: &Path,
        arguments: &[&OsStr],
        folder: &Path,
    ) -> Result<(), ClusterError> {
        let output = self
            .command(program, folder)
            .args(arguments)
            .output()
            .map_err(|source| ClusterError::Spawn {
                program: program.to_owned(),
                source,
            })?;
        if output.status.success() {
            return Ok(());
        }
        Err(ClusterError::Program {
            program: program.to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}
