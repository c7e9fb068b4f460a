//! The engine from outside: whole runs of fake VUs on virtual time. Every time below is exact.

mod arrival_rates;
mod harness;
mod lifecycle;
mod looping;
mod segments;
