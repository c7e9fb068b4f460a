//! Bytes and deeds of a server against the HTTP/1 exchange.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::h1_response(data));
