"""A damaged bigWig gives the right values or one line that names the file: never wrong ones, never a traceback.

Truth is what was written. Files are read as a study reads them: names and lengths of contigs against the genome,
contigs without values, then every base. Flips in values that are not compressed can be seen by no reader: the format
has no checksum but that of the compressed stream.
"""

from collections import Counter

import numpy as np
import pytest
from bigwig_cases import CONTIGS, coverage, ours, resize, theirs
from glmflow.bigwig import BigWig
from glmflow.errors import InputError
from glmflow.tracks.averaging import average
from glmflow.tracks.reading import check_track_matches, check_track_sign
from glmflow.tracks.uncovered_contigs import contigs_without_values

MUTATIONS = 1_000


def truncated(content, rng):
    return content[: rng.integers(len(content))]


def flipped(content, rng):
    broken = bytearray(content)
    for at in rng.integers(len(content), size=rng.integers(1, 4)):
        broken[at] ^= 1 << rng.integers(8)
    return bytes(broken)


def flipped_in_the_trees(content, rng):
    """Flip bits near the beginning and the end, where head, contigs and index lie, which nothing protects."""
    broken = bytearray(content)
    for _ in range(rng.integers(1, 3)):
        at = rng.integers(min(3_000, len(content)))
        broken[at if rng.random() < 0.5 else len(content) - 1 - at] ^= 1 << rng.integers(8)
    return bytes(broken)


def overwritten(content, rng):
    at, size = rng.integers(len(content)), rng.integers(1, 600)
    return content[:at] + rng.choice([b"\0", b"\xff", b"<"]) * int(size) + content[at + size :]


def bytes_lost(content, rng):
    at = rng.integers(len(content))
    return content[:at] + content[at + rng.integers(1, 100) :]


def as_text(content, rng):
    """Ruin as a transfer in text mode does."""
    return content.replace(b"\n", b"\r\n") if rng.random() < 0.5 else content.decode("latin-1").encode()


def with_a_tail(content, rng):
    return content + rng.bytes(rng.integers(1, 500))


HARMS = [
    truncated,
    flipped,
    flipped,
    flipped_in_the_trees,
    flipped_in_the_trees,
    overwritten,
    bytes_lost,
    as_text,
    with_a_tail,
]


def values_of(path, folder):
    """Return what a study reads of a file; contigs that it would be told of as lacking are left out."""
    names = check_track_matches(path, CONTIGS)
    check_track_sign(path, negate=False)
    lacking = contigs_without_values(path, CONTIGS)
    average([path], folder / "mean.bw")
    with BigWig(folder / "mean.bw") as file:
        return {
            chrom: file.values(names[chrom], 0, length)
            for chrom, length in CONTIGS.items()
            if chrom not in lacking and chrom in names
        }


@pytest.mark.slow
@pytest.mark.parametrize("writer", [ours, theirs])
def test_damage_is_named_or_without_effect(tmp_path, monkeypatch, capsys, writer):
    rng = np.random.default_rng(5)
    dense = coverage(5)
    path = tmp_path / "track.bw"
    with monkeypatch.context() as patch:
        resize(patch, finest=8_192)
        writer(path, dense)
    content = path.read_bytes()
    whole = values_of(path, tmp_path)
    assert whole.keys() == CONTIGS.keys()
    counts = Counter()
    for number in range(MUTATIONS // 2):
        harm = HARMS[number % len(HARMS)]
        path.write_bytes(harm(content, rng))
        try:
            found = values_of(path, tmp_path)
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            counts[harm.__name__, "refused"] += 1
            continue
        for chrom, values in found.items():
            np.testing.assert_array_equal(values, dense[chrom], f"{harm.__name__} {number}: {chrom}")
        counts[harm.__name__, "right" if len(found) == len(CONTIGS) else "contig missed"] += 1
    with capsys.disabled():
        print(
            f"\n{writer.__name__}, {MUTATIONS // 2} mutations:",
            dict(sorted((" ".join(k), n) for k, n in counts.items())),
        )
    refused = sum(n for (_, outcome), n in counts.items() if outcome == "refused")
    assert refused > MUTATIONS // 10
