//! What a source file refers to: code without comments and strings, and the paths in it.

/// `text` with comments and the insides of strings blanked out, line by line as before.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest);
        let (token, after) = rest.split_at(length.unwrap_or(first.len_utf8()));
        match length {
            // Lines stay lines, so that positions can be told.
            Some(_) => code.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
            None => code.push_str(token),
        }
        rest = after;
    }
    code
}

/// The length of the comment or literal that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let until = |from: usize, end: &str| {
        rest[from..]
            .find(end)
            .map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(until(2, "*/"));
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return Some(until(hashes + 2, &format!("\"{}", "#".repeat(hashes))));
        }
    }
    if rest.starts_with('"') {
        return Some(quoted_length(rest, '"'));
    }
    // A quote that closes within two characters, or an escape, is a character; else a lifetime.
    let is_character = rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'');
    (rest.starts_with('\'') && is_character).then(|| quoted_length(rest, '\''))
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The modules of `path` (such as `cdc/apply/lane.rs`): `["cdc", "apply", "lane"]`.
pub(super) fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" | "main" => Vec::new(),
        _ => path.split('/').map(str::to_owned).collect(),
    }
}

/// The modules of this crate that `code`, in `module`, refers to, whole as far as they are
/// written: through `crate::`, through `pgflit::`, through chains of `super::`, grouped or not.
pub(super) fn references(module: &[String], code: &str) -> Vec<Vec<String>> {
    let code = squeezed(code);
    let mut found = Vec::new();
    // Modules written inside this file, such as `mod tests`, each with the depth of its braces.
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let rest = &code[at..];
        let fresh = !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
        match first {
            '{' => depth += 1,
            '}' => {
                inline.retain(|(opened, _)| *opened < depth);
                depth = depth.saturating_sub(1);
            }
            _ if fresh => {
                let here = || module.iter().chain(inline.iter().map(|(_, name)| name));
                if let Some(name) = inline_module(rest) {
                    inline.push((depth + 1, name));
                } else if let Some((base, length)) =
                    root(&here().cloned().collect::<Vec<_>>(), rest)
                {
                    collect(&base, &rest[length..], &mut found);
                    at += length;
                    continue;
                }
            }
            _ => {}
        }
        at += first.len_utf8();
    }
    found
}

/// The name, if `rest` begins with `mod name{`.
fn inline_module(rest: &str) -> Option<String> {
    let (name, _) = rest.strip_prefix("mod ")?.split_once('{')?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| name.to_owned())
}

/// Without white space around `::`, braces and commas, so that a path is one run of characters.
fn squeezed(code: &str) -> String {
    let words: Vec<_> = code.split_whitespace().collect();
    let mut text = String::with_capacity(code.len());
    for word in words {
        let glued = text.ends_with([':', '{', ',']) || word.starts_with([':', '{', '}', ',']);
        if !text.is_empty() && !glued {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Where a path that `rest` begins with starts from, and the length of its first words.
fn root(module: &[String], rest: &str) -> Option<(Vec<String>, usize)> {
    for crate_name in ["crate::", "pgflit::"] {
        if rest.starts_with(crate_name) {
            return Some((Vec::new(), crate_name.len()));
        }
    }
    let mut length = 0;
    let mut ups = 0;
    while rest[length..].starts_with("super::") {
        length += "super::".len();
        ups += 1;
    }
    let above = module.len().checked_sub(ups)?;
    (ups > 0).then(|| (module[..above].to_vec(), length))
}

/// Adds the paths that `rest` continues `base` with.
fn collect(base: &[String], rest: &str, found: &mut Vec<Vec<String>>) {
    if let Some(group) = rest.strip_prefix('{') {
        for item in items(group) {
            collect(base, item, found);
        }
        return;
    }
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let mut path = base.to_vec();
    if end > 0 && &rest[..end] != "self" {
        path.push(rest[..end].to_owned());
    }
    match rest[end..].strip_prefix("::") {
        Some(after) if end > 0 => collect(&path, after, found),
        _ => found.push(path),
    }
}

/// The items of a group, up to its closing brace, split at the commas outside of inner groups.
fn items(group: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                items.push(&group[start..at]);
                break;
            }
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, code: &str) -> Vec<String> {
        let found = references(&module_of(path), &code_of(code));
        found.iter().map(|path| path.join("/")).collect()
    }

    #[test]
    fn grouped_imports_are_taken_apart() {
        let code = "use crate::{base::{Lsn, self}, pg::\n  session::Session,};";
        assert_eq!(
            names("clone/plan.rs", code),
            ["base/Lsn", "base", "pg/session/Session"]
        );
    }

    #[test]
    fn climbing_out_of_a_module_is_seen() {
        assert_eq!(
            names(
                "cdc/apply/lane.rs",
                "fn f() { super::super::receive::go() }"
            ),
            ["cdc/receive/go"]
        );
        assert_eq!(
            names("cdc/apply/mod.rs", "use super::change::Change;"),
            ["cdc/change/Change"]
        );
        assert_eq!(
            names("clone/plan.rs", "use super::super::proxy;"),
            ["proxy"]
        );
    }

    #[test]
    fn a_module_inside_the_file_is_a_step_deeper() {
        let code = "mod tests { mod deep { use super::super::a; } use super::b; } use super::c;";
        assert_eq!(
            names("pg/session.rs", code),
            ["pg/session/a", "pg/session/b", "pg/c"]
        );
    }

    #[test]
    fn comments_strings_and_longer_words_are_no_paths() {
        let code = "// crate::a\n/* crate::b */ \"crate::c\" r#\"crate::d\"# 'x' &'a mycrate::e";
        assert_eq!(names("base/lsn.rs", code), [""; 0]);
    }

    #[test]
    fn a_quote_character_does_not_open_a_string() {
        assert_eq!(
            names("base/a.rs", "f('\"'); g('\\''); crate::pg::x()"),
            ["pg/x"]
        );
    }
}
