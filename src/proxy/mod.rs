//! The traffic proxy: clients on one side, servers on the other, and a gate between transactions.
//!
//! Owns a client's connection from its first byte to its last: what it wants ([`greeting`]), who it
//! is ([`admission`], [`auth`], [`lookup`], [`login`]), its server connection ([`server`], [`opening`]), the bytes between
//! the two ([`relay`]), and what is known of their talk without reading it ([`conversation`], over
//! [`scan`] and [`outstanding`]). What must hold for all of them at once is the [`gate`], which a
//! [`pause`] closes. Who is connected is in the [`registry`], by whose keys [`cancel`] finds its way,
//! and what they did in [`statistics`]. Who else hears what they say is a [`mirror`].
//! When traffic goes to the other server, the process takes part by [`switch`], on another machine than the
//! migration's through [`coordination`]; which server it is says
//! [`authority`], what can be done before is in [`ahead`], and each session goes there by [`relocation`], with what it holds ([`moving`]); which hold what
//! cannot go along, a [`survey`] finds out before. [`run`] puts it
//! together, [`workers`] are the threads, [`listener`], [`control`], [`admin`] and [`metrics`] the
//! doors, over [`unix_socket`] where they are files, [`siblings`] the other processes of the same
//! proxy, [`config`] what it is told.
//!
//! Leaves to others: what messages look like ([`crate::wire`]), how servers are reached
//! ([`crate::pg`]), what people see (`commands`, `report`).
//!
//! # Invariants
//! - Bytes pass as they are. Only during a login are messages taken apart; afterwards the proxy
//!   says something of its own only between two messages of the server.
//! - A session counts as between transactions only if its server's side of it is what can be asked
//!   for in SQL. In doubt it counts as busy, and a pause waits.
//! - Everything is bounded: a session keeps at most one buffer a direction, and reads nothing more
//!   from one side until the other has taken it; strangers are bounded in number and time; every
//!   wait has a limit.
//! - Addresses of servers, errors of TLS, passwords, keys, texts and values are not told to clients,
//!   and the last four not to the log either.
//!
//! # Crash story
//! Nothing that this writes is on disk but files of sockets: the control sockets, the console's, and Unix
//! sockets for clients, and what its tasks say ([`admin::tasks`]); where traffic goes is read
//! ([`authority::record`]). The next proxy replaces those that nobody answers on. Clients of a killed proxy lose their
//! connections, and their servers roll back
//! what was open, as when a server's process is killed.

pub mod admin;
pub mod admission;
pub mod ahead;
pub mod auth;
pub mod authority;
pub mod cancel;
pub mod channel;
pub mod client_tls;
pub mod config;
pub mod control;
pub mod conversation;
pub mod coordination;
mod end;
pub mod gate;
pub mod greeting;
pub mod listener;
pub mod login;
pub mod lookup;
pub mod metrics;
pub mod mirror;
pub mod moving;
pub mod notice;
pub mod opening;
pub mod outstanding;
pub mod pause;
pub mod registry;
pub mod relay;
pub mod reload;
pub mod relocation;
pub mod run;
pub mod scan;
pub mod server;
pub mod service;
pub mod session;
pub mod siblings;
pub mod statistics;
pub mod stop;
pub mod survey;
pub mod switch;
pub mod unix_socket;
pub mod workers;
