//! Messages to a server, many at once.

/// Adds a message of `parts`. What is told here is bounded far below what a message can hold.
pub(super) fn put_message(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let body_bytes: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(body_bytes + 4).unwrap_or(u32::MAX);
    out.push(tag);
    out.extend_from_slice(&length.to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}
