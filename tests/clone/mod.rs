//! `clone --follow` as a whole: the way from a live source to an exact target.

mod all_databases;
mod altered;
mod by_hand;
mod constraints;
mod crashed_target;
mod database;
mod definitions;
mod epochs;
mod extensions;
mod filters;
mod following;
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
mod refused_rows;
mod regression;
mod restarts;
mod rewritten;
mod roles;
mod row_kinds;
mod stages;
mod torture;
mod traffic;

use following::{Following, end_now};
