//! One JSON object a line, for programs.

use jiff::Timestamp;
use serde_json::json;

use super::Picture;

/// The picture as a line: `{"progress":{…},"timestamp":"…"}`.
pub(super) fn line(picture: &Picture, now: Timestamp) -> String {
    let object = json!({ "timestamp": now.to_string(), "progress": picture });
    format!("{object}\n")
}

#[cfg(test)]
mod tests {
    use super::super::picture::tests::picture;
    use super::*;

    #[test]
    fn a_line_is_an_object_that_says_when() {
        let line = line(&picture(), Timestamp::UNIX_EPOCH);
        assert_eq!(line.lines().count(), 1);
        let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(object["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(object["progress"]["percent"], 25);
    }
}
