//! Clients that have logged in and say nothing. The server is none: it lets everybody in, and then
//! says nothing either, so that as many can be there as one likes.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::contenders::listening_port;
use crate::options::Options;
use crate::shared::Result;
use crate::shared::cpu::cpu;
use crate::shared::processes::tree_memory;

/// How long they say nothing while the processor time is taken.
const QUIET: Duration = Duration::from_secs(5);

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
    let files = u64::from(options.idle) * 2 + 1000;
    let own = nix::sys::resource::Resource::RLIMIT_NOFILE;
    nix::sys::resource::setrlimit(own, files, files)?;
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
        options.idle + 10
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
    let measured = with_proxy(&mut proxy, options).await;
    let _ = proxy.kill();
    let _ = proxy.wait();
    measured
}

async fn with_proxy(proxy: &mut std::process::Child, options: &Options) -> Result<String> {
    let (port, pid) = (listening_port(proxy)?, proxy.id());
    let before = tree_memory(pid);
    let mut clients = Vec::new();
    while clients.len() < options.idle as usize {
        let more = AT_A_TIME.min(options.idle as usize - clients.len());
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
