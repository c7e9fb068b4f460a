//! Coded bodies, bombs among them.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::decompression(data));
