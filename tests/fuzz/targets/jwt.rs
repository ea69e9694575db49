//! The fuzzer of the property `jwt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("jwt", input));
