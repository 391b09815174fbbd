//! Some objects from source to target, whatever their size.

use crate::pg;

use super::LargeObjectError;
use super::definition::Object;
use super::ranges::OidRange;
use super::source::{FIRST_BYTES, MORE_BYTES, Reader};
use super::target::Writer;

/// What was moved.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    pub(super) objects: u64,
    pub(super) bytes: u64,
}

/// Makes `objects` on the target, within a transaction that is open there. They are in order.
pub(super) async fn transfer(
    reader: &Reader,
    writer: &Writer,
    objects: &[Object],
    replace: bool,
) -> Result<Moved, LargeObjectError> {
    let (Some(first), Some(last)) = (objects.first(), objects.last()) else {
        return Ok(Moved::default());
    };
    let range = OidRange {
        first: first.oid,
        last: last.oid,
    };
    let oids: Vec<u32> = objects.iter().map(|object| object.oid).collect();
    let beginnings = reader.beginnings(&oids).await.map_err(reading(range))?;
    let writing = writing(range);
    if replace {
        writer.remove(&oids).await.map_err(&writing)?;
    }
    let oids: Vec<u32> = beginnings.iter().map(|(oid, _)| *oid).collect();
    let bytes: Vec<&[u8]> = beginnings.iter().map(|(_, bytes)| &bytes[..]).collect();
    writer.create(&oids, &bytes).await.map_err(&writing)?;
    let mut moved = Moved {
        objects: objects.len() as u64,
        bytes: 0,
    };
    for (oid, bytes) in &beginnings {
        moved.bytes += match bytes.len() {
            FIRST_BYTES => the_rest(reader, writer, *oid).await?,
            short => short as u64,
        };
    }
    writer.define(objects).await.map_err(&writing)?;
    Ok(moved)
}

/// What follows the beginning of a long object; gives the length of the whole. A chunk of zeros is
/// not written, so that holes stay holes.
async fn the_rest(reader: &Reader, writer: &Writer, oid: u32) -> Result<u64, LargeObjectError> {
    let range = OidRange {
        first: oid,
        last: oid,
    };
    let (reading, writing) = (reading(range), writing(range));
    let mut offset = FIRST_BYTES as i64;
    let mut written = offset;
    loop {
        let chunk = reader.more(oid, offset).await.map_err(&reading)?;
        let is_hole = chunk.iter().all(|byte| *byte == 0);
        if !is_hole {
            let put = writer.put(oid, offset, &chunk).await;
            put.map_err(&writing)?;
        }
        offset += chunk.len() as i64;
        if !is_hole {
            written = offset;
        }
        if chunk.len() < MORE_BYTES {
            break;
        }
        if is_hole {
            offset = reader.next_written(oid, offset).await.map_err(&reading)?;
        }
    }
    if written < offset {
        let last = writer.put(oid, offset - 1, &[0]).await;
        last.map_err(&writing)?;
    }
    Ok(offset.unsigned_abs())
}

pub(super) fn reading(range: OidRange) -> impl Fn(pg::Error) -> LargeObjectError {
    move |source| LargeObjectError::Source { range, source }
}

pub(super) fn writing(range: OidRange) -> impl Fn(pg::Error) -> LargeObjectError {
    move |source| LargeObjectError::Target { range, source }
}
