//! Unix sockets that are listened on: their files, from the first moment to the last.
//!
//! A socket is made under a name of its own, gets its permissions, is listened on, and only then
//! takes its name: nobody ever finds it half made, or wider open than it should be. A file that
//! nobody answers on is what a killed process has left, and is replaced.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::listener::BACKLOG;

/// A socket that is listened on; its file goes when this does.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is: a process that has taken the name over keeps its own.
    file: FileId,
}

/// Device and number of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl UnixSocket {
    /// Makes the socket at `path`, with the permissions `mode`.
    ///
    /// # Errors
    /// Somebody answers there (`AddrInUse`), or there is a file that is no socket; or those of the
    /// operating system.
    pub fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        match answers(path)? {
            true => Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process answers there",
            )),
            false => UnixSocket::bind_over(path, mode),
        }
    }

    /// The same where somebody may answer: who connects from now on comes here.
    ///
    /// # Errors
    /// There is a file that is no socket; or those of the operating system.
    pub fn bind_over(path: &Path, mode: u32) -> io::Result<Self> {
        refuse_other_files(path)?;
        let mut made = path.as_os_str().to_owned();
        made.push(format!(".{}", std::process::id()));
        let made = PathBuf::from(made);
        // Of a process that was killed in between and had our number.
        let _ = fs::remove_file(&made);
        let bound = UnixSocket::make(&made, mode).and_then(|(listener, file)| {
            fs::rename(&made, path)?;
            Ok(UnixSocket {
                listener,
                path: path.to_owned(),
                file,
            })
        });
        if bound.is_err() {
            let _ = fs::remove_file(&made);
        }
        bound
    }

    fn make(path: &Path, mode: u32) -> io::Result<(UnixListener, FileId)> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Nobody can connect before it is listened on.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
        socket.set_nonblocking(true)?;
        let listener = UnixListener::from_std(socket.into())?;
        Ok((listener, FileId::of(path)?))
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next who connects. Cancel safe.
    ///
    /// # Errors
    /// Those of the operating system.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }

    /// The socket itself, for what it has no method for.
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.listener)
    }

    /// Whether the file at `path` is this socket.
    pub fn is_at(&self, path: &Path) -> bool {
        FileId::of(path).is_ok_and(|file| file == self.file)
    }

    /// Takes the name away, if it is still this socket's. Nobody can connect from then on.
    pub fn unlink(&self) {
        if self.is_at(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        self.unlink();
    }
}

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(FileId(file.dev(), file.ino()))
    }
}

/// Whether somebody answers on the socket at `path`. Never waits.
///
/// # Errors
/// It cannot be found out, or the file is no socket.
pub fn answers(path: &Path) -> io::Result<bool> {
    refuse_other_files(path)?;
    match connect(path) {
        Ok(_) => Ok(true),
        // As many wait there as may.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Connects to the socket at `path`, without waiting for somebody who does not accept.
///
/// # Errors
/// `WouldBlock` if as many wait there as may; those of the operating system.
pub fn connect(path: &Path) -> io::Result<BlockingStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

fn refuse_other_files(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file that is no socket",
        )),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_nobody_answers_on_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        let first = UnixSocket::bind(&path, 0o750).expect("a socket");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        let refused = UnixSocket::bind(&path, 0o777).expect_err("in use");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        // What a killed process leaves.
        let left = folder.path().join("left");
        fs::hard_link(&path, &left).expect("another name");
        drop(first);
        assert!(!path.exists() && left.exists());
        assert!(!answers(&left).expect("a socket"));
        let second = UnixSocket::bind(&left, 0o777).expect("replaced");
        assert!(answers(&left).expect("a socket"));
        drop(second);
        fs::write(&path, "x").expect("written");
        assert!(UnixSocket::bind(&path, 0o777).is_err());
        assert!(UnixSocket::bind_over(&path, 0o777).is_err() && path.exists());
    }

    #[tokio::test]
    async fn who_has_lost_the_name_leaves_it_to_who_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        let first = UnixSocket::bind(&path, 0o777).expect("a socket");
        let waiting = UnixStream::connect(&path).await.expect("answers");
        let second = UnixSocket::bind_over(&path, 0o777).expect("taken over");
        // Who came before is the first's.
        first.accept().await.expect("it waits");
        drop((first, waiting));
        let _new = UnixStream::connect(&path).await.expect("answers");
        second.accept().await.expect("it waits");
        drop(second);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
