//! Where each sequence stands. Sequences are in no snapshot and in no stream: they are set at the
//! end of the copy, and again at the end of following.

use crate::catalog::discovery::{self, Sequence};
use crate::pg::{Error, Session};

/// What the target's sequences were set to.
pub async fn read(source: &Session) -> Result<Vec<Sequence>, Error> {
    discovery::sequences(source).await
}

/// Sets the target's sequences, all or none.
pub async fn set(target: &Session, sequences: &[Sequence]) -> Result<(), Error> {
    target.batch("BEGIN").await?;
    for sequence in sequences {
        target
            .query_one(
                "SELECT setval($1::text::regclass, $2, $3)",
                &[
                    &sequence.name.quoted(),
                    &sequence.last_value,
                    &sequence.is_called,
                ],
            )
            .await?;
    }
    target.batch("COMMIT").await
}
