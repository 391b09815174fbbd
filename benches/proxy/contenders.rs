//! Who is measured: no proxy, ours, ours with a mirror, and PgBouncer.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Servers;
use crate::options::Options;
use crate::shared::Result;

/// How long a proxy may take to listen.
const START_MAX: Duration = Duration::from_secs(20);

/// Something that clients can connect to.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    process: Option<Child>,
}

impl Contender {
    /// All that are to be measured, running.
    pub(crate) fn all(servers: &Servers, options: &Options) -> Result<Vec<Contender>> {
        let mut contenders = Vec::new();
        if options.takes("direct") {
            contenders.push(Contender {
                name: "direct",
                port: servers.server.port(),
                process: None,
            });
        }
        if options.takes("pgflit") {
            contenders.push(Contender::pgflit(servers, options, "pgflit", "")?);
        }
        if options.takes("mirrored") {
            let mirror = format!(
                "[[mirror]]\nname = \"mirror\"\nmode = \"all\"\nserver = \"host=127.0.0.1 port={}\"\n",
                servers.mirror.port()
            );
            contenders.push(Contender::pgflit(
                servers,
                options,
                "pgflit, mirrored",
                &mirror,
            )?);
        }
        let has_pgbouncer = Command::new("pgbouncer")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok();
        if options.takes("pgbouncer") {
            match has_pgbouncer {
                true => contenders.push(Contender::pgbouncer(servers)?),
                false => eprintln!("there is no pgbouncer on this machine: left out"),
            }
        }
        Ok(contenders)
    }

    fn pgflit(
        servers: &Servers,
        options: &Options,
        name: &'static str,
        tables: &str,
    ) -> Result<Contender> {
        let folder = servers.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        let config = folder.join("proxy.toml");
        fs::write(
            &config,
            format!("[proxy]\nlisten = \"127.0.0.1:0\"\n{tables}"),
        )?;
        let mut process = Command::new(&options.program)
            .args(["proxy", "--config"])
            .arg(&config)
            .arg("--dir")
            .arg(folder.join("work"))
            .args(["--source", &servers.server.uri("postgres")])
            .stderr(Stdio::piped())
            .spawn()?;
        let port = listening_port(&mut process)?;
        Ok(Contender {
            name,
            port,
            process: Some(process),
        })
    }

    /// Session pooling, which is what ours does, and trust, with everything else at its default.
    fn pgbouncer(servers: &Servers) -> Result<Contender> {
        let folder = servers.folder.path().join("pgbouncer");
        fs::create_dir_all(&folder)?;
        // It does not run as root, and reads its files as somebody else.
        for folder in [servers.folder.path(), &folder] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (config, users) = (folder.join("pgbouncer.ini"), folder.join("users.txt"));
        fs::write(&users, "\"postgres\" \"\"\n")?;
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={server}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\npool_mode = session\n\
             max_client_conn = 20000\ndefault_pool_size = 1000\nlog_connections = 0\n\
             log_disconnections = 0\nlogfile = {log}\n",
            server = servers.server.port(),
            users = users.display(),
            log = folder.join("log").display(),
        );
        fs::write(&config, text)?;
        let mut command = Command::new("pgbouncer");
        if nix::unistd::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        let process = command
            .arg("-q")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()?;
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if began.elapsed() > START_MAX {
                return Err("pgbouncer does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Contender {
            name: "PgBouncer, session",
            port,
            process: Some(process),
        })
    }

    /// The proxy's process; none without one.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Where clients connect.
    pub(crate) fn uri(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// The port that a proxy of ours says it listens on.
pub(crate) fn listening_port(process: &mut Child) -> Result<u16> {
    let stderr = process.stderr.take().ok_or("no stderr")?;
    let mut lines = BufReader::new(stderr).lines();
    let mut said = String::new();
    let port = loop {
        let line = lines
            .next()
            .ok_or_else(|| format!("the proxy ended: {said}"))??;
        if let Some((_, port)) = line.split_once("listening on 127.0.0.1:") {
            break port.trim().parse()?;
        }
        said += &line;
    };
    std::thread::spawn(move || lines.for_each(drop));
    Ok(port)
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
