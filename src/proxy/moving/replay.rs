//! What a session held is made again at the server that it comes to.

use super::error::MoveError;
use super::inventory::Inventory;
use super::parameters::Parameters;
use crate::proxy::channel::Channel;

/// What [`give`] gives.
#[derive(Debug)]
pub struct Given {
    /// What the new server reports of its settings in the end.
    pub parameters: Parameters,
    /// A type of a statement's parameters has another OID than on the old server: drivers that have
    /// remembered the old one would send values of another type.
    pub types_differ: bool,
    /// Messages of the new server for the client, whole and as they were: notifications.
    pub messages: Vec<u8>,
}

/// Makes everything in `taken` on a connection that has just been logged in, in one round trip, or
/// in two if types have to be found by name. Obstacles are not looked at.
///
/// Not cancel safe: given up half way, the connection is of no more use.
///
/// # Errors
/// What could not be made. The connection is of no more use; dropped, it leaves nothing.
pub async fn give(new: &mut Channel, taken: &Inventory) -> Result<Given, MoveError> {
    let _ = (new, taken);
    Err(MoveError::Odd("not made yet"))
}
