//! The fuzzer of the property `sealed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| revoker_fuzz::check("sealed", input));
