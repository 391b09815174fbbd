//! What pg_dumpall writes about roles, as statements that can be told apart.

/// One thing that a script says about roles. SQL is without the semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A role.
    Create {
        /// Its name, unquoted.
        role: String,
        /// `CREATE ROLE …`.
        sql: String,
    },
    /// What a role may do, and its password.
    Attributes {
        /// The role.
        role: String,
        /// Those that a new role has not by itself, such as `LOGIN` and `CONNECTION LIMIT 3`.
        attributes: Vec<String>,
    },
    /// Something else of one role: a setting, a comment.
    Of {
        /// The role.
        role: String,
        /// The statement.
        sql: String,
    },
    /// A membership.
    Member {
        /// What is granted, unquoted.
        role: String,
        /// `GRANT … TO …`, without what follows.
        sql: String,
        /// `ADMIN OPTION`, `INHERIT FALSE` and the like.
        options: Vec<String>,
        /// ` GRANTED BY …`, or nothing.
        granted_by: String,
    },
    /// Anything else, such as a privilege on a parameter.
    Other {
        /// The statement.
        sql: String,
    },
}

/// The statements of `script`, but for its settings of the session and what is meant for psql.
pub fn statements(script: &str) -> Vec<Statement> {
    split(script)
        .into_iter()
        .filter(|sql| !sql.starts_with("SET "))
        .map(|sql| classify(&sql))
        .collect()
}

/// `script` without passwords: it is kept on disk for people.
pub fn without_passwords(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(at) = rest.find(" PASSWORD '") {
        let (before, literal) = rest.split_at(at + " PASSWORD ".len());
        kept.push_str(before);
        kept.push_str("'…'");
        // No kind of password hash has a quote in it.
        rest = literal[1..].split_once('\'').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// Whole statements, without comments, semicolons and what is meant for psql.
fn split(script: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    let mut rest = script;
    while !rest.is_empty() {
        let at_line_start = statement.trim().is_empty();
        let (token, after) = next_token(rest);
        rest = after;
        if token.starts_with("--") {
            continue;
        }
        if at_line_start && token == "\\" {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if token == ";" {
            let whole = std::mem::take(&mut statement);
            statements.push(whole.trim().to_owned());
        } else {
            statement.push_str(token);
        }
    }
    statements
}

/// The first word, quoted text, comment or other character of `text`, which is not empty, and what
/// follows it.
fn next_token(text: &str) -> (&str, &str) {
    let first = text.chars().next().unwrap_or(' ');
    let end = match first {
        '\'' => quoted_end(text, 0, '\'', false),
        'E' if text[1..].starts_with('\'') => quoted_end(text, 1, '\'', true),
        '"' => quoted_end(text, 0, '"', false),
        '-' if text.starts_with("--") => text.find('\n').unwrap_or(text.len()),
        _ if is_word(first) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        _ => first.len_utf8(),
    };
    text.split_at(end)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

/// Where the text ends that `quote` opens at `start`. A doubled quote is one within it.
fn quoted_end(text: &str, start: usize, quote: char, backslashes: bool) -> usize {
    let mut characters = text.char_indices().skip(start + 1).peekable();
    while let Some((at, character)) = characters.next() {
        if backslashes && character == '\\' {
            characters.next();
        } else if character == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return at + 1,
            }
        }
    }
    text.len()
}

/// The words and quoted texts of a statement, without what is between them.
fn words(sql: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = sql;
    while !rest.is_empty() {
        let (token, after) = next_token(rest);
        rest = after;
        if !token.trim().is_empty() {
            words.push(token);
        }
    }
    words
}

fn classify(sql: &str) -> Statement {
    let words = words(sql);
    let owned = || sql.to_owned();
    match &words[..] {
        ["CREATE", "ROLE", role] => Statement::Create {
            role: unquoted(role),
            sql: owned(),
        },
        ["ALTER", "ROLE", role, "WITH", attributes @ ..] => Statement::Attributes {
            role: unquoted(role),
            attributes: beyond_the_defaults(attributes),
        },
        ["ALTER", "ROLE", role, ..]
        | ["COMMENT", "ON", "ROLE", role, ..]
        | ["SECURITY", "LABEL", "FOR", _, "ON", "ROLE", role, ..] => Statement::Of {
            role: unquoted(role),
            sql: owned(),
        },
        ["GRANT", role, "TO", member, how @ ..] => {
            let by = how.iter().position(|word| *word == "GRANTED");
            let (options, granted_by) = how.split_at(by.unwrap_or(how.len()));
            Statement::Member {
                role: unquoted(role),
                sql: format!("GRANT {role} TO {member}"),
                options: options
                    .strip_prefix(&["WITH"])
                    .unwrap_or(options)
                    .split(|word| *word == ",")
                    .map(|option| option.join(" "))
                    .filter(|option| !option.is_empty())
                    .collect(),
                granted_by: granted_by.iter().map(|word| format!(" {word}")).collect(),
            }
        }
        _ => Statement::Other { sql: owned() },
    }
}

/// What PostgreSQL gives a new role by itself (CREATE ROLE in its manual).
const DEFAULTS: [&str; 7] = [
    "NOSUPERUSER",
    "INHERIT",
    "NOCREATEROLE",
    "NOCREATEDB",
    "NOLOGIN",
    "NOREPLICATION",
    "NOBYPASSRLS",
];

/// Whoever is no superuser may not even say that another is none: so what goes without saying is
/// not said.
fn beyond_the_defaults(words: &[&str]) -> Vec<String> {
    let mut attributes = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let more = match *word {
            "CONNECTION" | "VALID" => 2,
            "PASSWORD" => 1,
            word if DEFAULTS.contains(&word) => continue,
            _ => 0,
        };
        let mut attribute = (*word).to_owned();
        for next in words.by_ref().take(more) {
            attribute.push(' ');
            attribute.push_str(next);
        }
        attributes.push(attribute);
    }
    attributes
}

fn unquoted(identifier: &str) -> String {
    match identifier
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => identifier.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"--
-- PostgreSQL database cluster dump
--

\restrict abc

SET default_transaction_read_only = off;

CREATE ROLE "A;b ""c";
ALTER ROLE "A;b ""c" WITH NOSUPERUSER INHERIT CREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 3 PASSWORD 'SCRAM-SHA-256$4096:x' VALID UNTIL '2030-01-01 00:00:00+00';
COMMENT ON ROLE "A;b ""c" IS E'a\'; -- \\
b;';
ALTER ROLE bob SET search_path TO 'x', ';';
GRANT "A;b ""c" TO bob WITH ADMIN OPTION, INHERIT FALSE GRANTED BY postgres;
GRANT pg_read_all_data TO bob GRANTED BY "O'x";
GRANT SET ON PARAMETER log_min_messages TO bob;
\unrestrict abc
"#;

    #[test]
    fn each_statement_is_told_for_what_it_is_whatever_names_and_texts_hold() {
        let odd = "A;b \"c".to_owned();
        assert_eq!(
            statements(SCRIPT),
            [
                Statement::Create {
                    role: odd.clone(),
                    sql: r#"CREATE ROLE "A;b ""c""#.to_owned(),
                },
                Statement::Attributes {
                    role: odd.clone(),
                    attributes: [
                        "CREATEROLE",
                        "LOGIN",
                        "CONNECTION LIMIT 3",
                        "PASSWORD 'SCRAM-SHA-256$4096:x'",
                        "VALID UNTIL '2030-01-01 00:00:00+00'",
                    ]
                    .map(str::to_owned)
                    .to_vec(),
                },
                Statement::Of {
                    role: odd.clone(),
                    sql: "COMMENT ON ROLE \"A;b \"\"c\" IS E'a\\'; -- \\\\\nb;'".to_owned(),
                },
                Statement::Of {
                    role: "bob".to_owned(),
                    sql: "ALTER ROLE bob SET search_path TO 'x', ';'".to_owned(),
                },
                Statement::Member {
                    role: odd,
                    sql: r#"GRANT "A;b ""c" TO bob"#.to_owned(),
                    options: vec!["ADMIN OPTION".to_owned(), "INHERIT FALSE".to_owned()],
                    granted_by: " GRANTED BY postgres".to_owned(),
                },
                Statement::Member {
                    role: "pg_read_all_data".to_owned(),
                    sql: "GRANT pg_read_all_data TO bob".to_owned(),
                    options: vec![],
                    granted_by: " GRANTED BY \"O'x\"".to_owned(),
                },
                Statement::Other {
                    sql: "GRANT SET ON PARAMETER log_min_messages TO bob".to_owned(),
                },
            ]
        );
    }

    #[test]
    fn no_password_is_kept() {
        let kept = without_passwords(SCRIPT);
        assert!(!kept.contains("SCRAM"), "{kept}");
        assert!(kept.contains("PASSWORD '…' VALID UNTIL '2030"));
        assert!(kept.ends_with("\\unrestrict abc\n"));
    }

    #[test]
    fn a_script_that_is_cut_off_does_not_panic() {
        for end in (0..SCRIPT.len()).filter(|end| SCRIPT.is_char_boundary(*end)) {
            let _ = statements(&SCRIPT[..end]);
            let _ = without_passwords(&SCRIPT[..end]);
        }
    }
}
