"""TFRecord files of `tf.train.Example`, written in a few lines: what our reader is tested on."""

import struct
import zlib


def varint(value):
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def field(number, content, wire=2):
    return varint(number << 3 | wire) + (varint(len(content)) if wire == 2 else b"") + content


def message_of_bytes(values):
    return field(1, b"".join(field(1, value) for value in values))


def floats(values):
    return field(2, field(1, struct.pack(f"<{len(values)}f", *values)))


def integers(values):
    return field(3, field(1, b"".join(map(varint, values))))


def example(features):
    """Feature by name, each as one of the three functions above encodes it."""
    entries = (field(1, field(1, name.encode()) + field(2, content)) for name, content in features.items())
    return field(1, b"".join(entries))


def crc32c(data):
    """Bit by bit, as the polynomial is defined: no table."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x82F63B78 * (value & 1)
    return value ^ 0xFFFFFFFF


def masked(data):
    value = crc32c(data)
    return ((value >> 15 | value << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    """The checksum of the data is left 0 here: readers that check it need the whole one."""
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked(head)) + data + bytes(4)


def write_records(path, records):
    """Write records of bytes by name, ZLIB-compressed as Basenji's are."""
    packer = zlib.compressobj(1)
    with path.open("wb") as handle:
        for features in records:
            encoded = {name: message_of_bytes([content]) for name, content in features.items()}
            handle.write(packer.compress(record(example(encoded))))
        handle.write(packer.flush())
