//! `Location` and the request it leads to.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::redirect(data));
