//! A page, read as strictly as a browser does not.

/// A page that is well-formed and loads nothing.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    /// What stands between the tags, unescaped.
    pub(crate) text: String,
}

impl Page {
    /// Reads `html`: every tag is closed, every attribute quoted, every `&` begins a reference.
    #[track_caller]
    pub(crate) fn of(html: &str) -> Self {
        for forbidden in [
            "http", "src=", "url(", "@import", "<link", "<img", "<iframe",
        ] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        let rest = html.strip_prefix("<!DOCTYPE html>\n").expect("a doctype");
        Self {
            html: html.to_owned(),
            text: read(rest),
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no {text:?} in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing_of(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} in {}", self.text);
        self
    }

    /// Whether a plot of that name is drawn.
    pub(crate) fn draws(&self, title: &str) -> bool {
        self.html.contains(&format!("<title>{title}</title>"))
    }
}

fn read(html: &str) -> String {
    let (mut open, mut text, mut rest) = (Vec::new(), String::new(), html);
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a lone > in {before:?}");
        let is_raw = open
            .last()
            .is_some_and(|tag| tag == "style" || tag == "script");
        if !is_raw {
            text.push_str(&unescaped(before));
        }
        let (tag, after) = after.split_once('>').expect("the end of a tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "before {after:.80}");
            text.push('\n');
            continue;
        }
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name = tag.split(' ').next().expect("a name");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{tag}"
        );
        attributes(tag.strip_prefix(name).expect("the rest"));
        if !is_empty {
            open.push(name.to_owned());
            if name == "style" || name == "script" {
                let (_, end) = rest.split_once(&format!("</{name}>")).expect("its end");
                open.pop();
                rest = end;
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
    assert_eq!(rest.trim(), "", "after the last tag");
    text
}

#[track_caller]
fn attributes(text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("an attribute");
        let name = name.strip_prefix(' ').expect("a space before it");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(name.bytes().all(is_plain), "{name:?} in {text}");
        let (value, after) = value.split_once('"').expect("the end of its value");
        assert!(!value.contains('<'), "{value:?} in {text}");
        unescaped(value);
        rest = after;
    }
}

#[track_caller]
fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, rest) = part.split_once(';').expect("a reference");
        plain.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("&{other}; in {text}"),
        });
        plain.push_str(rest);
    }
    plain
}

#[test]
fn what_is_not_well_formed_is_found() {
    let read = |html: &str| {
        let html = format!("<!DOCTYPE html>\n{html}");
        std::panic::catch_unwind(|| Page::of(&html)).map(|page| page.text)
    };
    assert_eq!(
        read("<p class=\"a\">1 &lt; 2<br/></p>").ok().as_deref(),
        Some("1 < 2\n")
    );
    for html in [
        "<p>",
        "<p></b>",
        "<p class=a></p>",
        "<p>a & b</p>",
        "<p></p> and more",
        "<p x=\"<\"></p>",
        "<a href=\"http:\"/>",
    ] {
        assert!(read(html).is_err(), "{html}");
    }
}
