//! A bank: clients transfer money through the proxy, write down each transfer with a number of their
//! own, and remember which were acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio_postgres::{Client, Error, NoTls};

use super::stage::Stage;
use crate::support::{Database, SOON, driver_runtime, eventually};

/// Accounts; each begins with a thousand.
const ACCOUNTS: i32 = 50;

/// What the application makes before the migration.
pub(super) const SCHEMA: &str = "
    CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
    INSERT INTO account SELECT id, 1000 FROM generate_series(1, 50) AS id;
    CREATE TABLE ledger (id bigserial PRIMARY KEY, client int NOT NULL, seq bigint NOT NULL,
        debit int NOT NULL, credit int NOT NULL, amount bigint NOT NULL, UNIQUE (client, seq));";

/// What must be equal in the end.
pub(super) const TABLES: [&str; 2] = ["account", "ledger"];

/// Clients at work; they end when this is dropped.
pub(super) struct Bank {
    stop: Arc<AtomicBool>,
    first: usize,
    clients: Vec<Arc<Teller>>,
    thread: Option<JoinHandle<()>>,
}

/// What one client knows.
#[derive(Default)]
struct Teller {
    /// The last transfer whose COMMIT was acknowledged.
    acknowledged: AtomicU64,
    /// Connections that broke, and were opened again.
    broken: AtomicU64,
    /// Errors of statements.
    errors: AtomicU64,
    /// Connections on which a transfer was not found that had been acknowledged before.
    forgotten: AtomicU64,
    longest_micros: AtomicU64,
}

impl Bank {
    /// `count` clients, each deciding by `seed` and its number.
    pub(super) fn open(stage: &Stage, count: usize, seed: u64) -> Self {
        Self::open_at(stage.port, (0, count), seed)
    }

    /// The same at this port, with numbers from `first` on.
    pub(super) fn open_at(port: u16, (first, count): (usize, usize), seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<Arc<Teller>> = (0..count).map(|_| Arc::default()).collect();
        let (stopped, all) = (Arc::clone(&stop), clients.clone());
        let thread = std::thread::spawn(move || {
            driver_runtime().block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for (number, teller) in (first..).zip(all) {
                    let stopped = Arc::clone(&stopped);
                    let random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
                    tasks.spawn(async move { teller.work(number, port, random, &stopped).await });
                }
                while tasks.join_next().await.is_some() {}
            });
        });
        let bank = Bank {
            stop,
            first,
            clients,
            thread: Some(thread),
        };
        bank.goes_on();
        bank
    }

    /// Waits until every client has had five more transfers acknowledged.
    #[track_caller]
    pub(super) fn goes_on(&self) {
        let acknowledged = |teller: &Arc<Teller>| teller.acknowledged.load(Ordering::SeqCst);
        let wanted: Vec<u64> = self
            .clients
            .iter()
            .map(|one| acknowledged(one) + 5)
            .collect();
        eventually(2 * SOON, "every client goes on", || {
            let mut pairs = self.clients.iter().zip(&wanted);
            pairs.all(|(teller, wanted)| acknowledged(teller) >= *wanted)
        });
    }

    /// Ends all clients. Each transfer that was acknowledged is on `serving` exactly once, none is
    /// there that nobody made, and no money came or went. Gives how many connections broke, and the
    /// longest that a client has waited.
    #[track_caller]
    pub(super) fn close(mut self, serving: &Database) -> (u64, Duration) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
        let sum = serving.number("SELECT sum(balance) FROM account");
        assert_eq!(sum, i64::from(ACCOUNTS) * 1000, "money came or went");
        let off = serving.number(
            "SELECT count(*) FROM account a WHERE balance <> 1000
                + coalesce((SELECT sum(amount) FROM ledger WHERE credit = a.id), 0)
                - coalesce((SELECT sum(amount) FROM ledger WHERE debit = a.id), 0)",
        );
        assert_eq!(off, 0, "balances are not what the ledger says");
        let (mut broken, mut errors, mut longest) = (0, 0, 0);
        for (number, teller) in (self.first..).zip(&self.clients) {
            let acknowledged = teller.acknowledged.load(Ordering::SeqCst);
            let missing = serving.number(&format!(
                "SELECT count(*) FROM generate_series(1, {acknowledged}) AS seq
                  WHERE NOT EXISTS (SELECT FROM ledger WHERE client = {number} AND ledger.seq = seq.seq)"
            ));
            assert_eq!(
                missing, 0,
                "client {number} misses acknowledged transfers of {acknowledged}"
            );
            let more = serving.number(&format!(
                "SELECT count(*) FROM ledger WHERE client = {number} AND seq > {acknowledged} + 1"
            ));
            assert_eq!(
                more, 0,
                "client {number} has transfers that it has not made"
            );
            let forgotten = teller.forgotten.load(Ordering::SeqCst);
            assert_eq!(
                forgotten, 0,
                "client {number} has missed what was acknowledged"
            );
            broken += teller.broken.load(Ordering::SeqCst);
            errors += teller.errors.load(Ordering::SeqCst);
            longest = longest.max(teller.longest_micros.load(Ordering::SeqCst));
        }
        assert_eq!(errors, 0, "statements failed");
        (broken, Duration::from_micros(longest))
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl Teller {
    async fn work(&self, number: usize, port: u16, mut random: StdRng, stop: &AtomicBool) {
        let client_number = i32::try_from(number).expect("few");
        while !stop.load(Ordering::SeqCst) {
            let text = format!("host=127.0.0.1 port={port} dbname=app user=app");
            let Ok((mut client, connection)) = tokio_postgres::connect(&text, NoTls).await else {
                self.broken.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            tokio::spawn(connection);
            // What became of one whose COMMIT was not answered.
            let sql = "SELECT coalesce(max(seq), 0) FROM ledger WHERE client = $1";
            let Ok(row) = client.query_one(sql, &[&client_number]).await else {
                self.broken.fetch_add(1, Ordering::SeqCst);
                continue;
            };
            let mut seq = row.get::<_, i64>(0) + 1;
            if seq <= self.acknowledged.load(Ordering::SeqCst) as i64 {
                self.forgotten.fetch_add(1, Ordering::SeqCst);
            }
            let mut is_first = true;
            while !stop.load(Ordering::SeqCst) {
                let began = Instant::now();
                match transfer(&mut client, client_number, seq, &mut random).await {
                    Ok(()) => {
                        self.acknowledged.store(seq as u64, Ordering::SeqCst);
                        seq += 1;
                    }
                    Err(_) if client.is_closed() => {
                        self.broken.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    Err(error) => match error.code().map(|code| code.code()) {
                        // Ended, and told so: by the proxy, by a server that stops or has crashed, or
                        // because there is none.
                        Some("57P01" | "57P02" | "57P03" | "08006") => {
                            self.broken.fetch_add(1, Ordering::SeqCst);
                            break;
                        }
                        // The COMMIT whose answer was lost came after the question for it.
                        Some("23505") if is_first => {
                            self.broken.fetch_add(1, Ordering::SeqCst);
                            break;
                        }
                        // Two of them in each other's way.
                        Some("40P01") => {}
                        _ => {
                            eprintln!("client {number}: {error:?}");
                            self.errors.fetch_add(1, Ordering::SeqCst);
                        }
                    },
                }
                is_first = false;
                let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.longest_micros.fetch_max(took, Ordering::SeqCst);
            }
        }
    }
}

async fn transfer(
    client: &mut Client,
    number: i32,
    seq: i64,
    random: &mut StdRng,
) -> Result<(), Error> {
    let (debit, credit) = (
        random.random_range(1..=ACCOUNTS),
        random.random_range(1..=ACCOUNTS),
    );
    let amount: i64 = random.random_range(1..10);
    let transaction = client.transaction().await?;
    let (first, second) = (debit.min(credit), debit.max(credit));
    let lock = "SELECT FROM account WHERE id IN ($1, $2) ORDER BY id FOR UPDATE";
    transaction.query(lock, &[&first, &second]).await?;
    let update = "UPDATE account SET balance = balance + $2 WHERE id = $1";
    transaction.execute(update, &[&debit, &-amount]).await?;
    transaction.execute(update, &[&credit, &amount]).await?;
    let note =
        "INSERT INTO ledger (client, seq, debit, credit, amount) VALUES ($1, $2, $3, $4, $5)";
    transaction
        .execute(note, &[&number, &seq, &debit, &credit, &amount])
        .await?;
    transaction.commit().await
}
