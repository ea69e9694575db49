//! The fuzzer of the property `headers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("headers", input));
