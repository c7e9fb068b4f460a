//! The same, made of the shapes that have fooled HTTP clients.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| squall_http::fuzzing::h1_shapes(data));
