//! The texts of errors, in the source and on the page about troubleshooting.
//!
//! Where a text has a value, the page may call it by another name: `{}` and `{table}` are alike.

use std::collections::HashSet;

/// The texts of the errors in `source`, with `{}` for each value. Those of unit tests are left out.
pub(crate) fn messages(source: &str) -> Vec<String> {
    let attributes = without_tests(source).split("#[error(").skip(1);
    attributes
        .filter_map(|rest| literal(rest.trim_start()))
        .map(|text| pattern(&text))
        .collect()
}

/// What the proxy itself says to clients, to consoles and to `pgflit proxy`, in `source`: the texts
/// that are written where a refusal is made, or in the variable that is named there.
pub(crate) fn refusals(source: &str) -> Vec<String> {
    let source = without_tests(source);
    let calls = ["Refusal::new(", "Refusal::protocol(", "bad(", "refused("];
    let calls = calls.into_iter().flat_map(|call| {
        let calls = source.match_indices(call);
        calls.map(move |(at, _)| at + call.len())
    });
    let texts = calls.filter_map(|at| {
        let mut said = source[at..].trim_start();
        if literal(said).is_some_and(|text| is_sqlstate(&text)) {
            said = said.split_once(',')?.1.trim_start();
        }
        written(said).or_else(|| {
            let name = said
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()?;
            let value = format!("let {name} = ");
            let before = source[..at].rfind(&value).filter(|_| !name.is_empty())?;
            written(source[before + value.len()..].trim_start())
        })
    });
    texts.map(|text| pattern(&text)).collect()
}

/// A text, or the one of `format!`.
fn written(source: &str) -> Option<String> {
    let source = source.strip_prefix('&').unwrap_or(source);
    literal(match source.strip_prefix("format!(") {
        Some(text) => text.trim_start(),
        None => source,
    })
}

fn is_sqlstate(text: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    text.len() == 5 && text.chars().all(is_of_one)
}

fn without_tests(source: &str) -> &str {
    let tests = source.find("#[cfg(test)]\nmod tests {");
    &source[..tests.unwrap_or(source.len())]
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

#[test]
fn what_the_proxy_says_is_found_where_it_is_made() {
    let source = "let why = format!(\n    \"gone: {x}\"\n); Refusal::new(\"57P01\", why)\n\
                  Refusal::new(\n    \"28000\",\n    format!(\"no {}\", a),\n)\n\
                  fn bad(message: String) { Refusal::new(\"42601\", message) }\n\
                  bad(\"it is PAUSE\") refused(&format!(\"{n} were\"), None)\n\
                  #[cfg(test)]\nmod tests {\nbad(\"left out\")";
    let mut found = refusals(source);
    found.sort();
    assert_eq!(found, ["gone: {}", "it is PAUSE", "no {}", "{} were"]);
}
