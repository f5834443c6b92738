"""The bigWig format, against pyBigWig: what either writes, the other reads."""

import struct
import zlib

import numpy as np
import pyBigWig
import pytest
from bigwig_cases import old_style, resize
from glmflow.bigwig import BigWig, Runs, Writer, encode, index, reader, write_bigwig, writer
from glmflow.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st

CONTIGS = {"chrB": 40_000, "chrA_random": 300, "chrC": 5_000}


@st.composite
def tracks(draw):
    """Return runs by contig: sorted, disjoint, some touching."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    drawn = {}
    for chrom, length in CONTIGS.items():
        count = draw(st.integers(0, 60))
        if count:
            edges = np.sort(rng.choice(length + 1, min(2 * count, length), replace=False))
            kept = rng.random(len(edges) - 1) < 0.7
            values = rng.normal(size=kept.sum()).round(2).astype(np.float32)
            if kept.any():
                drawn[chrom] = Runs(edges[:-1][kept], edges[1:][kept], values)
    return drawn


def as_tuples(runs):
    return list(zip(*(column.tolist() for column in runs)))


def joined(intervals):
    """Make neighbours one that touch and are equal."""
    found = []
    for start, end, value in intervals:
        if found and found[-1][1:] == (start, value):
            start = found.pop()[0]
        found.append((start, end, value))
    return found


def read_all(path):
    with BigWig(path) as file:
        found = {chrom: list(file.runs(chrom, 0, length)) for chrom, length in file.contigs.items()}
    return {chrom: as_tuples(map(np.concatenate, zip(*parts))) for chrom, parts in found.items() if parts}


def write(path, drawn, contigs=CONTIGS, pieces=1):
    with path.open("wb") as handle:
        out = Writer(handle, contigs)
        for number, chrom in enumerate(contigs):
            if chrom in drawn:
                columns = [np.array_split(column, min(pieces, len(drawn[chrom].starts))) for column in drawn[chrom]]
                for piece in zip(*columns):
                    out.add(encode(Runs(*piece), number))
        out.close()


@pytest.mark.parametrize("sizes", ["usual", "small"])
@given(drawn=tracks(), pieces=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_pybigwig_reads_what_is_written(tmp_path_factory, sizes, drawn, pieces):
    path = tmp_path_factory.mktemp("bw") / "t.bw"
    with pytest.MonkeyPatch.context() as patch:
        if sizes == "small":
            resize(patch)
        write(path, drawn, pieces=pieces)
    with pyBigWig.open(str(path)) as file:
        assert file.isBigWig()
        assert file.chroms() == CONTIGS
        for chrom, length in CONTIGS.items():
            expected = joined(as_tuples(drawn[chrom])) if chrom in drawn else []
            whole = file.intervals(chrom) or ()
            assert joined(whole) == expected
            assert list(file.intervals(chrom, length // 3, length // 2) or ()) == [
                run for run in whole if run[0] < length // 2 and run[1] > length // 3
            ]
        spans = np.concatenate([r.ends - r.starts for r in drawn.values()]) if drawn else np.zeros(1)
        values = np.concatenate([r.values for r in drawn.values()]).astype(float) if drawn else np.zeros(1)
        head = file.header()
        assert head["nBasesCovered"] == spans.sum()
        for key, true in {"minVal": values.min(), "maxVal": values.max()}.items():
            assert head[key] == int(true)  # pyBigWig tells whole numbers
        assert head["sumData"] == int((spans * values).sum()) or abs((spans * values).sum() - head["sumData"]) < 1.01
    found = {chrom: joined(runs) for chrom, runs in read_all(path).items()}
    assert found == {chrom: joined(as_tuples(runs)) for chrom, runs in drawn.items()}


@pytest.mark.parametrize("step", [1, 8, 25])
def test_values_in_even_steps_take_a_third_of_the_bytes(tmp_path, step):
    rng = np.random.default_rng(4)
    starts = np.arange(0, 3_000 * step, step)
    values = rng.random(len(starts)).astype(np.float32)
    values[1_000:1_010] = 0.5  # the writer of a whole file makes these one run
    lone = [("c", np.array([100_000]), np.array([100_007]), np.ones(1))]
    length = int(starts[-1]) + 3  # the last bin of a contig is shorter
    ends = np.minimum(starts + step, length)
    write_bigwig(tmp_path / "t.bw", {"b": length, "c": 200_000}, [("b", starts, ends, values), *lone])
    assert (tmp_path / "t.bw").stat().st_size < 4 * len(values) + 3_000
    dense = np.repeat(values, step)[:length]
    with pyBigWig.open(str(tmp_path / "t.bw")) as file:
        np.testing.assert_array_equal(file.values("b", 0, len(dense), numpy=True), dense)
        assert file.intervals("c") == ((100_000, 100_007, 1.0),)
    with BigWig(tmp_path / "t.bw") as file:
        np.testing.assert_array_equal(file.values("b", 5, len(dense)), dense[5:])


@given(drawn=tracks())
@settings(max_examples=30, deadline=None)
def test_what_pybigwig_writes_is_read(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("bw") / "t.bw"
    file = pyBigWig.open(str(path), "w")
    file.addHeader(list(CONTIGS.items()))
    for chrom, runs in drawn.items():
        file.addEntries([chrom] * len(runs.starts), runs.starts, ends=runs.ends, values=runs.values)
    file.close()
    assert read_all(path) == {chrom: as_tuples(runs) for chrom, runs in drawn.items()}


@pytest.mark.parametrize("width", [1_024, 4_096, 16_384])
def test_zoom_levels_are_the_means_and_extremes_of_the_bases(tmp_path, width):
    rng = np.random.default_rng(3)
    length = 1 << 17
    dense = np.where(rng.random(length) < 0.3, rng.poisson(3, length), 0).astype(np.float32)
    bases = np.flatnonzero(dense)
    runs = Runs(bases, bases + 1, dense[bases])
    write(tmp_path / "t.bw", {"c": runs}, {"c": length}, pieces=7)
    bins = dense.reshape(-1, width)
    with pyBigWig.open(str(tmp_path / "t.bw")) as file:
        assert file.header()["nLevels"] == 4  # 1,024 to 65,536 bases
        for kind, true in {
            "max": bins.max(1),
            "min": np.where(bins == 0, np.inf, bins).min(1),
            "coverage": (bins != 0).mean(1),
            "mean": bins.sum(1) / (bins != 0).sum(1),  # pyBigWig's own "sum" of zoom levels is no sum
            "std": [row[row != 0].std(ddof=1) for row in bins],
        }.items():
            found = file.stats("c", 0, length, type=kind, nBins=len(bins))
            np.testing.assert_allclose(found, true, rtol=1e-5, err_msg=kind)


def test_stretches_are_cut_at_their_ends(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10, 30], [20, 40], [1.0, 2.0])))})
    with BigWig(tmp_path / "t.bw") as file:
        assert [as_tuples(runs) for runs in file.runs("chrB", 15, 35)] == [[(15, 20, 1.0), (30, 35, 2.0)]]
        assert list(file.runs("chrB", 20, 30)) == []
        assert list(file.runs("chrC", 0, 5_000)) == []


@given(drawn=tracks(), stretch=st.tuples(st.integers(0, 40_000), st.integers(0, 40_000)).map(sorted))
@settings(max_examples=60, deadline=None)
def test_any_stretch_is_what_pybigwig_finds_there(tmp_path_factory, drawn, stretch):
    path = tmp_path_factory.mktemp("bw") / "t.bw"
    with pytest.MonkeyPatch.context() as patch:
        resize(patch)
        write(path, drawn)
    start, end = stretch
    if start == end:
        return
    with BigWig(path) as file, pyBigWig.open(str(path)) as other:
        for _ in range(2):  # the second time through what is remembered of the index
            found = [run for part in file.runs("chrB", start, end) for run in as_tuples(part)]
            theirs = other.intervals("chrB", start, end) or ()
            assert found == [(max(first, start), min(last, end), value) for first, last, value in theirs]


def test_the_index_is_forgotten_before_it_fills_the_memory(tmp_path, monkeypatch):
    resize(monkeypatch)
    monkeypatch.setattr(index, "_KEPT", 3)
    at = np.arange(0, 4_000, 10)
    runs = Runs(at, at + 5, at.astype(np.float32))
    write(tmp_path / "t.bw", {"chrB": runs})
    with BigWig(tmp_path / "t.bw") as file:
        for start in range(0, 4_000, 400):
            (first, *_) = next(iter(file.runs("chrB", start, start + 5)))
            assert first.tolist() == [start]
            assert len(file._index._nodes) <= 3


def test_sections_are_remembered_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_ITEMS", 4)
    at = np.arange(0, 4_000, 10)
    write(tmp_path / "t.bw", {"chrB": Runs(at, at + 5, at.astype(np.float32))})
    section = 4 * (8 + 8 + 4)
    stretches = np.random.default_rng(1).integers(0, 3_900, 300).tolist()
    decoded = []
    monkeypatch.setattr(reader.isal_zlib, "decompress", lambda *a, **k: decoded.append(1) or zlib.decompress(a[0]))

    def read(memory):
        """Return what is found, how often a section was decoded, and the most that was remembered."""
        decoded.clear()
        found, most = [], 0
        with BigWig(tmp_path / "t.bw", memory) as file:
            for start in stretches:
                found.append([as_tuples(runs) for runs in file.runs("chrB", start, start + 60)])
                most = max(most, len(file._remembered))
        return found, len(decoded), most

    touched = len({number for at in stretches for number in range(at // 40, (at + 59) // 40 + 1)})
    nothing, some, all_of_it = read(0), read(10 * section + 1), read(100 * section)
    assert nothing[0] == some[0] == all_of_it[0]
    assert (nothing[2], some[2], all_of_it[2]) == (0, 10, touched)
    assert all_of_it[1] == touched < some[1] < nothing[1]


@pytest.mark.parametrize("step", [1, 3])  # sections in even steps, and of runs
def test_the_bytes_written_do_not_depend_on_the_processor(tmp_path, step):
    """ISA-L compresses to other bytes on other processors; zlib does not."""
    starts = np.arange(0, 9_000, step)
    values = np.random.default_rng(2).poisson(3, len(starts)).astype(np.float32)
    sections = encode(Runs(starts, starts + 1, values), 1)
    for at, size in sections.index[["offset", "size"]].tolist():
        stream = sections.data[at : at + size]
        assert stream == zlib.compress(zlib.decompress(stream), 1)
    assert len(sections.index) > 1
    write(tmp_path / "t.bw", {"chrB": Runs(starts, starts + 1, values)})
    content = (tmp_path / "t.bw").read_bytes()
    levels = struct.unpack_from("<H", content, 6)[0]
    for level in range(levels):
        data_at, index_at = struct.unpack_from("<QQ", content, 64 + 24 * level + 8)
        stream = content[data_at + 4 : index_at]
        while stream:
            inflate = zlib.decompressobj()
            assert stream.startswith(zlib.compress(inflate.decompress(stream), 1))
            stream = inflate.unused_data
    assert levels


def test_a_remembered_section_cannot_be_changed(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10, 30], [20, 40], [1.0, 2.0])))})
    with BigWig(tmp_path / "t.bw", memory=1_000) as file:
        (found,) = file.runs("chrB", 0, 100)
        for column in found:
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 5
        assert [as_tuples(runs) for runs in file.runs("chrB", 0, 100)] == [[(10, 20, 1.0), (30, 40, 2.0)]]


def test_the_index_tells_how_dense_a_stretch_is(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_ITEMS", 10)
    at = np.arange(0, 1_000, 10)
    write(tmp_path / "t.bw", {"chrB": Runs(at, at + 5, at.astype(np.float32))})
    with BigWig(tmp_path / "t.bw") as file:
        first, runs = file.sections("chrB", 150, 350)
        assert first.tolist() == [100, 200, 300]
        assert runs.min() >= 10  # at most as many as the largest section of the file may hold
        assert [len(column) for column in file.sections("chrC", 0, 5_000)] == [0, 0]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_the_summary_is_that_of_the_finite_values(tmp_path, broken):
    file = pyBigWig.open(str(tmp_path / "t.bw"), "w")
    file.addHeader(list(CONTIGS.items()))
    file.addEntries(["chrB"] * 3, [5, 10, 20], ends=[9, 12, 30], values=[-0.25, broken, 0.05])
    file.close()
    with BigWig(tmp_path / "t.bw") as opened:
        assert opened.summary == (14, -0.25, pytest.approx(0.05), pytest.approx(-4 * 0.25 + 10 * 0.05))


def test_the_summary_is_read_from_the_head(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10, 30], [20, 40], [-0.5, 0.25])))})
    with BigWig(tmp_path / "t.bw") as file:
        assert file.summary == (20, -0.5, 0.25, -2.5)
        assert not file._index._nodes
    (tmp_path / "old.bw").write_bytes(old_style("<", compressed=True))  # version 1 has no summary
    with BigWig(tmp_path / "old.bw") as file:
        assert file.summary == (16, -1, 4, 1.5 * 5 + 2.5 * 5 - 3 + 4 * 3)


def test_a_run_that_ends_before_it_starts_is_damage(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10, 30], [20, 25], [1.0, 2.0])))})
    with BigWig(tmp_path / "t.bw") as file, pytest.raises(InputError, match=r"t\.bw: a damaged bigWig"):
        list(file.runs("chrB", 0, 100))


@pytest.mark.parametrize("items", [1024, 4])  # in one section, or in two
def test_two_values_for_a_base_are_refused(tmp_path, monkeypatch, items):
    monkeypatch.setattr(writer, "_ITEMS", items)
    starts, ends = np.array([10, 20, 30, 40, 44]), np.array([15, 25, 35, 45, 50])
    write(tmp_path / "t.bw", {"chrB": Runs(starts, ends, np.ones(5, np.float32))})
    with (
        BigWig(tmp_path / "t.bw") as file,
        pytest.raises(InputError, match=r"t\.bw: two values for the same bases of chrB"),
    ):
        list(file.runs("chrB", 0, 100))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [True, False])
def test_steps_byte_orders_and_uncompressed_files(tmp_path, order, compressed):
    (tmp_path / "t.bw").write_bytes(old_style(order, compressed))
    assert read_all(tmp_path / "t.bw") == {"c": [(10, 15, 1.5), (35, 40, 2.5), (50, 53, -1.0), (60, 63, 4.0)]}
    if order == "<":
        with pyBigWig.open(str(tmp_path / "t.bw")) as file:
            assert list(file.intervals("c")) == read_all(tmp_path / "t.bw")["c"]


def test_contigs_in_a_tree_of_several_levels_are_found(tmp_path):
    contigs = {f"scaffold_{number}": 1_000 + number for number in range(2_000)}
    file = pyBigWig.open(str(tmp_path / "t.bw"), "w")
    file.addHeader(list(contigs.items()))
    file.addEntries(["scaffold_7"], [5], ends=[9], values=[1.0])
    file.close()
    with BigWig(tmp_path / "t.bw") as opened:
        assert opened.contigs == contigs


@pytest.mark.parametrize("count", [256, 257, 2_000, 66_000])
def test_a_file_of_many_contigs_is_written(tmp_path, count):
    contigs = {f"scaffold_{number}": 1_000 + number for number in range(count)}
    write(tmp_path / "t.bw", {"scaffold_7": Runs(*map(np.array, ([5], [9], [1.0])))}, contigs)
    with BigWig(tmp_path / "t.bw") as opened:
        assert opened.contigs == contigs
    with pyBigWig.open(str(tmp_path / "t.bw")) as opened:
        assert opened.chroms() == contigs
        assert opened.intervals("scaffold_7") == ((5, 9, 1.0),)
        assert opened.intervals("scaffold_8") is None


def test_damaged_data_are_refused(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10], [20], [1.0])))})
    content = bytearray((tmp_path / "t.bw").read_bytes())
    with BigWig(tmp_path / "t.bw") as file:
        ((node, _),) = file._index.leaves(0, 0, 40_000)
        at, size = int(node.offset[0]), int(node.size[0])
    content[at : at + size] = b"\xff" * size
    (tmp_path / "t.bw").write_bytes(content)
    with BigWig(tmp_path / "t.bw") as file, pytest.raises(InputError, match=r"t\.bw: a damaged bigWig"):
        list(file.runs("chrB", 0, 100))


def test_garbage_is_refused_or_read_but_never_breaks(tmp_path):
    at = np.arange(0, 20_000, 10)
    runs = Runs(at, at + 5, at.astype(np.float32))
    write(tmp_path / "t.bw", {"chrB": runs})
    content = (tmp_path / "t.bw").read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        broken = bytearray(content)
        for place in rng.choice([rng.integers(len(content)), rng.integers(700)], rng.integers(1, 4)):
            broken[place] = rng.integers(256)
        (tmp_path / "t.bw").write_bytes(broken)
        try:
            read_all(tmp_path / "t.bw")
            with BigWig(tmp_path / "t.bw") as file:
                [file.sections(chrom, 0, length) for chrom, length in file.contigs.items()]
        except InputError:
            refused += 1
    assert refused > 30


def test_an_index_that_leads_in_a_circle_is_damage(tmp_path, monkeypatch):
    resize(monkeypatch)
    at = np.arange(0, 1_000, 10)
    write(tmp_path / "t.bw", {"chrB": Runs(at, at + 5, at.astype(np.float32))})
    content = bytearray((tmp_path / "t.bw").read_bytes())
    root = struct.unpack_from("<Q", content, 24)[0] + 48
    assert content[root] == 0  # no leaf; its first member's offset is that of the root itself
    struct.pack_into("<Q", content, root + 4 + 16, root)
    (tmp_path / "t.bw").write_bytes(content)
    with BigWig(tmp_path / "t.bw") as file, pytest.raises(InputError, match="a damaged bigWig"):
        list(file.runs("chrB", 0, 1_000))


def test_a_damaged_head_is_refused(tmp_path):
    write(tmp_path / "t.bw", {"chrB": Runs(*map(np.array, ([10], [20], [1.0])))})
    content = bytearray((tmp_path / "t.bw").read_bytes())
    content[8:16] = struct.pack("<Q", 3)
    (tmp_path / "t.bw").write_bytes(content)
    with pytest.raises(InputError, match="bigWig"):
        reader.BigWig(tmp_path / "t.bw")
