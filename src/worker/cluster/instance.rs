//! One throw-away cluster, from claim to removal.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::folder::{ClaimedFolder, Place, Registry};
use super::process::{Server, StopMode};
use super::template::{self, SUPERUSER};
use super::user::ServerUser;
use super::{ClusterError, Programs};

/// How many ports are tried before giving up: each can be taken by someone else in the moment
/// between our finding it free and the server's binding it.
const PORT_ATTEMPTS: u32 = 8;
/// How long a restart waits for its own port, which a passing connection may hold meanwhile.
const PORT_WAIT: Duration = Duration::from_secs(20);

/// What every cluster needs to be a source or a target of change capture.
const SETTINGS: [(&str, &str); 4] = [
    ("listen_addresses", "127.0.0.1"),
    ("wal_level", "logical"),
    ("max_wal_senders", "10"),
    ("max_replication_slots", "10"),
];

/// What to make a [`Cluster`] of.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// What it is for: `source`, `target`. Part of its folder's name.
    pub name: String,
    /// Where the server's programs are; looked for if absent, see [`Programs::find`].
    pub bin_dir: Option<PathBuf>,
    /// Settings as `postgresql.conf` has them. Later ones win, and all win over the defaults:
    /// `wal_level=logical`, ten walsenders, ten slots.
    pub settings: Vec<(String, String)>,
    /// See [`ClusterOptions::volatile`].
    pub is_volatile: bool,
}

impl ClusterOptions {
    /// A cluster named `name`, with nothing but the defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// With this setting too.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Without care for what is there after a power cut, and in memory if there is room, which
    /// makes it several times as fast. A killed server still recovers.
    pub fn volatile(self) -> Self {
        let volatile = Self {
            is_volatile: true,
            ..self
        };
        volatile
            .setting("fsync", "off")
            .setting("full_page_writes", "off")
    }
}

/// A PostgreSQL cluster that exists for as long as this value does.
#[derive(Debug)]
pub struct Cluster {
    // Fields are dropped in order: the server ends before its folder goes.
    server: Option<Server>,
    folder: ClaimedFolder,
    programs: Programs,
    user: ServerUser,
    settings: Vec<(String, String)>,
    port: u16,
}

impl Cluster {
    /// Makes a cluster and starts it on a free port; it accepts connections when this returns.
    pub fn create(options: &ClusterOptions) -> Result<Self, ClusterError> {
        let programs = Programs::find(options.bin_dir.as_deref())?;
        let user = ServerUser::choose()?;
        let place = match options.is_volatile {
            true => Place::Memory,
            false => Place::Disk,
        };
        let registry = Registry::open(user, place)?;
        let folder = registry.claim(&options.name)?;
        let data = folder.path().join("data");
        template::make_data_folder(&registry, &programs, &options.name, &data)?;
        let defaults = SETTINGS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter();
        let mut cluster = Self {
            server: None,
            programs,
            user,
            settings: defaults.chain(options.settings.iter().cloned()).collect(),
            folder,
            port: 0,
        };
        cluster.start_on_a_free_port()?;
        Ok(cluster)
    }

    /// Makes a hot standby of this cluster and starts it on a free port; it takes read-only
    /// connections when this returns. Needs `pg_basebackup` in the same installation.
    ///
    /// A slot of its own keeps what it has yet to receive: without one, a checkpoint of this
    /// cluster before the standby's first connection removes WAL that it needs.
    pub fn standby(&self, options: &ClusterOptions) -> Result<Self, ClusterError> {
        let user = ServerUser::choose()?;
        let place = match options.is_volatile {
            true => Place::Memory,
            false => Place::Disk,
        };
        let folder = Registry::open(user, place)?.claim(&options.name)?;
        let data = folder.path().join("data");
        let primary = self.uri("postgres");
        let name = folder.path().file_name().unwrap_or_default();
        let slot = name.to_string_lossy().replace('-', "_");
        user.run(
            &self.programs.path("pg_basebackup"),
            &[
                OsStr::new("--pgdata"),
                data.as_os_str(),
                OsStr::new("--dbname"),
                OsStr::new(&primary),
                OsStr::new("--wal-method=stream"),
                OsStr::new("--checkpoint=fast"),
                OsStr::new("--write-recovery-conf"),
                OsStr::new("--create-slot"),
                OsStr::new("--slot"),
                OsStr::new(&slot),
                OsStr::new("--no-sync"),
            ],
            folder.path(),
        )?;
        let defaults = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut standby = Self {
            server: None,
            programs: self.programs.clone(),
            user,
            settings: defaults
                .into_iter()
                .chain(options.settings.iter().cloned())
                .collect(),
            folder,
            port: 0,
        };
        standby.start_on_a_free_port()?;
        Ok(standby)
    }

    /// A connection string for the database `dbname`, over TCP, as the superuser.
    pub fn uri(&self, dbname: &str) -> String {
        format!("postgresql://{SUPERUSER}@127.0.0.1:{}/{dbname}", self.port)
    }

    /// The same over the Unix socket.
    pub fn socket_uri(&self, dbname: &str) -> String {
        format!(
            "postgresql:///{dbname}?host={}&port={}&user={SUPERUSER}",
            self.folder.path().display(),
            self.port
        )
    }

    /// The TCP port on 127.0.0.1; the same for the cluster's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The installation that the server is of.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The postmaster's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Starts a stopped cluster again, on the same port.
    pub fn start(&mut self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + PORT_WAIT;
        while self.server.is_none() {
            match self.start_server() {
                Err(error) if is_port_taken(&error) && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(100));
                }
                result => return result,
            }
        }
        Ok(())
    }

    /// Stops the server; what is in it stays.
    pub fn stop(&mut self, mode: StopMode) -> Result<(), ClusterError> {
        self.running()?.stop(mode)
    }

    /// Ends the server's processes as SIGKILL does; [`Cluster::start`] then recovers.
    pub fn kill(&mut self) -> Result<(), ClusterError> {
        self.running()?.kill()
    }

    /// Stops and starts.
    pub fn restart(&mut self, mode: StopMode) -> Result<(), ClusterError> {
        self.stop(mode)?;
        self.start()
    }

    /// Adds settings that hold from the next start on.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.settings.push((name.into(), value.into()));
    }

    fn running(&mut self) -> Result<Server, ClusterError> {
        let log = self.log();
        self.server.take().ok_or(ClusterError::NotRunning { log })
    }

    fn start_on_a_free_port(&mut self) -> Result<(), ClusterError> {
        let mut attempt = 1;
        loop {
            self.port = free_port()?;
            match self.start_server() {
                Err(error) if is_port_taken(&error) && attempt < PORT_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    fn start_server(&mut self) -> Result<(), ClusterError> {
        let mut settings = self.settings.clone();
        settings.push(("port".to_owned(), self.port.to_string()));
        settings.push((
            "unix_socket_directories".to_owned(),
            self.folder.path().display().to_string(),
        ));
        let (data, log) = (self.data(), self.log());
        let server = Server::start(&self.programs, &self.user, &data, &log, &settings)?;
        self.server = Some(server);
        Ok(())
    }
}

fn free_port() -> Result<u16, ClusterError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(ClusterError::io(
            "finding a free port on",
            Path::new("127.0.0.1"),
        ))
}

fn is_port_taken(error: &ClusterError) -> bool {
    matches!(error, ClusterError::DidNotStart { message, .. }
        if message.contains("Address already in use"))
}
