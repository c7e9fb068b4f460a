//! Scripts run as VUs of the real engine, on virtual time, without sockets but where they are what is tested.

mod fibers;
mod harness;
mod interop;
mod lifecycle;
mod realms;
mod web;
mod websockets;
