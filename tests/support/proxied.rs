//! A server behind a running proxy.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use ::pgflit::worker::cluster::{Cluster, ClusterOptions};
use tempfile::TempDir;

use super::{Database, Pgflit, Run, SOON, eventually_some, pgflit, source_options};

/// One cluster with the database `app`, and a proxy before it.
pub(crate) struct Proxied {
    /// The proxy; ended first.
    pub(crate) proxy: Run,
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
    /// The database without the proxy.
    pub(crate) direct: Database,
    /// The database through it.
    pub(crate) database: Database,
    /// To stop, start or kill the server.
    pub(crate) cluster: Cluster,
    folder: TempDir,
}

impl Proxied {
    /// With the defaults.
    pub(crate) fn new() -> Self {
        Self::with(source_options(), |proxy| proxy)
    }

    /// With these options of the server, and these of the proxy.
    pub(crate) fn with(options: ClusterOptions, proxy: impl FnOnce(Pgflit) -> Pgflit) -> Self {
        Self::start(options, |command, direct| proxy(command.source(direct)))
    }

    /// The same for clients that ask for any database of the server.
    pub(crate) fn of_any_database(options: ClusterOptions) -> Self {
        Self::start(options, |command, direct| {
            let server = direct.uri().strip_suffix("app").expect("its name is last");
            command.arg("--source").arg(server)
        })
    }

    fn start(options: ClusterOptions, proxy: impl FnOnce(Pgflit, &Database) -> Pgflit) -> Self {
        let cluster = Cluster::create(&options).expect("a cluster");
        Database::of(&cluster, "postgres").sql("CREATE DATABASE app");
        let direct = Database::of(&cluster, "app");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let command = pgflit("proxy --listen 127.0.0.1:0").dir(folder.path().join("work"));
        let mut proxy = proxy(command, &direct).start();
        let port = eventually_some(SOON, "the proxy listens", || {
            assert!(proxy.is_running(), "the proxy ended: {}", proxy.stderr());
            let printed = proxy.stderr();
            let (_, rest) = printed.split_once("listening on 127.0.0.1:")?;
            rest.lines().next()?.trim().parse().ok()
        });
        Proxied {
            database: direct.at_port(cluster.port(), port),
            proxy,
            port,
            direct,
            cluster,
            folder,
        }
    }

    /// `pgflit` with the words of `subcommand`, in the proxy's work directory.
    pub(crate) fn ask(&self, subcommand: &str) -> Pgflit {
        pgflit(subcommand).dir(self.folder.path().join("work"))
    }

    /// What `pgflit proxy status --json` prints.
    #[track_caller]
    pub(crate) fn status(&self) -> serde_json::Value {
        let status = self.ask("proxy status --json").run().assert_code(0);
        serde_json::from_str(&status.stdout).expect("JSON")
    }

    /// Pauses for at most `limit`; returns once it is complete.
    #[track_caller]
    pub(crate) fn pause(&self, limit: &str) {
        let pause = self.ask(&format!("proxy pause --timeout {limit}"));
        pause.run().assert_code(0);
    }

    /// Ends a pause.
    #[track_caller]
    pub(crate) fn resume(&self) {
        self.ask("proxy resume").run().assert_code(0);
    }

    /// A socket to the proxy on which nothing is said yet.
    pub(crate) fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy listens");
        socket.set_read_timeout(Some(SOON)).expect("a time limit");
        socket.set_nodelay(true).expect("an option of every socket");
        socket
    }

    /// A path in a folder that goes with this.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A session of a driver through the proxy, whose connection is driven by `runtime`.
    pub(crate) fn driver(&self, runtime: &tokio::runtime::Runtime) -> tokio_postgres::Client {
        self.try_driver(runtime, "user=postgres")
            .unwrap_or_else(|error| panic!("connecting through the proxy: {error:?}"))
    }

    /// The same as another role or with more settings, or the refusal.
    pub(crate) fn try_driver(
        &self,
        runtime: &tokio::runtime::Runtime,
        settings: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let text = format!("host=127.0.0.1 port={} dbname=app {settings}", self.port);
        runtime.block_on(async {
            let connecting = tokio_postgres::connect(&text, tokio_postgres::NoTls);
            let limit = Duration::from_secs(60);
            let connected = tokio::time::timeout(limit, connecting).await;
            let (client, connection) = connected.expect("no hang")?;
            tokio::spawn(connection);
            Ok(client)
        })
    }
}

/// What drivers run on in tests; their connections are driven while something is waited for.
pub(crate) fn driver_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
