//! Clients that have logged in and say nothing. The server is none: it lets everybody in, and then
//! says nothing either, so that as many can be there as one likes.

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::contenders::listening_port;
use crate::options::Options;
use crate::shared::Result;
use crate::shared::cpu::cpu;
use crate::shared::processes::tree_memory;

/// How long they say nothing while the processor time is taken.
const QUIET: Duration = Duration::from_secs(5);

/// Open files that are not those of clients.
const OTHER_FILES: u64 = 500;

/// Clients that log in at the same time.
const AT_A_TIME: usize = 200;

/// AuthenticationOk, BackendKeyData, ReadyForQuery.
const LET_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I";

/// Memory and processor time of a proxy of ours with many idle clients.
pub(crate) fn measure(options: &Options) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(of_idle(options))
}

async fn of_idle(options: &Options) -> Result<String> {
    let count = as_many_as_files(options.idle)?;
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let port = server.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = server.accept().await {
            tokio::spawn(async move {
                let mut startup = [0; 1024];
                let _ = client.read(&mut startup).await;
                let _ = client.write_all(LET_IN).await;
                while client.read(&mut startup).await.is_ok_and(|bytes| bytes > 0) {}
            });
        }
    });
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("proxy.toml");
    let text = format!(
        "[proxy]\nlisten = \"127.0.0.1:0\"\n[limits]\nmax_client_connections = {}\n",
        count + 10
    );
    std::fs::write(&config, text)?;
    let mut proxy = Command::new(&options.program)
        .args(["proxy", "--config"])
        .arg(&config)
        .arg("--dir")
        .arg(folder.path().join("work"))
        .arg("--source")
        .arg(format!(
            "postgresql://127.0.0.1:{port}/postgres?sslmode=disable"
        ))
        .stderr(Stdio::piped())
        .spawn()?;
    let measured = with_proxy(&mut proxy, count).await;
    let _ = proxy.kill();
    let _ = proxy.wait();
    measured
}

/// Each client is two open files here, and two in the proxy: where the machine allows fewer, there
/// are fewer.
fn as_many_as_files(wanted: u32) -> Result<u32> {
    let files = u64::from(wanted) * 2 + OTHER_FILES;
    if setrlimit(Resource::RLIMIT_NOFILE, files, files).is_ok() {
        return Ok(wanted);
    }
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(u32::try_from(most.saturating_sub(OTHER_FILES) / 2)?.min(wanted))
}

async fn with_proxy(proxy: &mut std::process::Child, wanted: u32) -> Result<String> {
    let (port, pid) = (listening_port(proxy)?, proxy.id());
    let before = tree_memory(pid);
    let mut clients = Vec::new();
    while clients.len() < wanted as usize {
        let more = AT_A_TIME.min(wanted as usize - clients.len());
        let logins: Vec<_> = (0..more).map(|_| tokio::spawn(log_in(port))).collect();
        for login in logins {
            clients.push(login.await??);
        }
    }
    let busy = cpu(pid);
    tokio::time::sleep(QUIET).await;
    let busy = cpu(pid) - busy;
    let memory = tree_memory(pid);
    let count = clients.len();
    Ok(format!(
        "{count} idle clients: {} MB resident, {} MB before they came, {:.1} kB each; \
         {:.1} ms of processor time in {} s\n",
        memory >> 20,
        before >> 20,
        (memory - before) as f64 / 1024.0 / count as f64,
        busy.as_secs_f64() * 1000.0,
        QUIET.as_secs(),
    ))
}

async fn log_in(port: u16) -> Result<TcpStream> {
    let mut client = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut startup = b"\0\0\0\0\0\x03\0\0user\0a\0database\0postgres\0\0".to_vec();
    let length = u32::try_from(startup.len())?;
    startup[..4].copy_from_slice(&length.to_be_bytes());
    client.write_all(&startup).await?;
    let mut answer = vec![0; LET_IN.len()];
    client.read_exact(&mut answer).await?;
    match answer.ends_with(b"Z\0\0\0\x05I") {
        true => Ok(client),
        false => Err("a client was not let in".into()),
    }
}
