//! `Set-Cookie` and what is sent back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::cookies(data));
