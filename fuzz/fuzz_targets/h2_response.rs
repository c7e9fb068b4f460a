//! What an HTTP/2 server sends, whatever it is.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::h2_response(data));
