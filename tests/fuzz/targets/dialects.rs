//! The fuzzer of the property `dialects`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("dialects", input));
