//! What people do without pgflit: a subscription, PgBouncer's PAUSE, a script. No fence, no proof, no
//! session state, no way back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::load::{Load, Situation};
use crate::options::Options;
use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::stage::{DATABASE, Stage, connect, free_port, runtime, until};
use crate::table::Row;

/// How often the script asks whether the target is there.
const LOOK: Duration = Duration::from_millis(1);

/// How long replication is given to come into step with the load.
const IN_STEP: Duration = Duration::from_secs(3);

struct PgBouncer {
    process: Child,
    config: PathBuf,
    port: u16,
    idle: u32,
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One cutover in the middle of a load.
pub(crate) fn measure(situation: &Situation, options: &Options) -> Result<Vec<Row>> {
    runtime()?.block_on(measure_one(situation, options))
}

async fn measure_one(situation: &Situation, options: &Options) -> Result<Vec<Row>> {
    let stage = Stage::new(situation, options)?;
    subscribe(&stage).await?;
    let (source, target) = (connect(&stage.source).await?, connect(&stage.target).await?);
    let pgbouncer = PgBouncer::start(&stage, situation)?;
    let console = pgbouncer.console().await?;
    let seconds = 2 * options.seconds + IN_STEP.as_secs();
    let load = Load::start(&stage, situation, pgbouncer.port, seconds).await?;
    tokio::time::sleep(IN_STEP + Duration::from_secs(options.seconds)).await;
    let (began, started) = (Instant::now(), SystemTime::now());
    console.simple_query(&format!("PAUSE {DATABASE}")).await?;
    until_drained(&source).await?;
    carry_sequences(&source, &target).await?;
    pgbouncer.configure(stage.target.port(), &stage)?;
    console.simple_query("RELOAD").await?;
    console.simple_query(&format!("RESUME {DATABASE}")).await?;
    let paused = began.elapsed();
    let seen = load.end(seconds, (started, started + paused), options.runs == 1)?;
    Ok(vec![Row {
        name: "by hand, PgBouncer",
        paused,
        seen,
    }])
}

/// The target as a subscriber of the source, in step.
async fn subscribe(stage: &Stage) -> Result<()> {
    let dump = stage.folder.path().join("schema.sql");
    let mut pg_dump = Command::new(stage.source.programs().path("pg_dump"));
    pg_dump.args(["-s", "-f"]).arg(&dump);
    run_quietly(pg_dump.arg(stage.source.socket_uri(DATABASE)))?;
    let mut psql = Command::new(stage.target.programs().path("psql"));
    psql.args(["-X", "-q", "-f"]).arg(&dump);
    run_quietly(psql.args(["-d", &stage.target.socket_uri(DATABASE)]))?;
    let (source, target) = (connect(&stage.source).await?, connect(&stage.target).await?);
    source
        .batch_execute("CREATE PUBLICATION app FOR ALL TABLES")
        .await?;
    target
        .batch_execute(&format!(
            "CREATE SUBSCRIPTION app CONNECTION '{}' PUBLICATION app",
            stage.source.uri(DATABASE)
        ))
        .await?;
    until("the subscription is in step", async || {
        let sql = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'";
        Ok(target.query_one(sql, &[]).await?.get::<_, i64>(0) == 0)
    })
    .await
}

/// Until the subscriber says that it has all there was when traffic was paused.
async fn until_drained(source: &Client) -> Result<()> {
    let row = source
        .query_one("SELECT pg_current_wal_lsn()::text", &[])
        .await?;
    let end: String = row.get(0);
    let there =
        format!("SELECT coalesce(bool_and(replay_lsn >= '{end}'), false) FROM pg_stat_replication");
    while !source.query_one(&there, &[]).await?.get::<_, bool>(0) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// As scripts do it: one statement for all.
async fn carry_sequences(source: &Client, target: &Client) -> Result<()> {
    let read = "SELECT coalesce(string_agg(format('SELECT setval(%L, %s);',
                           quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value), ''), '')
                  FROM pg_sequences WHERE last_value IS NOT NULL";
    let sql: String = source.query_one(read, &[]).await?.get(0);
    Ok(target.batch_execute(&sql).await?)
}

impl PgBouncer {
    /// Transaction pooling: in session pooling PAUSE waits until all clients have gone.
    fn start(stage: &Stage, situation: &Situation) -> Result<Self> {
        let folder = stage.folder.path().join("pgbouncer");
        fs::create_dir_all(&folder)?;
        // It does not run as root, and reads its files as somebody else.
        for folder in [stage.folder.path(), &folder] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        }
        let mut pgbouncer = PgBouncer {
            process: Command::new("true").spawn()?,
            config: folder.join("pgbouncer.ini"),
            port: free_port()?,
            idle: situation.idle,
        };
        fs::write(folder.join("users.txt"), "\"app\" \"\"\n")?;
        pgbouncer.configure(stage.source.port(), stage)?;
        let mut command = Command::new("pgbouncer");
        if nix::unistd::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        pgbouncer.process.wait()?;
        pgbouncer.process = command
            .arg("-q")
            .arg(&pgbouncer.config)
            .stderr(Stdio::null())
            .spawn()?;
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", pgbouncer.port)).is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err("pgbouncer does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(pgbouncer)
    }

    fn configure(&self, server: u16, stage: &Stage) -> Result<()> {
        let folder = stage.folder.path().join("pgbouncer");
        let text = format!(
            "[databases]\n{DATABASE} = host=127.0.0.1 port={server}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\nadmin_users = app\npool_mode = transaction\n\
             max_client_conn = 20000\ndefault_pool_size = {}\nlog_connections = 0\n\
             log_disconnections = 0\nlogfile = {}\n",
            self.port,
            folder.join("users.txt").display(),
            300 + self.idle,
            folder.join("log").display(),
        );
        Ok(fs::write(&self.config, text)?)
    }

    async fn console(&self) -> Result<Client> {
        let uri = format!("postgresql://app@127.0.0.1:{}/pgbouncer", self.port);
        let (client, connection) = tokio_postgres::connect(&uri, NoTls).await?;
        tokio::spawn(connection);
        let answer = client.simple_query("SHOW VERSION").await?;
        match answer
            .iter()
            .any(|one| matches!(one, SimpleQueryMessage::Row(_)))
        {
            true => Ok(client),
            false => Err("pgbouncer's console does not answer".into()),
        }
    }
}
