"""Small bigWig files of every kind of section, byte order and writer, with what they hold base by base."""

import struct
import zlib

import numpy as np
import pyBigWig
from glmflow.bigwig import layout, trees, write_bigwig, writer, zoom

CONTIGS = {"chr1": 60_000, "chr2": 20_000, "chrM": 900}


def old_style(order, compressed):
    """Write by hand a file of both kinds of step, in either byte order, compressed or not."""
    contig = struct.pack(order + "IIIIQQ", layout.CHROM_TREE, 1, 4, 8, 1, 0)
    contig += struct.pack(order + "BBH4sII", 1, 0, 1, b"c", 0, 100)
    at = 64 + len(contig) + 8
    sections = [
        struct.pack(order + "IIIIIBBH", 0, 10, 40, 0, 5, layout.VARIABLE_STEP, 0, 2)
        + struct.pack(order + "IfIf", 10, 1.5, 35, 2.5),
        struct.pack(order + "IIIIIBBH", 0, 50, 63, 10, 3, layout.FIXED_STEP, 0, 2)
        + struct.pack(order + "ff", -1.0, 4.0),
    ]
    packed = [zlib.compress(section) if compressed else section for section in sections]
    index_at = at + sum(map(len, packed))
    index = struct.pack(order + "IIQIIIIQII", layout.INDEX, 256, 2, 0, 10, 0, 63, index_at, 1, 0)
    index += struct.pack(order + "BBH", 1, 0, 2)
    index += struct.pack(order + "IIIIQQ", 0, 10, 0, 40, at, len(packed[0]))
    index += struct.pack(order + "IIIIQQ", 0, 50, 0, 63, at + len(packed[0]), len(packed[1]))
    largest = 100 if compressed else 0
    head = struct.pack(order + layout.HEAD, layout.BIGWIG, 1, 0, 64, at - 8, index_at, 0, 0, 0, 0, largest, 0)
    return head + contig + bytes(8) + b"".join(packed) + index


def resize(patch, finest=16):
    """Make sections and nodes small, so that small files have trees of several levels, the zoom levels' too."""
    patch.setattr(zoom, "FINEST", finest)
    for module, name, size in (
        *((writer, "_ITEMS", 4), (writer, "_STEPS", 8), (writer, "_FEWEST", 6)),
        *((trees, "FAN_OUT", 2), (zoom, "ITEMS", 1)),
    ):
        patch.setattr(module, name, size)


def coverage(seed):
    """Return positive values by contig, 0 where there is none: steps of one base, and runs."""
    rng = np.random.default_rng(seed)
    dense = {chrom: np.zeros(length, np.float32) for chrom, length in CONTIGS.items()}
    for values in dense.values():
        for start in rng.integers(0, len(values) - 50, len(values) // 150).tolist():
            values[start : start + int(rng.integers(1, 50))] = rng.gamma(1, 4)
    dense["chr1"][30_000:30_400] = rng.gamma(1, 4, 400)
    return {chrom: values.round(2) for chrom, values in dense.items()}


def ours(path, dense):
    """Write with the project's own writer."""
    write_bigwig(path, CONTIGS, ((chrom, *runs_in(values)) for chrom, values in dense.items()))


def theirs(path, dense):
    """Write with pyBigWig: steps of one base, steps of one span, runs."""
    file = pyBigWig.open(str(path), "w")
    file.addHeader(list(CONTIGS.items()), maxZooms=3)
    starts, ends, values = runs_in(dense["chr1"])
    early = starts < 30_000
    file.addEntries(["chr1"] * int(early.sum()), starts[early], ends=ends[early], values=values[early])
    file.addEntries("chr1", 30_000, values=dense["chr1"][30_000:], span=1, step=1)
    bases = np.flatnonzero(dense["chr2"])
    file.addEntries("chr2", bases, values=dense["chr2"][bases], span=1)
    starts, ends, values = runs_in(dense["chrM"])
    file.addEntries(["chrM"] * len(starts), starts, ends=ends, values=values)
    file.close()


def runs_in(values):
    """Return starts, ends and values of the stretches of one value that is not 0."""
    edges = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan))
    starts, ends = edges[:-1], edges[1:]
    kept = values[starts] != 0
    return starts[kept], ends[kept], values[starts][kept]
