//! The fuzzer of the property `frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("frames", input));
