//! Connection strings written as URIs: `postgresql://user:password@host:port,host2/dbname?key=value`.
//!
//! Follows `conninfo_uri_parse_options` of PostgreSQL's `src/interfaces/libpq/fe-connect.c`, its
//! oddities included: credentials end at the first `@` before a slash, an empty part is as good
//! as a missing one, and a list of hosts is decoded as a whole.

use super::error::AddressError;
use super::keyword::{self, Settings};

/// What follows the prefix, if `text` is a URI.
pub fn strip_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"))
}

/// The settings in `rest`, which is a URI without its scheme.
pub fn parse(rest: &str) -> Result<Settings, AddressError> {
    let mut settings = Settings::new();
    let rest = credentials(rest, &mut settings)?;
    let rest = servers(rest, &mut settings)?;
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let database = path.strip_prefix('/').unwrap_or(path);
    store_decoded(&mut settings, "dbname", database)?;
    query(parameters, &mut settings)?;
    Ok(settings)
}

/// Takes `user:password@` from the front, if it is there.
fn credentials<'a>(rest: &'a str, settings: &mut Settings) -> Result<&'a str, AddressError> {
    let end = rest.find(['@', '/']).unwrap_or(rest.len());
    let Some(after) = rest[end..].strip_prefix('@') else {
        return Ok(rest);
    };
    let (user, password) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
    store_decoded(settings, "user", user)?;
    store_decoded(settings, "password", password)?;
    Ok(after)
}

/// Takes `host:port,[v6]:port,…` from the front; what is left begins with `/` or `?` or is empty.
fn servers<'a>(mut rest: &'a str, settings: &mut Settings) -> Result<&'a str, AddressError> {
    let (mut hosts, mut ports) = (String::new(), String::new());
    loop {
        let (host, after) = match rest.strip_prefix('[') {
            Some(inside) => bracketed(inside)?,
            None => split_before(rest, &[':', '/', '?', ',']),
        };
        hosts.push_str(host);
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            let (port, after) = split_before(after, &['/', '?', ',']);
            ports.push_str(port);
            rest = after;
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
        hosts.push(',');
        ports.push(',');
    }
    store_decoded(settings, "host", &hosts)?;
    store_decoded(settings, "port", &ports)?;
    Ok(rest)
}

/// The address inside `[…]` and what follows it.
fn bracketed(inside: &str) -> Result<(&str, &str), AddressError> {
    let malformed = |problem: &str| Err(AddressError::Malformed(problem.to_owned()));
    let Some((host, after)) = inside.split_once(']') else {
        return malformed("no \"]\" after the IPv6 address");
    };
    if host.is_empty() {
        return malformed("the IPv6 address between \"[\" and \"]\" is empty");
    }
    if !after.is_empty() && !after.starts_with([':', '/', '?', ',']) {
        return malformed(
            "after the \"]\" of an IPv6 address, \":\", \"/\", \"?\" or \",\" must follow",
        );
    }
    Ok((host, after))
}

fn split_before<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// The `key=value&key=value` after the question mark. Values may be empty here.
fn query(parameters: &str, settings: &mut Settings) -> Result<(), AddressError> {
    let mut left = parameters;
    while !left.is_empty() {
        let (parameter, after) = left.split_once('&').unwrap_or((left, ""));
        left = after;
        let Some((name, value)) = parameter.split_once('=') else {
            let problem = format!("no \"=\" in URI parameter \"{parameter}\"");
            return Err(AddressError::Malformed(problem));
        };
        if value.contains('=') {
            let problem = format!("a second \"=\" in URI parameter \"{name}\": write it as %3D");
            return Err(AddressError::Malformed(problem));
        }
        let name = decode(name, "a parameter's name")?;
        let value = decode(value, &name)?;
        match (name.as_str(), value.as_str()) {
            // JDBC's way to say it.
            ("ssl", "true") => keyword::store(settings, "sslmode", "require".to_owned())?,
            _ => keyword::store(settings, &name, value)?,
        }
    }
    Ok(())
}

fn store_decoded(
    settings: &mut Settings,
    keyword: &'static str,
    encoded: &str,
) -> Result<(), AddressError> {
    if !encoded.is_empty() {
        settings.insert(keyword, decode(encoded, keyword)?);
    }
    Ok(())
}

/// `encoded` with every `%XX` as the byte it stands for. `what` names it in errors: the text
/// itself may be a password.
fn decode(encoded: &str, what: &str) -> Result<String, AddressError> {
    let malformed = |problem: &str| AddressError::Malformed(format!("{problem} in {what}"));
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut left = encoded.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(left.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(malformed("\"%\" without two hexadecimal digits"));
        };
        match (high * 16 + low) as u8 {
            0 => return Err(malformed("forbidden %00")),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("percent-encoded bytes that are not UTF-8"))
}

/// `text` with everything but letters, digits and `-._~` as `%XX`.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        let rest = strip_scheme(text).expect("a URI");
        parse(rest).expect(text).into_iter().collect()
    }

    #[test]
    fn uris_read_as_libpq_reads_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("postgresql://", &[]),
            ("postgres://host", &[("host", "host")]),
            ("postgresql://host/", &[("host", "host")]),
            (
                "postgresql://host:12345/",
                &[("host", "host"), ("port", "12345")],
            ),
            ("postgresql://host:/", &[("host", "host")]),
            ("postgresql://:12345/", &[("port", "12345")]),
            ("postgresql:///mydb", &[("dbname", "mydb")]),
            (
                "postgresql://user@host/db",
                &[("dbname", "db"), ("host", "host"), ("user", "user")],
            ),
            (
                "postgresql://user:p%40ss:w@",
                &[("password", "p@ss:w"), ("user", "user")],
            ),
            ("postgresql://:@host", &[("host", "host")]),
            (
                "postgresql://[::1]:5/db",
                &[("dbname", "db"), ("host", "::1"), ("port", "5")],
            ),
            ("postgresql://[::1]", &[("host", "::1")]),
            (
                "postgresql://a:1,b:2,[::1]/",
                &[("host", "a,b,::1"), ("port", "1,2,")],
            ),
            ("postgresql://a,b", &[("host", "a,b"), ("port", ",")]),
            (
                "postgresql://%2Fvar%2Flib/db",
                &[("dbname", "db"), ("host", "/var/lib")],
            ),
            (
                "postgresql:///db?host=/tmp&port=6",
                &[("dbname", "db"), ("host", "/tmp"), ("port", "6")],
            ),
            (
                "postgresql://h?sslmode=disable",
                &[("host", "h"), ("sslmode", "disable")],
            ),
            (
                "postgresql://h?ssl=true",
                &[("host", "h"), ("sslmode", "require")],
            ),
            ("postgresql://h?user=", &[("host", "h"), ("user", "")]),
            ("postgresql://h?user=a&", &[("host", "h"), ("user", "a")]),
            ("postgresql://h//db", &[("dbname", "/db"), ("host", "h")]),
            (
                "postgresql://u@/db?options=-c%20a%3Db",
                &[("dbname", "db"), ("options", "-c a=b"), ("user", "u")],
            ),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(k, v)| (*k, (*v).to_owned()))
                .collect();
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn malformed_uris_are_refused_without_telling_the_password() {
        for text in [
            "postgresql://[::1",
            "postgresql://[]",
            "postgresql://[::1]x",
            "postgresql://h?user",
            "postgresql://h?user=a=b",
            "postgresql://h?zzz=1",
            "postgresql://h?=1",
            "postgresql://u:secret%4@h",
            "postgresql://u:secret%00@h",
            "postgresql://u:secret%zz@h",
            "postgresql://u:secret%ff@h",
            "postgresql://h?&",
        ] {
            let error = parse(strip_scheme(text).expect("a URI")).expect_err(text);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_the_two_schemes_are_uris() {
        assert_eq!(strip_scheme("postgres://x"), Some("x"));
        assert_eq!(strip_scheme("POSTGRES://x"), None);
        assert_eq!(strip_scheme("host=postgres://x"), None);
    }
}
