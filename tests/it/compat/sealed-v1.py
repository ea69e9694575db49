#!/usr/bin/env python3
"""Seals the fixtures sealed-v1.bin and sealed-retry-v1.bin by the format's description
(src/settle/seal/mod.rs) alone.

A second implementation, so that the fixture proves the description and not only the code. Needs the
package `cryptography`. Prints the HMAC that belongs to the fixture's credential.
"""

import base64, hashlib, hmac, json, pathlib, struct
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = pathlib.Path(__file__).parent
KEY = bytes(range(32))
OLD_KEY = bytes(range(100, 132))


def hchacha20(key, nonce16):
    """draft-irtf-cfrg-xchacha, section 2.2."""
    s = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + struct.unpack("<4I", nonce16))

    def quarter(a, b, c, d):
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = ((s[z] << bits) | (s[z] >> (32 - bits))) & 0xFFFFFFFF

    for _ in range(10):
        for column in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(*column)
        for diagonal in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*diagonal)
    return struct.pack("<8I", *s[0:4], *s[12:16])


def seal(name, nonce, queue, event_id, properties, body):
    plaintext = json.dumps(properties).encode() + b"\n" + body
    associated = b"\x01" + queue.encode() + b"\x00" + event_id.encode()
    key_id = hashlib.sha256(b"revoker-key-id-v1\x00" + KEY).digest()[:8]
    cipher = ChaCha20Poly1305(hchacha20(KEY, nonce[:16]))
    ciphertext = cipher.encrypt(b"\0\0\0\0" + nonce[16:], plaintext, associated)
    (HERE / name).write_bytes(b"\x01" + key_id + nonce + ciphertext)


every_kind_of_header = [
    ["tenant", {"text": "eu"}],
    ["n", {"int": -7}],
    ["f", {"float": "0.5"}],
    ["b", {"bool": True}],
    ["t", {"timestamp": 5}],
    ["raw", {"bytes": base64.b64encode(b"\x00\xff").decode()}],
]
seal(
    "sealed-v1.bin",
    bytes(range(200, 224)),
    "revocation.dead",
    "event-1",
    {
        "content_type": "application/json",
        "type": "session.revoke.v1",
        "timestamp": 1795000000,
        "headers": every_kind_of_header,
    },
    b'{"session_token": "not-a-real-one"}\nsecond line',
)
# A whole event, as it lies in a delay queue.
seal(
    "sealed-retry-v1.bin",
    bytes(range(100, 124)),
    "revocation.urgent.retry.1m",
    "e1",
    {"content_type": "application/json", "message_id": "e1"},
    json.dumps(
        {
            "type": "session.revoke.v1",
            "id": "e1",
            "occurred_at": "2026-11-22T06:29:58Z",
            "reason": "credential_compromise",
            "session_token": "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT800000001",
        }
    ).encode(),
)

line = lambda key: "revoker-key-v1:" + base64.urlsafe_b64encode(key).decode().rstrip("=") + "\n"
(HERE / "sealed-v1.keys").write_text("# Not secret: the keys of a test fixture.\n" + line(KEY) + line(OLD_KEY))

extracted = hmac.digest(bytes(32), OLD_KEY, "sha256")
hmac_key = hmac.digest(extracted, b"revoker-hmac-v1\x01", "sha256")
print("hmac:" + hmac.digest(hmac_key, b"not-a-real-one", "sha256")[:16].hex())
