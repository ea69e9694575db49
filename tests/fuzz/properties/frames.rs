//! What comes from the broker's socket: the first byte says in which pieces, the rest are frames.

use lapin::protocol::basic::parse_properties;
use revoker::broker::sieve::{self, Sieve};

pub(super) fn check(input: &[u8]) {
    let Some((piece, wire)) = input.split_first() else {
        return;
    };
    let (mut in_pieces, mut out) = (Sieve::default(), Vec::new());
    for bytes in wire.chunks(usize::from(*piece).max(1)) {
        in_pieces.strain(bytes, &mut out);
    }
    let (mut at_once, mut whole) = (Sieve::default(), Vec::new());
    at_once.strain(wire, &mut whole);
    assert_eq!(out, whole, "the pieces make a difference");
    let (mut twice, mut again) = (Sieve::default(), Vec::new());
    twice.strain(&whole, &mut again);
    assert_eq!(again, whole, "what is mended needs no mending");
    readable(wire);
    let mut method = Vec::new();
    sieve::method(wire, &mut method);
    assert_eq!(method.len(), wire.len(), "a method keeps its length");
}

/// As a content header, it can be read whole by the library.
fn readable(payload: &[u8]) {
    let mut mended = Vec::new();
    sieve::header(payload, &mut mended);
    assert!(mended.len() <= payload.len());
    if payload.len() < 14 {
        return assert_eq!(mended, payload);
    }
    assert_eq!(mended[..12], payload[..12]);
    let (rest, _) = parse_properties(&mended[12..]).expect("it can be read");
    assert!(rest.is_empty());
}
