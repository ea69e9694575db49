//! A sealed body: as bytes that anybody may have put there, and as a plaintext that somebody with the
//! key has sealed.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use revoker::settle::seal::{KeyRing, OpenError};
use sha2::{Digest, Sha256};

const QUEUE: &str = "revocation.dead";
const EVENT_ID: &str = "event-1";
/// The first key of `tests/it/compat/sealed-v1.keys`, and of the ring here.
const KEY: [u8; 32] = {
    let mut key = [0; 32];
    let mut at = 0;
    while at < 32 {
        key[at] = at as u8;
        at += 1;
    }
    key
};

fn ring() -> KeyRing {
    KeyRing::parse(include_str!("../../it/compat/sealed-v1.keys")).expect("a key ring")
}

pub(super) fn check(input: &[u8]) {
    let ring = ring();
    as_it_is(&ring, input);
    let sealed = seal(input);
    match ring.open(QUEUE, EVENT_ID, &sealed) {
        Err(error) => assert_eq!(error, OpenError::Corrupt, "the seal itself was right"),
        Ok((properties, body)) => {
            let line = input
                .iter()
                .position(|byte| *byte == b'\n')
                .expect("a line of JSON");
            assert_eq!(
                body,
                input[line + 1..],
                "the body is what stands behind the line"
            );
            let again = ring.seal(QUEUE, EVENT_ID, &properties, &body);
            let (properties_again, body_again) = ring
                .open(QUEUE, EVENT_ID, &again)
                .expect("what is sealed opens");
            assert_eq!(body_again, body);
            // NaN is not equal to itself.
            assert_eq!(format!("{properties_again:?}"), format!("{properties:?}"));
        }
    }
    // One bit, somewhere.
    let mut changed = sealed;
    let at = input.iter().fold(input.len(), |at, byte| {
        at.wrapping_mul(31) ^ usize::from(*byte)
    });
    let (at, bit) = (at % changed.len(), at % 8);
    changed[at] ^= 1 << bit;
    ring.open(QUEUE, EVENT_ID, &changed)
        .expect_err("a changed bit is noticed");
}

/// Whatever lies in a queue is opened or not; only a newer version is worth keeping.
fn as_it_is(ring: &KeyRing, input: &[u8]) {
    match ring.open(QUEUE, EVENT_ID, input) {
        // One of the tests' own: nobody finds one by chance.
        Ok(_) => {}
        Err(OpenError::UnknownVersion { newer }) => {
            assert_eq!(newer, input.first().is_some_and(|version| *version > 1));
        }
        Err(error) => assert!(error.to_string().len() < 200),
    }
}

/// The format by its description alone.
fn seal(plaintext: &[u8]) -> Vec<u8> {
    let nonce = [7; 24];
    let aad = [&[1][..], QUEUE.as_bytes(), &[0], EVENT_ID.as_bytes()].concat();
    let payload = Payload {
        msg: plaintext,
        aad: &aad,
    };
    let cipher = XChaCha20Poly1305::new(&KEY.into());
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .expect("it is short");
    let key_id = Sha256::new()
        .chain_update(b"revoker-key-id-v1\0")
        .chain_update(KEY)
        .finalize();
    [&[1][..], &key_id[..8], &nonce, &ciphertext].concat()
}
