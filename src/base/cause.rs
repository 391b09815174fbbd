//! An error with its causes, on one line.

use std::error::Error;

/// From what was being done to what stood in the way: `what: cause: cause`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("copying public.orders")]
    struct Copying(#[source] io::Error);

    #[test]
    fn causes_follow_what_was_being_done() {
        let error = Copying(io::Error::other("connection was lost"));
        assert_eq!(chain(&error), "copying public.orders: connection was lost");
    }
}
