//! `pgflit proxy …`.

mod check_config;
mod configuration;

pub(super) use check_config::check_config;
