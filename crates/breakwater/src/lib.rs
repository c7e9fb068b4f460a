//! Breakwater, the reference back end: five services that teams load-tested, each made for load.
//!
//! A folder a system ([`connex`], [`birthday`], [`location`], [`azora`], [`fluxor`]) on a shared [`kit`]. Everything runs with
//! nothing installed: SQLite, and caches and queues in the process. With the feature `servers` the same runs on PostgreSQL,
//! Redis, RabbitMQ and SMTP, by URL.

pub mod azora;
pub mod birthday;
pub mod cli;
pub mod connex;
pub mod fluxor;
pub mod kit;
pub mod location;
pub mod service;
