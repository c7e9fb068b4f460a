//! What every system needs and none is about: configuration, serving, storage, sign-in, caching, messages, limits.

pub mod admission;
pub mod auth;
pub mod bus;
pub mod cache;
pub mod config;
pub mod db;
pub mod http;
pub mod mail;
pub mod metrics;
pub mod problem;
pub mod queue;
pub mod rate;
pub mod server;
pub mod trace;
