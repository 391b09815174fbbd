//! The proxy finds out who a client is.

use super::{Authentication, LoginError};
use crate::proxy::auth::exchange::MESSAGE_BYTES_MAX;
use crate::proxy::auth::{Claim, Exchange, Policy, Step};
use crate::proxy::channel::Channel;
use crate::proxy::notice::Refusal;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::startup::{ProtocolVersion, Startup};
use zeroize::Zeroize;

/// Asks the client for what the policy wants of it. At the end it has been told everything but
/// that it is let in.
///
/// # Errors
/// It went away, or is refused and not told yet.
pub async fn authenticate(
    client: &mut Channel,
    startup: &Startup,
    claim: Claim,
    policy: &Policy,
) -> Result<Authentication, LoginError> {
    let (mut exchange, mut step) = Exchange::begin(claim, policy);
    // What is spoken with the client is the proxy's to say, as its keys are its own.
    let negotiation = startup.negotiation(startup.version.min(ProtocolVersion::V3_2));
    let mut output = negotiation.map_or(Vec::new(), |negotiation| negotiation.encode());
    loop {
        match step {
            Step::Passthrough => return Ok(Authentication::Passthrough),
            Step::Refused(refusal) => return Err(LoginError::Refused(refusal)),
            Step::Passed(mut bytes, credential) => {
                output.append(&mut bytes);
                client.send(&output).await.map_err(LoginError::Client)?;
                return Ok(Authentication::Shown(credential));
            }
            Step::Ask(mut bytes) => {
                output.append(&mut bytes);
                client.send(&output).await.map_err(LoginError::Client)?;
                output.clear();
                let header = client.next_header(HEADER_BYTES + MESSAGE_BYTES_MAX).await;
                let header = header.map_err(LoginError::Client)?;
                if header.tag != b'p' {
                    let tag = header.tag.escape_ascii();
                    let problem = format!("message '{tag}' where a proof was asked for");
                    return Err(LoginError::Refused(Refusal::protocol(problem)));
                }
                let bytes = header.frame_bytes().min(client.input.len());
                let message = client.input.get_mut(..bytes).unwrap_or_default();
                let body = message.get(HEADER_BYTES..).unwrap_or_default();
                step = exchange.hear(body, policy);
                // It may have been a password.
                message.zeroize();
                client.skip(bytes);
            }
        }
    }
}
