//! Links between pages: the file that a link names, and the heading in it, if it names one.

use std::collections::HashSet;
use std::fs;
use std::iter;
use std::path::Path;

/// What is wrong with the links of the page at `path`.
pub(crate) fn broken_links(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut broken = Vec::new();
    for link in links(&text) {
        if let Some(problem) = problem_of(path, &link) {
            broken.push(format!("{}: ({link}) {problem}", path.display()));
        }
    }
    broken
}

fn problem_of(page: &Path, link: &str) -> Option<&'static str> {
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link, None),
    };
    let there = match file {
        "" => page.to_owned(),
        file => page.parent().unwrap().join(file),
    };
    if !there.exists() {
        return Some("names no file");
    }
    let anchor = anchor?;
    let headings = anchors(&fs::read_to_string(&there).unwrap());
    (!headings.contains(anchor)).then_some("names no heading of that page")
}

/// The targets of all links of `text` to files, without those in code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in lines_outside_of_code(text) {
        let mut rest = without_code_spans(line);
        while let Some(at) = rest.find("](") {
            rest = rest[at + 2..].to_owned();
            let Some(end) = rest.find(')') else { break };
            let link = &rest[..end];
            if !link.contains("://") && !link.starts_with("mailto:") {
                links.push(link.to_owned());
            }
        }
    }
    links
}

/// The names under which forges offer the headings of `text`: lower case, hyphens for spaces, and
/// nothing else but letters, digits, hyphens and underscores.
fn anchors(text: &str) -> HashSet<String> {
    let headings = lines_outside_of_code(text).filter_map(|line| {
        let heading = line.trim_start_matches('#');
        (line.starts_with('#') && heading.starts_with(' ')).then(|| heading.trim())
    });
    let mut anchors = HashSet::new();
    for heading in headings {
        let name = anchor(heading);
        // A heading that is there again gets a number.
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = iter::once(name.clone())
            .chain(numbered)
            .find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        character => character.is_alphanumeric().then_some(character),
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn lines_outside_of_code(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What stands in code spans is text; the words of a link may be code.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[test]
fn links_are_found_outside_of_code() {
    let text =
        "[a](b.md#c), `[x](y)`, [`d`](../e.md) and [w](https://w.example)\n```\n[z](q)\n```\n";
    assert_eq!(links(text), ["b.md#c", "../e.md"]);
}

#[test]
fn headings_are_named_as_forges_do() {
    let text = "# The proxy's `[[user]]`\n## By hand\n```sh\n# no heading\n```\n## By hand\n";
    let names: HashSet<_> = ["the-proxys-user", "by-hand", "by-hand-1"]
        .map(String::from)
        .into();
    assert_eq!(anchors(text), names);
}
