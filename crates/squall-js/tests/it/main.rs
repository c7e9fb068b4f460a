//! Scripts run as VUs of the real engine, on virtual time: no sockets, no sleeps.

mod fibers;
mod harness;
mod interop;
mod lifecycle;
mod realms;
mod web;
