//! A CancelRequest: looked up by the proxy's key, sent on with the server's.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::registry::{Entry, Registry, ServerSide, SessionState};
use super::server;
use super::service::Service;
use crate::pg::Error;
use crate::wire::startup::CancelKey;

/// How long a server may take to act on a request. The client waits for as long.
pub const CARRY_MAX: Duration = Duration::from_secs(10);

/// Sends a request on to the server that the key's owner is on, here or in another process of this
/// proxy, and returns once the server has taken it. A key that was never given is a guess: as with a
/// server, nothing happens and nothing is said.
pub async fn carry_anywhere(service: &Service, key: &CancelKey) {
    let is_known = carry(&service.registry, key).await
        || match &service.siblings {
            Some(siblings) => siblings.cancel(key).await,
            None => false,
        };
    if !is_known {
        tracing::info!("a cancel request with a key that nobody has");
    }
}

/// The same for a client of this process. False if it is none of them.
pub async fn carry(registry: &Arc<Registry>, key: &CancelKey) -> bool {
    let Some(entry) = registry.by_key(key) else {
        return false;
    };
    carry_to(&entry).await;
    true
}

async fn carry_to(entry: &Entry) {
    if entry.state() == SessionState::Held {
        // The server knows nothing of what its client waits to say.
        entry.cancel_held.notify_one();
        return;
    }
    let Some(ServerSide {
        place,
        key: Some(server_key),
        ..
    }) = entry.server()
    else {
        return;
    };
    let sent = async {
        // As encrypted as the session itself: who reads the key can cancel.
        let mut stream = server::open_again(&place).await?;
        stream.write_all(&server_key.cancel_request()).await?;
        stream.flush().await?;
        // The server closes once it has sent the signal.
        let _ = stream.read(&mut [0]).await;
        Ok::<(), Error>(())
    };
    match tokio::time::timeout(CARRY_MAX, sent).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(client = entry.id, "a cancel request was lost: {error}"),
        Err(_) => tracing::warn!(client = entry.id, "no answer to a cancel request"),
    }
}
