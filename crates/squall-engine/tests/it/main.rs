//! The engine from outside: whole runs of fake VUs. On virtual time every time is exact; `threads` runs the same
//! engine on real threads.

mod arrival_rates;
mod harness;
mod lifecycle;
mod looping;
mod segments;
mod threads;
