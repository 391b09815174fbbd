//! pgflit moves a live PostgreSQL database, and its traffic, to another server.
//!
//! This page is the map. Each module's own page says what it owns, what it leaves to others, and
//! its crash story: what is on disk or committed after `kill -9` at each step, and how the next
//! start knows.
//!
//! # Processes
//! ```text
//! pgflit clone --follow           supervisor; copies rows, builds indexes      migration, clone
//!  ├─ pgflit stream receive       slot → JSON segments                         cdc::receive
//!  ├─ pgflit stream transform     JSON segments → SQL segments, no network     cdc::transform
//!  └─ pgflit stream apply         SQL segments → target, exactly once          cdc::apply
//!
//! pgflit cutover, rollback        short-lived; both servers, proxies, streams  migration::cutover
//!  └─ pgflit follow               stays: the stream back, or there again       migration::cutover::leg
//! pgflit finalize                 short-lived; ends the stream back            migration::cutover::finalize
//!
//! pgflit sentinel                 short-lived; talks to the store              commands::sentinel
//! pgflit report                   short-lived; reads the work directory        migration::report
//! pgflit compare data|schema      short-lived; reads both servers              verify
//! pgflit status                   short-lived; looks at everything             migration::status
//! pgflit proxy                    clients ⇄ servers; a process of its own      proxy
//! pgflit proxy status|pause|…     short-lived; talk to the proxy's socket      commands::proxy
//! ```
//! The three children are ordinary commands: a person can run and pipe them by hand. While the
//! base copy runs, changes are only prefetched; then apply catches up from disk; then the three
//! are connected by pipes (live replay), and go back to disk when the target is slow
//! ([`migration::stage`]).
//!
//! # What is on disk, and who writes it
//! | in the work directory | writer | module |
//! |---|---|---|
//! | `pgflit.lock` | whoever runs | [`store`] |
//! | `pgflit.db` | one writer a table group | [`store`] |
//! | `authority.json`: where traffic goes | whoever moves it; the proxy reads it | [`proxy::authority`] |
//! | `cutover.lock` | whoever moves traffic | [`migration::cutover`] |
//! | `reverse/`, `forward/`: work directories | the streams of a cutover and a rollback | [`migration::cutover::leg`] |
//! | `proxy.sock`, `proxy-PID.sock` | each process of the proxy, for as long as it runs | [`proxy::control`] |
//! | `log/` | every process its own | [`report::log_file`] |
//! | `compare/`: tables that were found equal | whoever compares | [`verify::data::journal`] |
//! | `summary.json` | whoever copies | [`migration::summary`] |
//! | `report.html` | `pgflit report` | [`report::page`] |
//! | `snapshot`, `schema/` | the base copy | [`migration::base_copy`] |
//! | `cdc/*.json` | receive | [`cdc::receive`], [`segment`] |
//! | `cdc/identities` | receive, with test_decoding | [`cdc::receive`] |
//! | `cdc/names` | receive, with test_decoding and wal2json | [`cdc::receive`] |
//! | `cdc/*.streamed` | receive: large transactions in progress | [`cdc::receive`] |
//! | `cdc/*.sql` | transform | [`cdc::transform`], [`segment`] |
//!
//! On the target, in the schema `pgflit`: the ledger of copied parts ([`catalog::ledger`]), and the
//! position of apply where origins may not be used. On the source: one slot, two publications
//! ([`migration::capture`]), and with `--yes` replica identities until the end
//! ([`migration::identities`]). Standbys of it that rows are read from are paused meanwhile
//! ([`clone::standby`]). Once traffic is to be moved, on both sides in the schema `pgflit`: how each
//! attempt was decided ([`proxy::authority`]), and what a fence has changed
//! ([`migration::cutover::fence`]).
//!
//! # Where to look
//! | question | module |
//! |---|---|
//! | what was typed, what does an option mean | [`cli`] |
//! | what a subcommand does | [`commands`] |
//! | what stands against a migration, before it begins | [`migration::check`], [`migration::preflight`] |
//! | in which order a migration goes, what a resume skips | [`migration`] |
//! | how rows are copied, indexes built | [`clone`] |
//! | how a change gets from the slot to the target | [`cdc`] |
//! | why nothing is lost or applied twice | [`cdc::apply`], [`base::snapshot`], [`base::visibility`] |
//! | what the files look like | [`cdc::json_line`], [`cdc::sql_line`], [`segment`] |
//! | how a connection is made | [`pg`] |
//! | in which steps traffic is moved, what an attempt that was killed leaves | [`migration::cutover`] |
//! | why no two servers take writes | [`proxy::authority`], [`migration::cutover::fence`] |
//! | how a session goes to the other server | [`proxy::relocation`], [`proxy::moving`] |
//! | whether source and target are equal | [`verify::data`], [`verify::schema`] |
//! | how traffic passes, and is paused without an error | [`proxy`], [`proxy::gate`] |
//! | where everything stands, and what holds it up | [`migration::status`] |
//! | what people see | [`report`] |
//! | what is on the page of a report, where it comes from | [`report::page`], [`migration::report`] |
//!
//! # Floors
//! A line may use any line below it, never one above or beside; `tests/tidy.rs` holds this.
//! ```text
//! main · cli · commands · report · migration
//! clone   cdc   proxy   verify
//! catalog   worker
//! pg   store   segment
//! wire
//! base
//! ```
//!
//! # Words
//! *source*, *target*: the two databases. *part*: what one COPY moves. *segment*: one file of
//! changes. *store*: the SQLite file. *sentinel*: the row that steers streaming. *epoch*: one
//! snapshot of the source that tables are copied under. *ledger*: which parts are on the target,
//! and under which epoch. *group*: whole source transactions that commit as one on the target.
//! *convergence*: the position from which on a table is the same on both sides. *attempt*: one try
//! to move traffic, numbered. *leg*: the stream in one direction. *fence*: what keeps everybody but
//! pgflit and its proxies out of a side.
//!
//! # Invariants
//! - Write, sync, rename, sync the folder, and only then report.
//! - A part and its line in the ledger commit together; a group and its position commit together.
//! - A streamed change is skipped if, and only if, the copy contains its transaction
//!   ([`base::visibility`]).
//! - Every answer of the target is checked; an error stops, it is never logged and passed over.
//! - No process outlives its supervisor. (The supervisor of a stream back is its own `pgflit follow`.)
//! - An attempt to move traffic is decided by one row on the server that it would move to; until it is
//!   known, no client begins anything.
//! - No password is written to disk, shown in `ps`, or logged.
//!
//! # Deliberately absent
//! A configuration service, a daemon, consensus of our own: what several processes share is in the
//! store, in the target, or in a pipe.

pub mod base;
pub mod catalog;
pub mod cdc;
pub mod cli;
pub mod clone;
pub mod commands;
pub mod migration;
pub mod pg;
pub mod proxy;
pub mod report;
pub mod segment;
pub mod store;
pub mod verify;
pub mod wire;
pub mod worker;
