"""Packs made by hand, so that anything about one can be bent: docs/spec/envelope.md section 5a."""

from hashlib import sha256

from swaddle.envelope import pack


def line(name, data, said=None):
    """A member's line of the index."""
    return (said or sha256(data).hexdigest()).encode() + b"  " + name.encode() + b"\n"


def member(name, data, number):
    """A member as it lies in a pack."""
    return pack.header(name, len(data), number) + data + bytes(pack.padding(len(data)))


def close(members, index):
    """Members, index and end: (the pack, the index's digest)."""
    tail = pack.index_header(len(index)) + index + bytes(pack.padding(len(index))) + pack.END
    return b"".join(members) + tail, sha256(index).hexdigest()


def packed(*files, said=None):
    """An honest pack of (name, data), but for what `said` puts in place of a digest."""
    said = said or {}
    members = [member(name, data, n) for n, (name, data) in enumerate(files, start=1)]
    index = b"".join(line(name, data, said.get(name)) for name, data in files)
    return close(members, index)
