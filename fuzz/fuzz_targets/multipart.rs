//! Forms of any names and data.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::multipart(data));
