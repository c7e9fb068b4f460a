//! Frames of a WebSocket server.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_ws::fuzzing::frames(data));
