"""TFRecord files: read by ours, written here by a minimal writer of the two formats' own words."""

import gzip
import struct
import zlib

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.labelled.tfrecords import masked_crc32c, read_examples
from tfrecord_writer import example, field, floats, integers, message_of_bytes, record, varint

PACK = {"none": bytes, "ZLIB": zlib.compress, "GZIP": gzip.compress}


def test_checksums_are_those_of_rfc_3720():
    def unmasked(data):
        value = (masked_crc32c(data) - 0xA282EAD8) & 0xFFFFFFFF
        return (value << 15 | value >> 17) & 0xFFFFFFFF

    assert unmasked(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert unmasked(b"\xff" * 32) == 0x62A8AB43
    assert unmasked(bytes(range(32))) == 0x46DD794E
    assert unmasked(b"123456789") == 0xE3069283  # the check value of CRC-32C


@pytest.mark.parametrize("compression", PACK)
def test_features_of_every_type_come_back(tmp_path, compression):
    path = tmp_path / "a.tfr"
    numbers = [0, 1, 127, 128, -1, 2**63 - 1, -(2**63)]
    first = example(
        {"b": message_of_bytes([b"xy", b""]), "f": floats([1.5, -2.0]), "i": integers(numbers), "none": b""}
    )
    second = example({"b": message_of_bytes([bytes(3_000_000)]), "f": floats([]), "i": integers([]), "none": b""})
    path.write_bytes(PACK[compression](record(first) + record(second)))
    one, two = read_examples(path)
    assert [bytes(value) for value in one["b"]] == [b"xy", b""]
    assert one["f"].dtype == np.float32 and one["f"].tolist() == [1.5, -2.0]
    assert one["i"].dtype == np.int64 and one["i"].tolist() == numbers
    assert len(one["none"]) == 0 and len(two["f"]) == len(two["i"]) == 0
    assert [len(value) for value in two["b"]] == [3_000_000]
    assert [list(found) for found in read_examples(path, ["i"])] == [["i"], ["i"]]


def test_numbers_that_are_not_packed_are_read_too(tmp_path):
    single = field(2, field(1, struct.pack("<f", 2.5), wire=5) + field(1, struct.pack("<f", 3.5), wire=5))
    whole = field(3, field(1, varint(7), wire=0) + field(1, varint(300), wire=0))
    (tmp_path / "a.tfr").write_bytes(record(example({"f": single, "i": whole})))
    (found,) = read_examples(tmp_path / "a.tfr")
    assert found["f"].tolist() == [2.5, 3.5] and found["i"].tolist() == [7, 300]


def test_members_of_gzip_follow_one_another_and_an_empty_file_has_no_record(tmp_path):
    part = record(example({"i": integers([1])}))
    (tmp_path / "two.tfr").write_bytes(gzip.compress(part) + gzip.compress(part))
    assert len(list(read_examples(tmp_path / "two.tfr"))) == 2
    (tmp_path / "empty.tfr").write_bytes(b"")
    (tmp_path / "none.tfr").write_bytes(zlib.compress(b""))
    assert not list(read_examples(tmp_path / "empty.tfr")) and not list(read_examples(tmp_path / "none.tfr"))


def test_whatever_is_wrong_is_one_line_with_file_and_record(tmp_path):
    path, parts = (
        tmp_path / "a.tfr",
        [record(example({"i": integers([n]), "b": message_of_bytes([bytes(99)])})) for n in range(3)],
    )
    whole = b"".join(parts)
    packed = zlib.compress(whole)
    damaged = bytearray(whole)
    damaged[len(parts[0]) + len(parts[1]) + 2] ^= 1  # the length of the third record
    flipped = bytearray(packed)
    flipped[-1] ^= 1  # the checksum of the compression
    wrong = {
        "record 3: cannot be read .*it is cut": whole[:-1],
        "record 3: cannot be read .*checksum of its length": bytes(damaged),
        "record 4: cannot be read .*it is cut": whole + whole[:5],
        r"record \d: cannot be read .*it is cut": packed[:-4],
        r"record \d: cannot be read .*incorrect data check": bytes(flipped),
        "record 1: cannot be read .*no TFRecord file": b">chr1\nACGTACGTACGT\n",
        "record 1: cannot be read .*no message": record(b"\x0b\x0b\x0b"),
        "record 2: cannot be read .*ends beyond": parts[0] + record(example({"i": integers([1])})[:-1]),
    }
    for said, content in wrong.items():
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"a\.tfr, {said}") as error:
            list(read_examples(path))
        assert "\n" not in str(error.value)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"record 1: no feature 'target'\. It has i, b;"):
        list(read_examples(path, ["target"]))
    with pytest.raises(InputError, match="no such file"):
        list(read_examples(tmp_path / "absent.tfr"))


def test_one_record_is_in_memory_at_a_time(tmp_path):
    import tracemalloc

    one = record(example({"b": message_of_bytes([bytes(4_000_000)])}))
    (tmp_path / "a.tfr").write_bytes(zlib.compress(one * 20, 1))
    tracemalloc.start()
    assert sum(len(found["b"][0]) for found in read_examples(tmp_path / "a.tfr")) == 80_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
