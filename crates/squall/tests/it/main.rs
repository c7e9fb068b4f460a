//! The real program against bad input: what it says, how it ends, and that it keeps what it measured.
//!
//! Every run goes through [`sandbox::Sandbox`], which fails the test when the program panics or hangs.

mod hosts;
mod lifecycle;
mod memory;
mod network;
mod options;
mod outputs;
mod sandbox;
mod scripts;
mod signals;
mod streams;
mod suite;
mod suites;
mod terminal;
