//! The line of a change, as transform writes it, read in one pass. Whatever looks otherwise is left to
//! [`crate::cdc::sql_line::SqlLine::read`], which reads all that this does.

use crate::cdc::json_string::plain_length;
use crate::cdc::sql_line::StatementId;

use super::block::Block;

/// Appends the values of an EXECUTE to `block`; none if the line is not what is known here, and then
/// what was appended means nothing.
pub(super) fn read(line: &[u8], block: &mut Block) -> Option<StatementId> {
    let rest = line.strip_prefix(b"EXECUTE ")?;
    let (id, values) = rest.split_at_checked(16)?;
    let id = str::from_utf8(id).ok()?.parse().ok()?;
    let mut rest = values.strip_prefix(b"[")?.strip_suffix(b"];")?;
    // What the values hold is UTF-8 if all of it is.
    str::from_utf8(rest).ok()?;
    if rest.is_empty() {
        return Some(id);
    }
    loop {
        rest = value(rest, block)?;
        match rest.split_first() {
            None => return Some(id),
            Some((b',', after)) => rest = after,
            Some(_) => return None,
        }
    }
}

/// Appends the value that `json` begins with; what follows it.
fn value<'a>(json: &'a [u8], block: &mut Block) -> Option<&'a [u8]> {
    let Some(text) = json.strip_prefix(b"\"") else {
        let rest = json.strip_prefix(b"null")?;
        block.push_null();
        return Some(rest);
    };
    let plain = plain_length(text);
    match text.get(plain)? {
        b'"' => {
            block.push_plain(&text[..plain]);
            Some(&text[plain + 1..])
        }
        b'\\' => {
            let mut end = plain;
            // The mark that ends it stands behind no backslash, or behind one that is escaped itself.
            while text.get(end)? == &b'\\' {
                end += 2;
                end += plain_length(text.get(end..)?);
            }
            if text.get(end)? != &b'"' {
                return None;
            }
            let quoted = &json[..end + 2];
            block.push_text(&serde_json::from_slice::<String>(quoted).ok()?);
            Some(&text[end + 1..])
        }
        // A control character.
        _ => None,
    }
}
