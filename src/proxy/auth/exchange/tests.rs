//! Logins of every kind against a policy, and the login at the server that follows.

use std::path::Path;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::backend::Message;
use proptest::prelude::*;

use super::super::{Answer, SaltKey, ServerLogin};
use super::*;
use crate::base::hostile::nearly;
use crate::pg::Address;
use crate::pg::address::Environment;
use crate::proxy::config::{Config, Given};

/// Of the password "pencil".
const SECRET: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn environment() -> Environment {
    let variables = [
        ("PLAIN", "pencil".to_owned()),
        ("MD5", md5_of("hashed", "pencil").to_string()),
    ];
    Environment {
        variables: variables
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        home: None,
        os_user: Some("me".to_owned()),
    }
}

/// Users `plain`, `hashed` and `scram`, all with the password "pencil", and `bare` without any.
fn policy(rules: &str) -> Policy {
    let text = format!(
        "[[database]]\nname = \"shop\"\nsource = \"host=a\"\n\
         [[user]]\nname = \"plain\"\npassword_env = \"PLAIN\"\n\
         [[user]]\nname = \"hashed\"\npassword_env = \"MD5\"\n\
         [[user]]\nname = \"scram\"\nscram_secret = \"{SECRET}\"\n\
         [[user]]\nname = \"bare\"\ncertificate_name = \"B. Are\"\n{rules}"
    );
    let given = Given {
        environment: environment(),
        ..Given::default()
    };
    let config = Config::read(Path::new("p"), &text, &given).expect("valid");
    Policy::new(&config, SaltKey::random())
}

fn one_rule(method: &str) -> Policy {
    let mut policy = policy("");
    policy.set_method(method);
    policy
}

fn claim(user: &str) -> Claim {
    Claim {
        user: user.to_owned(),
        database: "shop".to_owned(),
        peer: Peer {
            place: Place::Address(Some([10, 0, 0, 1].into())),
            is_encrypted: true,
        },
        os_user: None,
        certificate_name: None,
        end_point: Some(b"hash".to_vec()),
    }
}

fn asked(step: Step) -> Message {
    let Step::Ask(bytes) = step else {
        panic!("nothing asked: {step:?}")
    };
    let message = Message::parse(&mut BytesMut::from(&bytes[..]));
    message.expect("valid").expect("whole")
}

/// What comes of a SCRAM login with `password`, and what was challenged with.
fn scram(policy: &Policy, user: &str, password: &str) -> (Step, Vec<u8>) {
    let (mut exchange, step) = Exchange::begin(claim(user), policy);
    let Message::AuthenticationSasl(offer) = asked(step) else {
        panic!("no SCRAM for {user}")
    };
    let names: Vec<_> = offer
        .mechanisms()
        .map(|name| Ok(name.to_owned()))
        .collect()
        .expect("valid");
    assert_eq!(names, ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    let binding = ChannelBinding::tls_server_end_point(b"hash".to_vec());
    let mut client = ScramSha256::new(password.as_bytes(), binding);
    let first = client.message();
    let length = u32::try_from(first.len()).expect("short").to_be_bytes();
    let body = [b"SCRAM-SHA-256-PLUS\0", &length[..], first].concat();
    let Message::AuthenticationSaslContinue(challenge) = asked(exchange.hear(&body, policy)) else {
        panic!("no challenge")
    };
    client.update(challenge.data()).expect("a challenge");
    (
        exchange.hear(client.message(), policy),
        challenge.data().to_vec(),
    )
}

fn sqlstate(step: &Step) -> &str {
    match step {
        Step::Refused(refusal) => &refusal.sqlstate,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn scram_is_for_all_of_whom_a_password_or_secret_is_known() {
    let policy = policy("");
    let (step, _) = scram(&policy, "plain", "pencil");
    let Step::Passed(_, credential) = step else {
        panic!("{step:?}")
    };
    assert_eq!(credential, Credential::Password(Secret::new("pencil")));
    let (step, _) = scram(&policy, "scram", "pencil");
    assert!(
        matches!(step, Step::Passed(_, Credential::Scram(..))),
        "{step:?}"
    );
    for (user, password) in [
        ("plain", "pencils"),
        ("scram", "pen"),
        ("hashed", "pencil"),
        ("bare", "pencil"),
        ("nobody", "pencil"),
    ] {
        let (step, _) = scram(&policy, user, password);
        let Step::Refused(refusal) = step else {
            panic!("{user}: {step:?}")
        };
        assert_eq!(refusal, failed(user));
    }
}

#[test]
fn who_is_not_there_looks_like_who_is() {
    let policy = policy("");
    let salt = |user| {
        let (_, challenge) = scram(&policy, user, "x");
        let text = String::from_utf8(challenge).expect("text");
        text.split_once(",s=").expect("a salt").1.to_owned()
    };
    assert_eq!(salt("nobody"), salt("nobody"));
    assert_ne!(salt("nobody"), salt("nobody2"));
    assert_eq!(salt("plain").len(), salt("nobody").len());
    assert!(salt("nobody").ends_with(",i=4096"));
}

#[test]
fn md5_is_salted_anew_each_time() {
    let policy = one_rule("md5");
    let mut salts = Vec::new();
    let mut log_in = |user: &str, password: &str| {
        let (mut exchange, step) = Exchange::begin(claim(user), &policy);
        let Message::AuthenticationMd5Password(body) = asked(step) else {
            panic!("no md5 for {user}")
        };
        salts.push(body.salt());
        let answer = md5_hash(user.as_bytes(), password.as_bytes(), body.salt());
        exchange.hear(format!("{answer}\0").as_bytes(), &policy)
    };
    for user in ["plain", "hashed"] {
        assert!(matches!(log_in(user, "pencil"), Step::Passed(..)), "{user}");
        assert_eq!(sqlstate(&log_in(user, "pen")), "28P01");
    }
    assert_eq!(sqlstate(&log_in("nobody", "pencil")), "28P01");
    salts.dedup();
    assert_eq!(salts.len(), 5);
    let (step, _) = scram(&policy, "scram", "pencil");
    assert!(matches!(step, Step::Passed(..)), "{step:?}");
}

#[test]
fn a_password_is_asked_for_on_encrypted_connections_only() {
    let policy = one_rule("password");
    for user in ["plain", "hashed", "scram"] {
        let log_in = |body: &[u8]| {
            let (mut exchange, step) = Exchange::begin(claim(user), &policy);
            assert!(matches!(
                asked(step),
                Message::AuthenticationCleartextPassword
            ));
            exchange.hear(body, &policy)
        };
        assert!(matches!(
            log_in(b"pencil\0"),
            Step::Passed(_, Credential::Password(_))
        ));
        for wrong in [
            &b"pen\0"[..],
            b"pencil",
            b"\0",
            b"",
            b"\xff\0",
            b"pencil\0\0",
        ] {
            assert_eq!(sqlstate(&log_in(wrong)), "28P01", "{wrong:?}");
        }
    }
    let mut plain = claim("plain");
    plain.peer.is_encrypted = false;
    assert_eq!(sqlstate(&Exchange::begin(plain, &policy).1), "28000");
}

#[test]
fn a_local_client_is_the_operating_systems_user_and_nobody_reads_its_password() {
    let local = |user: &str, os_user: Option<&str>| Claim {
        peer: Peer {
            place: Place::Local,
            is_encrypted: false,
        },
        os_user: os_user.map(str::to_owned),
        end_point: None,
        ..claim(user)
    };
    let policy = one_rule("peer");
    let (_, step) = Exchange::begin(local("plain", Some("plain")), &policy);
    assert!(matches!(step, Step::Passed(_, Credential::Password(_))));
    for os_user in [Some("root"), None] {
        let (_, step) = Exchange::begin(local("plain", os_user), &policy);
        assert_eq!(sqlstate(&step), "28000");
    }
    let (_, step) = Exchange::begin(local("plain", None), &one_rule("password"));
    assert!(matches!(step, Step::Ask(_)));
}

#[test]
fn a_certificate_holds_the_users_name() {
    let mut policy = policy("");
    let begin = |policy: &Policy, user: &str, common: &str| {
        let mut claim = claim(user);
        claim.certificate_name = Some(common.to_owned());
        Exchange::begin(claim, policy).1
    };
    policy.set_method("cert");
    assert!(matches!(
        begin(&policy, "plain", "plain"),
        Step::Passed(_, Credential::Password(_))
    ));
    assert!(matches!(
        begin(&policy, "bare", "B. Are"),
        Step::Passed(_, Credential::Nothing)
    ));
    assert_eq!(sqlstate(&begin(&policy, "bare", "bare")), "28000");
    assert_eq!(
        sqlstate(&Exchange::begin(claim("plain"), &policy).1),
        "28000"
    );
}

#[test]
fn the_first_rule_that_fits_counts() {
    let policy = policy(
        "[[auth]]\nmethod = \"trust\"\naddress = \"10.0.0.0/8\"\nuser = \"plain\"\n\
         [[auth]]\nmethod = \"passthrough\"\nuser = \"other\"\n\
         [[auth]]\nmethod = \"reject\"\naddress = \"10.0.0.0/8\"\n\
         [[auth]]\nmethod = \"trust\"\ndatabase = \"shop\"\n",
    );
    let begin = |user: &str, last: u8, database: &str| {
        let mut claim = claim(user);
        claim.peer.place = Place::Address(Some([last, 0, 0, 1].into()));
        claim.database = database.to_owned();
        Exchange::begin(claim, &policy).1
    };
    assert!(matches!(begin("plain", 10, "shop"), Step::Passed(..)));
    assert!(matches!(begin("other", 10, "shop"), Step::Passthrough));
    assert_eq!(sqlstate(&begin("scram", 10, "shop")), "28000");
    assert!(matches!(
        begin("scram", 11, "shop"),
        Step::Passed(_, Credential::Nothing)
    ));
    assert_eq!(sqlstate(&begin("scram", 11, "other")), "28000");
}

#[test]
fn nothing_secret_is_shown() {
    let policy = policy("");
    let (step, _) = scram(&policy, "scram", "pencil");
    let shown = format!("{policy:?} {step:?}");
    for hidden in ["pencil", "WG5d8o", "wfPLwc", "md5a", "md5b"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

/// A server that lets `credential` in, played by the other half of this module.
fn log_in_to_server(server: &Policy, credential: &Credential, user: &str) -> Result<(), String> {
    let address = Address::parse_with("host=b user=me", &environment()).expect("valid");
    let mut login = ServerLogin::new(user, credential, &address, Some(b"hash".to_vec()));
    let (mut exchange, mut step) = Exchange::begin(claim(user), server);
    loop {
        let (bytes, is_last) = match &step {
            Step::Ask(bytes) => (bytes.clone(), false),
            Step::Passed(bytes, _) => (bytes.clone(), true),
            other => return Err(format!("{other:?}")),
        };
        if bytes.is_empty() {
            return Ok(());
        }
        match login
            .answer(&bytes[5..])
            .map_err(|error| error.to_string())?
        {
            Answer::Send(answer) => step = exchange.hear(&answer[5..], server),
            Answer::Wait if is_last => break,
            other => return Err(format!("{other:?}")),
        }
    }
    match login.answer(&[0; 4]).map_err(|error| error.to_string())? {
        Answer::Done => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn what_a_client_has_shown_opens_servers() {
    let proxy = policy("");
    let (step, _) = scram(&proxy, "scram", "pencil");
    let Step::Passed(_, key) = step else {
        panic!("{step:?}")
    };
    assert_eq!(log_in_to_server(&policy(""), &key, "scram"), Ok(()));
    let password = Credential::Password(Secret::new("pencil"));
    assert_eq!(log_in_to_server(&policy(""), &password, "scram"), Ok(()));
    assert_eq!(
        log_in_to_server(&one_rule("md5"), &password, "plain"),
        Ok(())
    );
    assert_eq!(
        log_in_to_server(&one_rule("password"), &password, "plain"),
        Ok(())
    );
    let hash = Credential::Md5(Secret::new(md5_of("hashed", "pencil").as_str()));
    assert_eq!(log_in_to_server(&one_rule("md5"), &hash, "hashed"), Ok(()));

    let told = |server: &Policy, credential: &Credential, user: &str| {
        log_in_to_server(server, credential, user).expect_err("refused")
    };
    // The same password, another salt: the key is of no use.
    let other = told(&policy(""), &key, "plain");
    assert!(other.contains("another SCRAM secret"), "{other}");
    assert!(told(&one_rule("md5"), &key, "plain").contains("a SCRAM key alone"));
    assert!(told(&policy(""), &hash, "scram").contains("an md5 hash alone"));
    assert!(told(&policy(""), &Credential::Nothing, "scram").contains("nothing that opens"));
}

#[test]
fn a_server_that_asks_for_too_much_or_skips_its_part_is_left() {
    let address = Address::parse_with("host=b user=me", &environment()).expect("valid");
    let password = Credential::Password(Secret::new("pencil"));
    let mut login = ServerLogin::new("a", &password, &address, None);
    login
        .answer(b"\0\0\0\x0aSCRAM-SHA-256\0\0")
        .expect("an offer");
    let much = login
        .answer(b"\0\0\0\x0br=x,s=QUJD,i=99999999")
        .expect_err("too often");
    assert!(much.to_string().contains("99999999 times"), "{much}");
    let skipped = login.answer(&[0; 4]).expect_err("no signature");
    assert!(skipped.to_string().contains("did not show"), "{skipped}");
}

proptest! {
    #![proptest_config(crate::base::hostile::at_least(200))]

    #[test]
    fn hostile_messages_let_nobody_in(
        method in prop::sample::select(vec!["md5", "password", "scram-sha-256"]),
        user in prop::sample::select(vec!["hashed", "bare", "nobody"]),
        bodies: Vec<Vec<u8>>, first in nearly(vec![
            b"SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc".to_vec(), b"md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0".to_vec(),
        ]),
    ) {
        let bodies = std::iter::once(first).chain(bodies);
        let policy = one_rule(method);
        let (mut exchange, _) = Exchange::begin(claim(user), &policy);
        for body in bodies {
            let step = exchange.hear(&body, &policy);
            prop_assert!(!matches!(step, Step::Passed(..)), "{:?}", step);
        }
    }

    #[test]
    fn hostile_servers_get_errors_and_no_panics(
        bodies: Vec<Vec<u8>>, code in 0_u8..14,
        asked in prop::collection::vec(nearly(vec![
            b"\0\0\0\x0aSCRAM-SHA-256\0\0".to_vec(), b"\0\0\0\x0br=x,s=QUJD,i=1".to_vec(),
            b"\0\0\0\x0cv=QUJD".to_vec(), b"\0\0\0\x05salt".to_vec(), b"\0\0\0\x03".to_vec(),
        ]), 0..4),
    ) {
        let address = Address::parse_with("host=b user=me", &environment()).expect("valid");
        let password = Credential::Password(Secret::new("pencil"));
        let mut login = ServerLogin::new("a", &password, &address, None);
        for body in asked {
            let _ = login.answer(&body);
        }
        for body in bodies {
            let _ = login.answer(&body);
            let _ = login.answer(&[&[0, 0, 0, code], &body[..]].concat());
        }
    }
}
