//! Whether a certificate is the one of the host that was asked for (`sslmode=verify-full`).
//!
//! Follows `pq_verify_peer_name_matches_certificate` of PostgreSQL's
//! `src/interfaces/libpq/fe-secure-openssl.c`: alternative names first; the common name counts
//! only if there is no alternative name of the host's own kind.

use std::net::IpAddr;

use openssl::nid::Nid;
use openssl::x509::X509Ref;

/// The names in a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Alternative names of type dNSName.
    pub dns: Vec<String>,
    /// Alternative names of type iPAddress: 4 or 16 bytes.
    pub addresses: Vec<Vec<u8>>,
    /// The subject's common name.
    pub common: Option<String>,
}

impl Names {
    /// Reads them. Names with a zero byte inside, a known trick, are left out.
    pub fn of(certificate: &X509Ref) -> Self {
        let mut names = Names::default();
        for name in certificate.subject_alt_names().iter().flatten() {
            if let Some(dns) = name.dnsname() {
                names.dns.push(dns.to_owned());
            } else if let Some(address) = name.ipaddress() {
                names.addresses.push(address.to_owned());
            }
        }
        names.common = certificate
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .next()
            .and_then(|entry| entry.data().to_string().ok());
        names.dns.retain(|name| !name.contains('\0'));
        names.common = names.common.filter(|name| !name.contains('\0'));
        names
    }

    /// Whether one of them is `host`, a name or an address.
    pub fn match_host(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().ok();
        let octets = address.map(|address| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        });
        let same_kind = match address {
            Some(_) => !self.addresses.is_empty(),
            None => !self.dns.is_empty(),
        };
        let common = self.common.iter().filter(|_| !same_kind);
        self.dns
            .iter()
            .chain(common)
            .any(|name| matches_name(name, host))
            || octets.is_some_and(|octets| self.addresses.contains(&octets))
    }

    /// For an error message.
    pub fn describe(&self) -> String {
        let known = self.dns.iter().chain(self.common.iter());
        let known: Vec<_> = known.map(|name| format!("\"{name}\"")).collect();
        match known.is_empty() {
            true => "no name".to_owned(),
            false => known.join(", "),
        }
    }
}

/// Compares without regard to case; `*.` in front stands for exactly one label.
fn matches_name(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(suffix) = pattern
        .strip_prefix('*')
        .filter(|rest| rest.starts_with('.'))
    else {
        return false;
    };
    // Addresses have no labels.
    if suffix.len() < 2 || host.parse::<IpAddr>().is_ok() {
        return false;
    }
    let Some((label, _)) = host.split_once('.') else {
        return false;
    };
    !label.is_empty() && host[label.len()..].eq_ignore_ascii_case(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dns: &[&str], addresses: &[&[u8]], common: Option<&str>) -> Names {
        Names {
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|bytes| bytes.to_vec()).collect(),
            common: common.map(str::to_owned),
        }
    }

    #[test]
    fn the_common_name_counts_only_without_alternatives_of_the_hosts_kind() {
        assert!(names(&[], &[], Some("db.example")).match_host("DB.example"));
        assert!(!names(&["other"], &[], Some("db.example")).match_host("db.example"));
        assert!(names(&[], &[&[10, 0, 0, 1]], Some("db.example")).match_host("db.example"));
        assert!(names(&["other"], &[], Some("10.0.0.1")).match_host("10.0.0.1"));
        assert!(!names(&[], &[&[10, 0, 0, 2]], Some("10.0.0.1")).match_host("10.0.0.1"));
        assert!(names(&[], &[&[10, 0, 0, 1]], None).match_host("10.0.0.1"));
        assert!(!names(&[], &[], None).match_host("db.example"));
    }

    #[test]
    fn a_star_is_one_label() {
        for (pattern, host, fits) in [
            ("*.example", "db.example", true),
            ("*.example", "a.db.example", false),
            ("*.example", "example", false),
            ("*.example", ".example", false),
            ("*", "db", false),
            ("*.", "db.", false),
            ("d*.example", "db.example", false),
            ("*.0.0.1", "10.0.0.1", false),
        ] {
            assert_eq!(matches_name(pattern, host), fits, "{pattern} {host}");
        }
    }
}
