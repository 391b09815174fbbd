//! Where each sequence stands. Sequences are in no snapshot and in no stream: they are set at the
//! end of the copy, and again at the end of following.

use crate::base::QualifiedName;
use crate::catalog::discovery::{self, Sequence};
use crate::catalog::restore_list::Objects;
use crate::pg::{Error, Session};

/// Where the source's sequences stand, all but those among `left_out`.
pub async fn read(source: &Session, left_out: &Objects) -> Result<Vec<Sequence>, Error> {
    discovery::sequences(source, left_out).await
}

/// Sets the target's sequences, all or none; gives those that are not there, because they were
/// created on the source meanwhile.
pub async fn set(target: &Session, sequences: &[Sequence]) -> Result<Vec<QualifiedName>, Error> {
    let mut missing = Vec::new();
    target.batch("BEGIN").await?;
    for sequence in sequences {
        let set = target
            .query_opt(
                "SELECT setval(there, $2, $3) FROM to_regclass($1) there WHERE there IS NOT NULL",
                &[
                    &sequence.name.quoted(),
                    &sequence.last_value,
                    &sequence.is_called,
                ],
            )
            .await?;
        if set.is_none() {
            missing.push(sequence.name.clone());
        }
    }
    target.batch("COMMIT").await?;
    Ok(missing)
}
