"""The records of TFRecord files of `tf.train.Example`, read without TensorFlow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError

Values = Sequence[memoryview] | NDArray[np.float32] | NDArray[np.int64]
"""What a feature holds: a list of bytes, of floats or of integers."""
CHUNK = 1 << 20
"""Bytes that are inflated at a time."""
LONGEST = (1 << 31) - 1
"""Bytes of a record: no message of protocol buffers is longer."""
HEAD = 12
"""Bytes before the data of a record: its length (uint64) and the checksum of that."""


def read_examples(path: Path, wanted: Iterable[str] = ()) -> Iterator[dict[str, Values]]:
    """Yield the features of each record of a file, in its order; one record is in memory at a time.

    The file may be compressed (ZLIB, GZIP) or plain, which its first bytes tell. Lengths of records are checked against
    their CRC-32C. Data of compressed files are checked by the checksum of their compression, and those of plain files by
    no more than whether they are messages at all: a CRC-32C of megabytes would take Python seconds a record.

    Formats: TFRecord (tensorflow.org/tutorials/load_data/tfrecord, `TFRecords format details`), messages `Example`,
    `Features` and `Feature` (tensorflow/core/example), wire format (protobuf.dev/programming-guides/encoding).

    Parameters
    ----------
    path
        The file.
    wanted
        Features that every record has to have; others are left out. None named: all of them are yielded.

    Raises
    ------
    InputError
        The file is missing, no TFRecord file, cut or damaged, or a record lacks a feature: with file and record.
    """
    wanted = tuple(wanted)
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give a TFRecord file.")
    number = 1
    try:
        with path.open("rb") as handle:
            for record in _records(_Bytes(_content(handle))):
                found = _features(record, wanted)
                if absent := [name for name in wanted if name not in found]:
                    has = ", ".join(_features(record, ())) or "none"
                    what, fix = f"no feature {absent[0]!r}", f"It has {has}; is it a file of this set?"
                    raise InputError(what, where=f"{path}, record {number}", fix=fix)
                yield found
                number += 1
    except (ValueError, EOFError, OSError, zlib.error, struct.error) as error:
        reason = f"cannot be read ({error})"
        raise InputError(reason, where=f"{path}, record {number}", fix="Fetch it again.") from None


def _content(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file, inflated where it is compressed.

    Raises
    ------
    ValueError
        It begins neither with a record nor as ZLIB or GZIP do.
    """
    start = handle.read(HEAD)
    handle.seek(0)
    if not start or (len(start) == HEAD and _length(start) is not None):
        return iter(lambda: handle.read(CHUNK), b"")
    zlib_head = start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    if not zlib_head and start[:2] != b"\x1f\x8b":
        raise ValueError("no TFRecord file")
    return _inflated(handle)


def _inflated(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a compressed file, at most `CHUNK` bytes at a time; streams may follow one another."""
    stream = None
    while raw := handle.read(CHUNK):
        while True:
            stream = stream or zlib.decompressobj(wbits=47)  # ZLIB or GZIP, by its header
            part = stream.decompress(raw, CHUNK)
            raw = stream.unconsumed_tail
            if stream.eof:
                raw, stream = stream.unused_data, None
            if part:
                yield part
            if not raw and (stream is None or not part):
                break
    if stream is not None:
        raise EOFError("it is cut")


class _Bytes:
    """Bytes that come in parts, taken in pieces of any length."""

    def __init__(self, parts: Iterator[bytes]):
        self.parts, self.part, self.at = parts, b"", 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; fewer at the end."""
        pieces = []
        while count:
            if self.at == len(self.part):
                self.part, self.at = next(self.parts, b""), 0
                if not self.part:
                    break
            piece = self.part[self.at : self.at + count]
            self.at += len(piece)
            count -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)


def _records(content: _Bytes) -> Iterator[memoryview]:
    """Yield the data of each record.

    Raises
    ------
    ValueError
        The checksum of a length is wrong.
    EOFError
        A record is cut.
    """
    while head := content.take(HEAD):
        length = _length(head) if len(head) == HEAD else 0
        if length is None or length > LONGEST:
            raise ValueError("the checksum of its length is wrong")
        data = content.take(length + 4)  # and the checksum of the data
        if len(head) < HEAD or len(data) < length + 4:
            raise EOFError("it is cut")
        yield memoryview(data)[:length]


def _length(head: bytes) -> int | None:
    """Return the length of the record that a head announces; None where its checksum is wrong."""
    length, checksum = struct.unpack("<QI", head)
    return length if masked_crc32c(head[:8]) == checksum else None


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC_TABLE = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes, turned by 15 bits and added to a constant as TFRecord has it."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC_TABLE[(value ^ byte) & 255] ^ value >> 8
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _features(record: memoryview, wanted: tuple[str, ...]) -> dict[str, Values]:
    """Return the features of an `Example`, those that are wanted alone where some are named."""
    found: dict[str, Values] = {}
    for features in _messages(record, 1):
        for entry in _messages(features, 1):
            name = b"".join(bytes(part) for part in list(_messages(entry, 1))[-1:]).decode()
            if not wanted or name in wanted:
                values = list(_messages(entry, 2))
                found[name] = _values(values[-1]) if values else []
    return found


def _values(feature: memoryview) -> Values:
    """Return what a `Feature` holds; of none of the three lists, an empty list."""
    found: Values = []
    for field, _, content in _fields(feature):
        if not isinstance(content, memoryview):
            continue
        if field == 1:
            found = list(_messages(content, 1))
        elif field == 2:
            parts = [np.frombuffer(part, "<f4") for one, _, part in _fields(content) if one == 1]
            found = np.concatenate([np.zeros(0, np.float32), *parts])
        elif field == 3:
            found = np.array([_signed(value) for value in _integers(content)], np.int64)
    return found


def _integers(content: memoryview) -> Iterator[int]:
    """Yield the integers of an `Int64List`, packed or one by one, as they are encoded."""
    for field, _, value in _fields(content):
        if field == 1 and isinstance(value, int):
            yield value
        elif field == 1:
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                yield number


def _signed(value: int) -> int:
    """Return the number whose two's complement of 64 bits is given."""
    return (value & (1 << 64) - 1 ^ 1 << 63) - (1 << 63)


def _messages(content: memoryview, field: int) -> Iterator[memoryview]:
    """Yield the contents of a field whose values have a length: messages, text, bytes."""
    return (value for one, wire, value in _fields(content) if one == field and wire == 2)  # type: ignore[misc]


def _fields(content: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """Yield field number, wire type and value of each field of a message.

    Raises
    ------
    ValueError
        It is no message.
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(content, at)
            yield field, wire, value
            continue
        if wire == 2:
            size, at = _varint(content, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"no message of tf.train.Example: wire type {wire}")
        if at + size > len(content):
            raise ValueError("no message of tf.train.Example: a field ends beyond its record")
        yield field, wire, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return an integer of seven bits a byte, and where the next field begins."""
    value = 0
    for place in range(10):
        if at + place >= len(content):
            break
        byte = content[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("no message of tf.train.Example: a number does not end")
