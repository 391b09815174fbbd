//! The function between two pipes.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::transformer::{TransformError, Transformer};

/// Bytes read at once.
const BLOCK: usize = 256 * 1024;

/// The stream could not be transformed.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    /// A line cannot become SQL.
    #[error("line {number} of the input")]
    Line {
        /// Counted from 1.
        number: u64,
        /// Why.
        #[source]
        source: TransformError,
    },
    /// The input cannot be read.
    #[error("reading the input")]
    Read(#[source] io::Error),
    /// The output cannot be written.
    #[error("writing the output")]
    Write(#[source] io::Error),
}

/// How an input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Behind a line.
    Whole,
    /// Inside a line, which was dropped: whoever wrote was killed, or has not written the rest yet.
    /// Its transaction has no end, so it counts as never happened.
    Torn {
        /// Counted from 1.
        number: u64,
    },
}

/// Transforms `input` to `output` until the input ends. Lines are passed on as soon as the input
/// pauses.
///
/// `transformer` says whether the input begins inside a transaction, see [`Transformer::starting`].
pub fn transform_pipe(
    mut transformer: Transformer,
    input: impl Read,
    mut output: impl Write,
) -> Result<End, PipeError> {
    let mut input = BufReader::with_capacity(BLOCK, input);
    let (mut line, mut sql, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        input
            .read_until(b'\n', &mut line)
            .map_err(PipeError::Read)?;
        number += 1;
        let torn = !line.is_empty();
        if line.pop() != Some(b'\n') {
            pass_on(&mut output, &mut sql)?;
            return Ok(match torn {
                true => End::Torn { number },
                false => End::Whole,
            });
        }
        transformer
            .line(&line, &mut sql)
            .map_err(|source| PipeError::Line { number, source })?;
        if sql.len() >= BLOCK || !input.buffer().contains(&b'\n') {
            pass_on(&mut output, &mut sql)?;
        }
    }
}

fn pass_on(output: &mut impl Write, sql: &mut Vec<u8>) -> Result<(), PipeError> {
    output
        .write_all(sql)
        .and_then(|()| output.flush())
        .map_err(PipeError::Write)?;
    sql.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_dropped_and_told() {
        let whole = "{\"action\":\"K\",\"lsn\":\"0/10\"}\n";
        let torn = format!("{whole}{{\"action\":\"K\",\"ls");
        for (input, expected) in [
            (whole, End::Whole),
            (&torn, End::Torn { number: 2 }),
            (&format!("{whole}{{"), End::Torn { number: 2 }),
        ] {
            let mut output = Vec::new();
            let end = transform_pipe(Transformer::default(), input.as_bytes(), &mut output);
            assert_eq!(end.expect("transformed"), expected);
            assert_eq!(output, b"-- KEEPALIVE {\"lsn\":\"0/10\"}\n");
        }
    }
}
