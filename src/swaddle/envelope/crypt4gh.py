"""The Crypt4GH version 1 header: written for one reader, read with caps. Pure.

Our own reader, because others trust the lengths that a hostile header gives; source: GA4GH Crypt4GH specification 1.0,
sections 2.2 to 2.5 and 3.2.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.envelope.refusals import DataKeys, EditList, HeaderMalformed, KeyMalformed

MAGIC = b"crypt4gh"
VERSION = 1
DATA_KEY_BYTES = 32
HEADER_BYTES = 124
MOST_PACKETS = 64
MOST_PACKET_BYTES = 65_536
MOST_HEADER_BYTES = 16 + MOST_PACKETS * MOST_PACKET_BYTES
_DATA_KEY_PACKET = 0
_EDIT_LIST_PACKET = 1
_CHACHA20_POLY1305 = 0
_LEAST_PACKET_BYTES = 4 + 4 + 32 + 12 + 4 + 16


def write_header(data_key: bytes, reader_public: bytes, writer_secret: bytes, nonce: bytes) -> bytes:
    """The header of 124 bytes that gives `data_key` to one reader.

    Args:
        data_key: 32 bytes.
        reader_public: X25519, 32 bytes.
        writer_secret: X25519, 32 fresh random bytes.
        nonce: 12 fresh random bytes.

    Raises:
        KeyMalformed: the reader's key is one to which nothing can be sealed.
    """
    plaintext = struct.pack("<II", _DATA_KEY_PACKET, _CHACHA20_POLY1305) + data_key
    return join_packets([seal_packet(plaintext, reader_public, writer_secret, nonce)])


def seal_packet(plaintext: bytes, reader_public: bytes, writer_secret: bytes, nonce: bytes) -> bytes:
    """One header packet, its length in front.

    Raises:
        KeyMalformed: the reader's key is one to which nothing can be sealed.
    """
    writer = X25519PrivateKey.from_private_bytes(writer_secret)
    writer_public = writer.public_key().public_bytes_raw()
    try:
        shared = _shared_key(writer, reader_public, reader_public, writer_public)
    except ValueError:
        raise KeyMalformed("nothing can be sealed to this Crypt4GH key") from None
    sealed = ChaCha20Poly1305(shared).encrypt(nonce, plaintext, None)
    body = struct.pack("<I", 0) + writer_public + nonce + sealed
    return struct.pack("<I", len(body) + 4) + body


def join_packets(packets: list[bytes]) -> bytes:
    """A header of these packets."""
    return MAGIC + struct.pack("<II", VERSION, len(packets)) + b"".join(packets)


def read_header(header: bytes, reader_secret: bytes) -> bytes:
    """The one data key that `header` holds for this reader.

    Packets for other readers do not open and are passed over, as the standard says.

    Raises:
        HeaderMalformed: it breaks the format or a cap.
        EditList: it holds an edit list.
        DataKeys: it holds no data key for this reader, or more than one.
    """
    reader = X25519PrivateKey.from_private_bytes(reader_secret)
    reader_public = reader.public_key().public_bytes_raw()
    opened = [_open_packet(packet, reader, reader_public) for packet in _packets(header)]
    keys = [_data_key(plaintext) for plaintext in opened if plaintext is not None]
    if len(keys) != 1:
        raise DataKeys
    return keys[0]


def _packets(header: bytes) -> list[bytes]:
    """The packets without their lengths; nothing is read before its length is known to be allowed."""
    if len(header) < 16 or not header.startswith(MAGIC):
        raise HeaderMalformed("it is not a Crypt4GH header")
    version, count = struct.unpack_from("<II", header, 8)
    if version != VERSION:
        raise HeaderMalformed("its version is not 1")
    if count > MOST_PACKETS:
        raise HeaderMalformed("it says that it has too many packets")
    found = []
    at = 16
    for _ in range(count):
        if at + 4 > len(header):
            raise HeaderMalformed("it ends early")
        (length,) = struct.unpack_from("<I", header, at)
        if not _LEAST_PACKET_BYTES <= length <= MOST_PACKET_BYTES:
            raise HeaderMalformed("a packet's length is out of bounds")
        if at + length > len(header):
            raise HeaderMalformed("it ends early")
        found.append(header[at + 4 : at + length])
        at += length
    if at != len(header):
        raise HeaderMalformed("bytes are left over behind its packets")
    return found


def _open_packet(packet: bytes, reader: X25519PrivateKey, reader_public: bytes) -> bytes | None:
    """The packet's plaintext, or None if it is not for this reader."""
    (method,) = struct.unpack_from("<I", packet)
    if method != _CHACHA20_POLY1305:
        raise HeaderMalformed("a packet's method is not 0")
    writer_public, nonce, sealed = packet[4:36], packet[36:48], packet[48:]
    try:
        shared = _shared_key(reader, writer_public, reader_public, writer_public)
    except ValueError:
        raise HeaderMalformed("a packet's key is no key") from None
    try:
        return ChaCha20Poly1305(shared).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None


def _data_key(plaintext: bytes) -> bytes:
    """The data key in an opened packet."""
    (kind,) = struct.unpack_from("<I", plaintext)
    if kind == _EDIT_LIST_PACKET:
        raise EditList
    if kind != _DATA_KEY_PACKET or len(plaintext) != 8 + DATA_KEY_BYTES:
        raise HeaderMalformed("a packet is of an unknown kind or length")
    (method,) = struct.unpack_from("<I", plaintext, 4)
    if method != _CHACHA20_POLY1305:
        raise HeaderMalformed("its body is sealed by an unknown method")
    return plaintext[8:]


def _shared_key(own: X25519PrivateKey, other_public: bytes, reader_public: bytes, writer_public: bytes) -> bytes:
    """Raises ValueError for a key whose every exchange is zero."""
    secret = own.exchange(X25519PublicKey.from_public_bytes(other_public))
    return blake2b(secret + reader_public + writer_public, digest_size=64).digest()[:32]
