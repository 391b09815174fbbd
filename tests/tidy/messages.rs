//! The texts of errors, in the source and on the page about troubleshooting.
//!
//! Where a text has a value, the page may call it by another name: `{}` and `{table}` are alike.

use std::collections::HashSet;

/// The texts of the errors in `source`, with `{}` for each value. Those of unit tests are left out.
pub(crate) fn messages(source: &str) -> Vec<String> {
    let tests = source.find("#[cfg(test)]\nmod tests {");
    let source = &source[..tests.unwrap_or(source.len())];
    let attributes = source.split("#[error(").skip(1);
    attributes
        .filter_map(|rest| literal(rest.trim_start()))
        .map(|text| pattern(&text))
        .collect()
}

/// What stands in code spans of `page`, with `{}` for each value.
pub(crate) fn described(page: &str) -> HashSet<String> {
    page.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(pattern)
        .collect()
}

/// The text that `source` begins with, if it begins with one.
fn literal(source: &str) -> Option<String> {
    let mut rest = source.strip_prefix('"')?.chars().peekable();
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                // The text goes on where the next line does.
                '\n' => while rest.next_if(|next| next.is_whitespace()).is_some() {},
                escaped => text.push(escaped),
            },
            character => text.push(character),
        }
    }
}

fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((before, value)) = rest.split_once('{') {
        let Some((_, after)) = value.split_once('}') else {
            break;
        };
        pattern.push_str(before);
        pattern.push_str("{}");
        rest = after;
    }
    pattern + rest
}

#[test]
fn texts_are_found_whatever_their_values_are_called() {
    let source = "#[error(transparent)]\nA,\n#[error(\"no \\\"{name}\\\" in {}\", x())]\nB,\n\
                  #[error(\n    \"one \\\n     line\"\n)]\nC,\n\
                  #[cfg(test)]\nmod tests {\n#[error(\"left out\")]";
    assert_eq!(messages(source), ["no \"{}\" in {}", "one line"]);
    let described = described("| `no \"{table}\" in {file}`, `one line` | what |");
    assert!(messages(source).iter().all(|text| described.contains(text)));
}
