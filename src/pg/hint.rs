//! What to tell the operator about an error.

use std::io;

use super::error::Error;
use super::server_error::ServerError;

/// The advice for `error`, or none if its text says it all.
pub(super) fn of(error: &Error) -> Option<String> {
    let advice = match error {
        Error::Address(error) => return error.hint(),
        Error::Refused { source, .. } => of_refusal(source),
        Error::Tls { problem, .. } => of_tls(problem),
        Error::Auth { problem, .. } => of_login(problem),
        Error::WrongRole { .. } => {
            "name the other servers too (host=a,b), or change target_session_attrs"
        }
        Error::Server(error) => return of_server(error),
        Error::Lost(_) => "look into the server's log for a crash, restart or terminated backend",
        Error::Protocol(_) => {
            "check that host and port are those of a PostgreSQL server, and that nothing between \
             rewrites its protocol"
        }
        Error::Untrusted(_) => {
            "whoever owns it can steer pgflit by what stands there: drop it, or ALTER … OWNER TO \
             pgflit's role, once you know who made it"
        }
        Error::Sql(_) => return None,
    };
    Some(advice.to_owned())
}

fn of_refusal(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "is the server running there, and does its listen_addresses cover this address?"
        }
        io::ErrorKind::NotFound => {
            "is a server running here with that unix_socket_directories and port?"
        }
        io::ErrorKind::TimedOut => {
            "nothing answered: check the host, the route to it and any firewall between"
        }
        io::ErrorKind::PermissionDenied => {
            "the socket may not be used by this operating-system user"
        }
        _ => "check the host name and that this machine can reach it",
    }
}

fn of_login(problem: &str) -> &'static str {
    if problem.contains("requirepeer") {
        "is this the right socket? If so, let requirepeer name the user that the server runs as"
    } else if problem.contains("require_auth") || problem.contains("channel") {
        "loosen require_auth or channel_binding if this server may be trusted, else find out why \
         it asks for less than usual"
    } else {
        "put the password into ~/.pgpass (mode 0600) or PGPASSWORD"
    }
}

fn of_tls(problem: &str) -> &'static str {
    if problem.contains("does not support") {
        "set ssl = on at the server, or allow an unencrypted connection with sslmode=prefer"
    } else if problem.contains("verify") || problem.contains("certificate") {
        "give the authority that signed the server's certificate with sslrootcert=FILE or \
         sslrootcert=system, and connect by the name in the certificate"
    } else {
        "compare sslmode, sslcert, sslkey and ssl_min_protocol_version with the server's settings"
    }
}

fn of_server(error: &ServerError) -> Option<String> {
    let advice = match error.sqlstate.as_str() {
        "28P01" => {
            "the password is wrong or missing: check PGPASSWORD, ~/.pgpass (mode 0600) or the URI"
        }
        "28000" if error.message.contains("certificate") => {
            "give the client certificate with sslcert and its key with sslkey"
        }
        "28000" => {
            "add a line for this user, database and address to the server's pg_hba.conf and reload \
             it; replication connections to a database need an ordinary line for that database"
        }
        "3D000" => "create the database first, or name another with dbname",
        "57P03" => "the server is starting, stopping or recovering; wait and try again",
        "53100" => "the server's disk is full: make room there",
        "53300" => "raise max_connections, or use fewer jobs",
        "42501" => "grant the privilege to this role, or connect as another",
        "XX000" if error.message.contains("filenode") => {
            "PostgreSQL cannot decode a TRUNCATE, or whatever else gave a table a new file, that ran \
             while the slot was being made, now or later: begin anew with --restart (and \
             --drop-if-exists), while nothing of the kind runs"
        }
        _ => return error.hint.clone(),
    };
    Some(match &error.hint {
        Some(hint) => format!("{advice} (the server suggests: {hint})"),
        None => advice.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_refusals_come_with_advice() {
        for sqlstate in ["28P01", "28000", "3D000"] {
            let error = ServerError {
                sqlstate: sqlstate.into(),
                ..ServerError::default()
            };
            assert!(of(&error.into()).is_some(), "{sqlstate}");
        }
    }

    #[test]
    fn a_slot_that_cannot_be_decoded_from_its_beginning_is_to_be_made_anew() {
        let error = ServerError {
            sqlstate: "XX000".into(),
            message: "could not map filenode \"base/5/16859\" to relation OID".into(),
            ..ServerError::default()
        };
        let hint = of(&error.into()).expect("a hint");
        assert!(hint.contains("--restart"), "{hint}");
    }
}
