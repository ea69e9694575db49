//! The properties as a fuzzer runs them: also watched for the memory that they take.

mod memory;
mod properties;

/// Memory that a property may take beside what grows with its input, bytes: its own tables.
const MEMORY_FIXED: usize = 8 * 1024 * 1024;
/// Bytes for each byte of the input.
const MEMORY_PER_BYTE: usize = 200;

/// Shows the property of that name some bytes.
pub fn check(name: &str, input: &[u8]) {
    let property = properties::PROPERTIES
        .iter()
        .find(|(known, _)| *known == name);
    let (_, check) = property.expect("a property of that name");
    let most = memory::most_during(|| check(input));
    let limit = MEMORY_FIXED + input.len() * MEMORY_PER_BYTE;
    assert!(
        most <= limit,
        "{most} bytes of memory for {} of input",
        input.len()
    );
}
