//! The file of a proxy whose traffic has moved for good: what was the target is the source.
//!
//! Everything else stays as it was written, comments included: `toml_edit` keeps what it does not
//! change.

use std::path::Path;

use toml_edit::{DocumentMut, Item, TableLike, TomlError, Value};

use super::{Config, ConfigError, Given};
use crate::pg::address::Environment;

/// The file cannot be written anew.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It is no configuration as it is.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// The same of its syntax.
    #[error("its syntax")]
    Syntax(#[from] TomlError),
    /// It would be none without the target.
    #[error("without the target it would be wrong")]
    WrongAfter(#[source] ConfigError),
    /// It does not say itself where the two servers are, or more than once.
    #[error("it is not certain what the new source would be")]
    Unclear,
}

/// The text of the file at `path` after the move, whose `text` it is now; none where it has no target, or
/// is not to be written anew (`save_config` of `[cutover]`). `environment` has what passwords are in.
///
/// # Errors
/// It is wrong, or would be; then it is to stay as it is.
pub fn exchanged(
    path: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Option<String>, ExchangeError> {
    let mut document: DocumentMut = text.parse()?;
    if !is_wanted(&document) {
        return Ok(None);
    }
    let before = Config::read(path, text, &given(&document, environment))?;
    if !before.has_any_target() {
        return Ok(None);
    }
    exchange(&mut document);
    let after = document.to_string();
    let read = Config::read(path, &after, &given(&document, environment));
    let read = read.map_err(ExchangeError::WrongAfter)?;
    // Whatever way the servers were named, it comes to the same, or nothing is done.
    let mut expected = before.databases;
    for database in &mut expected {
        if let Some(target) = database.target.take() {
            database.source = target;
        }
    }
    let is_same = expected.len() == read.databases.len()
        && expected
            .iter()
            .zip(&read.databases)
            .all(|(one, other)| one.source == other.source && other.target.is_none());
    match is_same {
        true => Ok(Some(after)),
        false => Err(ExchangeError::Unclear),
    }
}

fn is_wanted(document: &DocumentMut) -> bool {
    let table = document.get("cutover").and_then(Item::as_table_like);
    let save = table.and_then(|table| table.get("save_config")?.as_bool());
    save == Some(true)
}

/// What the options at the top of the file say.
fn given(document: &DocumentMut, environment: &Environment) -> Given {
    let option = |name| document.get(name).and_then(Item::as_str).map(str::to_owned);
    Given {
        source: option("source"),
        target: option("target"),
        environment: environment.clone(),
        ..Given::default()
    }
}

/// The target takes the place of the source: in the table of the database that has one, else at the top
/// of the file; or from there to the one table that has a source of its own.
fn exchange(document: &mut DocumentMut) {
    let mut has_moved = false;
    each_database(document, |table| {
        if let Some(target) = take(table, "target") {
            put(table, target);
            has_moved = true;
        }
    });
    if has_moved {
        return;
    }
    let Some(target) = take(document.as_table_mut(), "target") else {
        return;
    };
    each_database(document, |table| {
        if table.contains_key("source") {
            put(table, target.clone());
            has_moved = true;
        }
    });
    if !has_moved {
        put(document.as_table_mut(), target);
    }
}

fn each_database(document: &mut DocumentMut, mut change: impl FnMut(&mut dyn TableLike)) {
    match document.get_mut("database") {
        Some(Item::ArrayOfTables(tables)) => tables.iter_mut().for_each(|table| change(table)),
        Some(Item::Value(Value::Array(values))) => {
            let tables = values.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.for_each(|table| change(table));
        }
        _ => {}
    }
}

/// A value that was taken out, and the lines of comments above it.
#[derive(Debug, Clone)]
struct Taken {
    value: Value,
    above: String,
}

fn take(table: &mut dyn TableLike, key: &str) -> Option<Taken> {
    let above = above(table, key);
    let value = table.remove(key)?.into_value().ok()?;
    Some(Taken { value, above })
}

/// What stands above a key.
fn above(table: &dyn TableLike, key: &str) -> String {
    let decor = table.key(key).map(|key| key.leaf_decor());
    let prefix = decor.and_then(|decor| decor.prefix()?.as_str());
    prefix.unwrap_or_default().to_owned()
}

/// Makes it the source. What was said beside the old one stands above the new one from now on: nobody's
/// words are lost.
fn put(table: &mut dyn TableLike, taken: Taken) {
    if !table.contains_key("source") {
        table.insert("source", Item::Value(taken.value));
        set_above(table, taken.above);
        return;
    }
    let old = table.get("source").and_then(Item::as_value);
    let beside = old.and_then(|old| old.decor().suffix()?.as_str());
    let beside = beside.map(str::trim).unwrap_or_default();
    let has_words = |text: &str| text.contains('#');
    let mut above = above(table, "source");
    if has_words(beside) {
        let indent = above.rsplit('\n').next().unwrap_or_default().to_owned();
        above.push_str(&format!("{beside}\n{indent}"));
    }
    if has_words(&taken.above) {
        above.push_str(taken.above.trim_start());
    }
    set_above(table, above);
    if let Some(value) = table.get_mut("source").and_then(Item::as_value_mut) {
        *value = taken.value;
    }
}

fn set_above(table: &mut dyn TableLike, above: String) {
    if let Some(mut key) = table.key_mut("source") {
        key.leaf_decor_mut().set_prefix(above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Result<Option<String>, ExchangeError> {
        let environment = Environment {
            os_user: Some("me".to_owned()),
            ..Environment::default()
        };
        exchanged(Path::new("proxy.toml"), text, &environment)
    }

    const CUTOVER: &str = "[cutover]\nuser = \"migrator\" # ours\nsave_config = true\n";

    #[test]
    fn the_target_takes_the_place_of_the_source_and_every_word_stays() {
        let text = format!(
            "# The shop.\nmax-lag = \"1 MB\"   # small\n\n[[database]]\nname = \"other\"\n\
             source = 'host=c dbname=o'\n\n[[database]]\nname = \"shop\"\n  # Since 2019.\n  \
             source = \"host=a dbname=shop\"   # rack 3\n  # Bought in May.\n  \
             target = \"host=b dbname=shop\" # rack 7\n# The end.\n\n{CUTOVER}"
        );
        let expected = format!(
            "# The shop.\nmax-lag = \"1 MB\"   # small\n\n[[database]]\nname = \"other\"\n\
             source = 'host=c dbname=o'\n\n[[database]]\nname = \"shop\"\n  # Since 2019.\n  \
             # rack 3\n  # Bought in May.\n  \
             source = \"host=b dbname=shop\" # rack 7\n# The end.\n\n{CUTOVER}"
        );
        assert_eq!(after(&text).expect("done").expect("there"), expected);
        // It is done once.
        assert_eq!(after(&expected).expect("done"), None);
    }

    #[test]
    fn servers_are_exchanged_wherever_they_are_named() {
        for (head, tables, new_head, new_tables) in [
            (
                "source = \"host=a dbname=x\"\ntarget = \"host=b dbname=x\"\n",
                "",
                "source = \"host=b dbname=x\"\n",
                "",
            ),
            (
                "source = \"host=a dbname=x\"\ntarget = \"host=b dbname=x\"\n",
                "[[database]]\nname = \"x\"\n",
                "source = \"host=b dbname=x\"\n",
                "[[database]]\nname = \"x\"\n",
            ),
            (
                "target = \"host=b dbname=x\"\n",
                "[[database]]\nname = \"x\"\nsource = \"host=a\"\n",
                "",
                "[[database]]\nname = \"x\"\nsource = \"host=b dbname=x\"\n",
            ),
            (
                "source = \"host=a\"\n",
                "[[database]]\nname = \"x\"\ntarget = \"host=b\"\n",
                "source = \"host=a\"\n",
                "[[database]]\nname = \"x\"\nsource = \"host=b\"\n",
            ),
            (
                "database = [{ name = \"x\", source = \"host=a\", target = \"host=b\" }]\n",
                "",
                "database = [{ name = \"x\", source = \"host=b\" }]\n",
                "",
            ),
        ] {
            let text = format!("{head}{tables}{CUTOVER}");
            let expected = format!("{new_head}{new_tables}{CUTOVER}");
            assert_eq!(after(&text).expect(&text).expect(&text), expected);
        }
    }

    #[test]
    fn what_is_not_certain_is_not_done() {
        let shop = "[[database]]\nname = \"x\"\nsource = \"host=a\"\ntarget = \"host=b\"\n";
        // Nobody has asked for it.
        let unasked = format!("{shop}[cutover]\nuser = \"migrator\"\n");
        assert_eq!(after(&unasked).expect("read"), None);
        assert_eq!(after(shop).expect("read"), None);
        // It would still have a target: the other one.
        let twice = format!("target = \"host=c\"\n{shop}{CUTOVER}");
        assert!(matches!(after(&twice), Err(ExchangeError::Unclear)));
        // The mirror is the target, and would be nobody.
        let mirror = format!("{shop}{CUTOVER}[[mirror]]\nname = \"m\"\n");
        let refused = after(&mirror);
        assert!(
            matches!(refused, Err(ExchangeError::WrongAfter(_))),
            "{refused:?}"
        );
        for wrong in ["x = ", "[cutover]\nsave_config = true\n"] {
            after(wrong).expect_err(wrong);
        }
    }
}
