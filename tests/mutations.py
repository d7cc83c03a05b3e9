"""Damage to the bytes of a file, drawn from a seeded generator."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from functools import cache

import numpy as np

SCALES = [8**k for k in range(8)]


def cuts(content: bytes, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """What is left of a file where its end, its start or a stretch within is missing."""
    for scale in (scale for scale in SCALES if scale < len(content)):
        yield f"first {scale} bytes", content[:scale]
        yield f"without the last {scale} bytes", content[:-scale]
        yield f"without the first {scale} bytes", content[scale:]
        start = int(rng.integers(1, len(content) - scale)) if len(content) - scale > 1 else 0
        yield f"without {scale} bytes at {start}", content[:start] + content[start + scale :]


def flips(content: bytes, rng: np.random.Generator, times: int) -> Iterator[tuple[str, bytes]]:
    """A file with one bit flipped, or with some bytes anew."""
    for time in range(times):
        place = int(rng.integers(len(content)))
        flipped = bytearray(content)
        if time % 4:
            bit = int(rng.integers(8))
            flipped[place] ^= 1 << bit
            yield f"bit {bit} of byte {place}", bytes(flipped)
        else:
            length = int(rng.integers(1, 9))
            flipped[place : place + length] = rng.bytes(len(flipped[place : place + length]))
            yield f"{length} bytes at {place} anew", bytes(flipped)


@cache
def gzip_bomb() -> bytes:
    """Some MiB that are 3 GiB of zeros when unpacked."""
    return gzip.compress(bytes(2**24), mtime=0) * 192


@cache
def zip_bomb() -> bytes:
    """An archive of many arrays of zeros."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("corr_matrix.npy", bytes(2**26))
    return archive.getvalue()


def other_files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Files of another kind, some of them small only as long as nobody unpacks them."""
    arrays = io.BytesIO()
    np.savez(arrays, content=np.frombuffer(content, np.uint8))
    yield "empty", b""
    yield "NUL bytes", bytes(len(content))
    yield "a zip bomb", zip_bomb()
    yield "an archive of arrays", arrays.getvalue()
    yield "a gzip bomb", gzip_bomb()
    yield "text", b"not what it claims to be\n"
    yield "twice", content * 2
    yield "with a byte more", content + b"\0"
