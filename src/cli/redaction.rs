//! Passwords taken out of text that is about to be shown.
//!
//! A connection string typed in the wrong place comes back in the usage error that complains
//! about it. This works on any text, so it hides rather too much than too little: it does not
//! need to know whether the text is a valid connection string.

const STARS: &str = "****";

/// `text` with stars for every password in a URI (`scheme://user:password@`) and after every
/// `password=` or `sslpassword=`.
pub fn redact(text: &str) -> String {
    redact_keywords(&redact_uris(text))
}

fn redact_uris(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        shown.push_str(before);
        // A password may hold anything, unescaped slashes, quotes, spaces and at signs included:
        // the host starts after the last at sign of the line.
        let line_end = after.find('\n').unwrap_or(after.len());
        let authority_end = after[..line_end].rfind('@');
        let secret = authority_end.and_then(|end| Some((after[..end].find(':')?, end)));
        rest = match secret {
            Some((colon, end)) => {
                shown.push_str(&after[..=colon]);
                shown.push_str(STARS);
                &after[end..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

fn redact_keywords(text: &str) -> String {
    const KEYWORD: &str = "password";
    let lower = text.to_ascii_lowercase();
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(KEYWORD) {
        let after = at + KEYWORD.len();
        let assigned = text[after..].trim_start();
        let Some(value) = assigned.strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        if at < done {
            continue;
        }
        let start = text.len() - value.len();
        shown.push_str(&text[done..start]);
        shown.push_str(STARS);
        done = start + secret_length(value);
    }
    shown.push_str(&text[done..]);
    shown
}

/// How many bytes of `value` are the password: to the closing quote, or to the end of the word.
fn secret_length(value: &str) -> usize {
    match value.strip_prefix('\'') {
        Some(quoted) => quoted
            .match_indices('\'')
            .map(|(at, _)| at)
            .find(|&at| !quoted[..at].ends_with('\\'))
            .map_or(value.len(), |at| at + 2),
        None => value
            .find(|character| ends_word(character) || character == '&')
            .unwrap_or(value.len()),
    }
}

/// Quotes and the escape of a colour end a word too: error texts put them around what was typed.
fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\'' | '"' | '\u{1b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_left_in_any_form() {
        for (text, shown) in [
            (
                "unexpected argument 'postgres://ann:s3cret@db/shop' found",
                "unexpected argument 'postgres://ann:****@db/shop' found",
            ),
            (
                "'postgres://ann:s3 'cret@db' found",
                "'postgres://ann:****@db' found",
            ),
            (
                "postgres://ann:s3/cr@t@db:5432/shop",
                "postgres://ann:****@db:5432/shop",
            ),
            (
                "\u{1b}[33mpg://u:s3cret@h\u{1b}[0m",
                "\u{1b}[33mpg://u:****@h\u{1b}[0m",
            ),
            (
                "postgres://db/shop?password=s3cret&user=ann",
                "postgres://db/shop?password=****&user=ann",
            ),
            (
                "host=db password=s3cret user=ann",
                "host=db password=**** user=ann",
            ),
            (
                r"host=db PASSWORD = 's3\'cret x' user=ann",
                "host=db PASSWORD = **** user=ann",
            ),
            ("sslpassword=s3cret", "sslpassword=****"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn text_without_a_password_stays_as_it_is() {
        for text in [
            "postgres://db/shop",
            "postgres://ann@db",
            "see https://a.b/c",
            "--no-role-passwords",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
