//! The fuzzer of the property `api`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("api", input));
