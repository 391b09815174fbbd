//! `clone --follow` as a whole: the way from a live source to an exact target.

mod all_databases;
mod by_hand;
mod constraints;
mod database;
mod definitions;
mod encodings;
mod epochs;
mod extensions;
mod filters;
mod following;
mod formats;
mod idle;
mod killed;
mod large;
mod large_objects;
mod materialized_views;
mod never_silent;
mod no_identity;
mod parts;
mod plain;
mod processes;
mod regression;
mod restarts;
mod rewritten;
mod roles;
mod row_kinds;
mod stages;
mod standby;
mod steps;
mod torture;
mod traffic;
mod watching;

use following::{Following, end_now};
