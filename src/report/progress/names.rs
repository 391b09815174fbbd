//! Names from the source, as they may be shown.

use console::measure_text_width;

/// `text` with everything that would move the cursor, colour the screen or turn the reading
/// direction written as an escape: a table's name may hold any of it.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_harmless(character) {
            true => shown.push(character),
            false => shown.extend(character.escape_default()),
        }
    }
    shown
}

fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `text` in at most `width` columns: the middle is left out, as both ends tell names apart.
pub fn shorten(text: &str, width: usize, ellipsis: &str) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let dots = measure_text_width(ellipsis);
    if width <= dots {
        return take(text.chars(), width).into_iter().collect();
    }
    let tail_width = (width - dots) / 2;
    let head = take(text.chars(), width - dots - tail_width);
    let tail = take(text.chars().rev(), tail_width);
    let head: String = head.into_iter().collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("{head}{ellipsis}{tail}")
}

/// The first of `characters` that fit into `width` columns.
fn take(characters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut left = width;
    let mut taken = Vec::new();
    for character in characters {
        let wide = measure_text_width(character.encode_utf8(&mut [0; 4]));
        if wide > left {
            break;
        }
        left -= wide;
        taken.push(character);
    }
    taken
}

/// `text` with spaces after it up to `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(measure_text_width(text));
    format!("{text}{}", " ".repeat(spaces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("表 Ä \"x\""), "表 Ä \"x\"");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shorten("public.orders", 13, "…"), "public.orders");
        assert_eq!(shorten("public.orders", 9, "…"), "publ…ders");
        assert_eq!(shorten("public.orders", 1, "…"), "p");
        assert_eq!(shorten("public.orders", 0, "…"), "");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        for width in 0..14 {
            let short = shorten("表表表表表表表", width, "…");
            assert!(measure_text_width(&short) <= width, "{short} in {width}");
        }
        assert_eq!(pad("表", 4), "表  ");
    }
}
