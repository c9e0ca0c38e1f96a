"""Sealing and opening a file, with the digests that a manifest needs, against the reference `crypt4gh` package.

    python bench/envelope.py [--mebibytes 1024] [--rounds 7] [--folder DIR] [--memory-gibibytes 4] [--json]

Both write a file from a file in the same round, turn about; medians, with lowest and highest beside them. The reference
computes no digest. Speeds are of plaintext, in MB/s (10^6 bytes). Memory is what a fresh process's peak resident size
grew by while it sealed, and opened, one large file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.parts import SEGMENT_BYTES
from swaddle.envelope.seal import SealedBody, close_envelope, new_data_key, seal_file
from swaddle.envelope.signature import SigningKey
from swaddle.envelope.unseal import Opened, check_envelope, open_envelope, unseal_file

MEBIBYTE = 1_048_576


class Ours:
    """One file sealed and opened through the product's own calls."""

    def __init__(self) -> None:
        self.pair, self.signer = SealingPair.generate(), SigningKey.generate()

    def seal(self, source: Path, target: Path) -> Opened:
        """Body, header, description and manifest; and back to what opening needs."""
        data_key = new_data_key()
        body: SealedBody = seal_file(source, target, data_key)
        now = datetime.now(UTC)
        core = body.core(
            transfer="0" * 32,
            submitter="1" * 32,
            recipient=self.pair.public.key_id,
            created=now,
            expires=now + timedelta(hours=72),
        )
        entry = FileEntry("bench", body.layout.plaintext_bytes, "0" * 64)
        sealed = close_envelope(core, data_key, Description("unknown", (entry,)), self.pair.public, self.signer)
        manifest = check_envelope(
            sealed.manifest, sealed.header, sealed.description, (self.signer.public,), frozenset()
        )
        return open_envelope(manifest, sealed.header, sealed.description, {self.pair.public.key_id: self.pair})


class Reference:
    """The same file through the reference package, without any digest."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        self.secret = os.urandom(32)
        self.public = X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    def seal(self, source: Path, target: Path) -> None:
        import crypt4gh.lib

        with source.open("rb") as infile, target.open("wb") as outfile:
            crypt4gh.lib.encrypt([(0, self.secret, self.public)], infile, outfile)

    def open(self, source: Path, target: Path) -> None:
        import crypt4gh.lib

        with source.open("rb") as infile, target.open("wb") as outfile:
            crypt4gh.lib.decrypt([(0, self.secret, None)], infile, outfile)


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def make_source(path: Path, mebibytes: int) -> None:
    block = os.urandom(MEBIBYTE)
    with path.open("wb") as out:
        for _ in range(mebibytes):
            out.write(block)


def rounds(folder: Path, mebibytes: int, count: int) -> dict[str, list[float]]:
    """Seconds of each job in each round, the jobs turn about."""
    source, ours, reference = folder / "source", Ours(), Reference()
    make_source(source, mebibytes)
    found: dict[str, list[float]] = {}
    opened: list[Opened] = []
    jobs: list[tuple[str, Path, Callable[[], object]]] = [
        ("seal, ours", folder / "a", lambda: opened.append(ours.seal(source, folder / "a"))),
        ("seal, reference", folder / "b", lambda: reference.seal(source, folder / "b")),
        ("open, ours", folder / "c", lambda: unseal_file(opened[-1], folder / "a", folder / "c")),
        ("open, reference", folder / "d", lambda: reference.open(folder / "b", folder / "d")),
    ]
    for _ in range(count):
        for name, target, work in jobs:
            target.unlink(missing_ok=True)
            found.setdefault(name, []).append(timed(work))
        for target in (folder / "c", folder / "d"):
            if target.stat().st_size != source.stat().st_size:
                raise SystemExit("what was opened is not what was sealed")
        for _name, target, _work in jobs:
            target.unlink()
    source.unlink()
    return found


def raw(mebibytes: int, count: int) -> dict[str, list[float]]:
    """The AEAD and SHA-256 alone, in memory, on one and two threads."""
    found: dict[str, list[float]] = {}
    segments = mebibytes * MEBIBYTE // SEGMENT_BYTES

    def seal_only(number: int) -> None:
        cipher, nonce = ChaCha20Poly1305(bytes(32)), bytes(12)
        plaintext, out = bytearray(SEGMENT_BYTES), bytearray(SEGMENT_BYTES + 16)
        for _ in range(number):
            cipher.encrypt_into(nonce, plaintext, None, out)

    def digest_only() -> None:
        digest, block = hashlib.sha256(), bytes(8 * SEGMENT_BYTES)
        for _ in range(segments // 8):
            digest.update(block)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(count):
            found.setdefault("AEAD alone, 1 thread", []).append(timed(lambda: seal_only(segments)))
            found.setdefault("AEAD alone, 2 threads", []).append(
                timed(lambda: list(pool.map(seal_only, (segments // 2, segments // 2))))
            )
            found.setdefault("SHA-256 alone, 1 thread", []).append(timed(digest_only))
    return found


def memory(folder: Path, gibibytes: int) -> int:
    """Bytes by which the peak resident size of a fresh process grew over one large (sparse) file."""
    command = [sys.executable, __file__, "--one-file", str(folder), str(gibibytes)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak_kib() -> int:
    """The peak resident size of this process alone; what getrusage tells is inherited from whoever started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("this kernel does not tell a process's peak memory")


def one_file(folder: Path, gibibytes: int) -> None:
    """Run in a process of its own: seal and open one file, print the added peak."""
    before = peak_kib()  # only imports so far
    ours = Ours()
    source, body, back = (folder / name for name in ("large", "body", "back"))
    with source.open("wb") as out:
        out.truncate(gibibytes * 1024 * MEBIBYTE)
    unseal_file(ours.seal(source, body), body, back)
    print((peak_kib() - before) * 1024)
    for path in (source, body, back):
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description="Sealing and opening against the reference crypt4gh package.")
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=None, help="where the files lie; default: a temporary folder")
    parser.add_argument("--memory-gibibytes", type=int, default=4, help="0 leaves the memory measurement out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one-file", nargs=2, metavar=("DIR", "GIB"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_file:
        one_file(Path(options.one_file[0]), int(options.one_file[1]))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        seconds = rounds(folder, options.mebibytes, options.rounds) | raw(options.mebibytes, options.rounds)
        added = memory(folder, options.memory_gibibytes) if options.memory_gibibytes else None
    size = options.mebibytes * MEBIBYTE / 1e6
    speeds = {
        name: {"median": size / statistics.median(all_s), "low": size / max(all_s), "high": size / min(all_s)}
        for name, all_s in seconds.items()
    }
    ratios = {
        verb: statistics.median(
            b / a for a, b in zip(seconds[f"{verb}, ours"], seconds[f"{verb}, reference"], strict=True)
        )
        for verb in ("seal", "open")
    }
    if options.json:
        print(json.dumps({"mb_per_s": speeds, "times_the_reference": ratios, "added_peak_bytes": added}))
        return
    print(f"{options.mebibytes} MiB, {options.rounds} rounds, {os.cpu_count()} cores; MB/s")
    for name, speed in speeds.items():
        print(f"  {name:26} {speed['median']:7,.0f}   ({speed['low']:,.0f} to {speed['high']:,.0f})")
    print(f"  times the reference: sealing {ratios['seal']:.2f}, opening {ratios['open']:.2f} (medians of the rounds)")
    if added is not None:
        print(f"  added peak memory, {options.memory_gibibytes} GiB: {added / MEBIBYTE:.1f} MiB")


if __name__ == "__main__":
    main()
