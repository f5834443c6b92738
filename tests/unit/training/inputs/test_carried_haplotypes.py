"""Training windows that carry the alleles of samples: where each base and each label comes from."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.tracks.reading import TrackReader
from glmflow.training.inputs.carried_haplotypes import CarriedTracks, Haplotype
from glmflow.training.inputs.track_windows import TrackExamples
from glmflow.training.stream import ExampleStream
from haplotype_cases import Rec, write_fasta, write_vcf
from torch.utils.data import DataLoader

#            0123456789
GENOME = "ACGTACGTAC" * 10
RECORDS = [
    Rec(11, "A", "G", ("1|0", "0|0")),  # position 10
    Rec(12, "C", "T", ("0|0", "1")),  # the second sample has one copy
    Rec(13, "GTA", "G", ("0|1", "0|0")),  # 13 and 14 are lost
    Rec(16, "C", "CTT", ("1|0", "0|0")),  # TT after position 15
]


class Places:
    """Coverage that tells where it is from: 1000 + position, and its negative on a second track."""

    def read(self, chrom, start, end):
        values = np.arange(1000 + start, 1000 + end, dtype=np.float32)
        return np.stack([values, -values])

    def along(self, chrom, stretches, length):
        values = np.zeros((2, length), np.float32)
        for begin, stop, place in zip(*stretches):
            values[:, begin:stop] = self.read(chrom, place, place + stop - begin)
        return values


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    genome = Reference(write_fasta(folder / "genome.fa", c=GENOME, d=GENOME))
    vcf = write_vcf(folder / "cohort.vcf.gz", ("a", "b"), RECORDS, {"c": len(GENOME)})
    return HaplotypeReader(build_store(vcf, genome, folder / "store"), genome)


def text(array):
    return array.tobytes().decode()


def test_labels_follow_an_insertion(reader):
    for inserted, expected in (("masked", [1015, 0, 0, 1016]), ("repeat5p", [1015, 1015, 1015, 1016])):
        people = CarriedTracks(reader, 1.0, inserted)
        sequence, values, labelled = people.read(Haplotype("a", 1), "c", 10, 30, 20, Places())
        assert text(sequence) == "GCGTACTTGTACACGTACGT"
        assert values[0, 5:9].tolist() == expected and (values[1] == -values[0]).all()
        assert labelled[5:9].tolist() == [True, inserted == "repeat5p", inserted == "repeat5p", True]


def test_what_a_person_lacks_vanishes_and_nothing_comes_from_beyond_the_window(reader):
    people = CarriedTracks(reader, 1.0, "masked")
    sequence, values, labelled = people.read(Haplotype("a", 2), "c", 10, 30, 20, Places())
    assert text(sequence) == "ACGCGTACACGTACGTAC" + "NN"
    assert values[0, :18].tolist() == [1010, 1011, 1012, *range(1015, 1030)]
    assert labelled.tolist() == [True] * 18 + [False] * 2 and not values[:, 18:].any()


def test_a_crop_is_filled_from_the_window_around_it(reader):
    sequence, values, labelled = CarriedTracks(reader, 1.0, "masked").read(Haplotype("a", 2), "c", 10, 60, 20, Places())
    assert text(sequence) == "ACG" + GENOME[15:32] and labelled.all() and values[0, -1] == 1031


def test_people_are_drawn_by_the_seed_in_the_share_that_is_asked(reader):
    people = CarriedTracks(reader, 0.25, "masked")
    drawn = [people.draw(np.random.default_rng(seed), "c", 0, 50) for seed in range(400)]
    assert drawn == [people.draw(np.random.default_rng(seed), "c", 0, 50) for seed in range(400)]
    assert 60 < sum(person is not None for person in drawn) < 140
    assert {person for person in drawn if person} == {Haplotype("a", 1), Haplotype("a", 2), Haplotype("b", 1)}
    assert all(people.draw(np.random.default_rng(seed), "d", 0, 50) is None for seed in range(50))


def test_only_people_who_take_part_are_drawn(reader):
    def drawn(people):
        personal = CarriedTracks(reader, 1.0, "masked", people)
        return [personal.draw(np.random.default_rng(seed), "c", 0, 50) for seed in range(40)]

    assert set(drawn(["a"])) == {Haplotype("a", 1), Haplotype("a", 2)}
    assert set(drawn(["b"])) == {Haplotype("b", 1)}
    assert drawn(["b", "a"]) == drawn(["a", "b"]) == drawn(None), "a table of everyone draws as no table does"


def test_only_training_windows_are_peoples_and_they_are_turned_with_their_labels(reader):
    windows = pd.DataFrame({"chrom": ["c"], "start": [10], "end": [30]})
    make = TrackExamples(windows, reader.reference, Places(), 20, [1, 0], True, CarriedTracks(reader, 1.0, "masked"))
    assert make(0, None)["sequence"] == GENOME[10:30]
    seen = {}
    for seed in range(40):
        item = make(0, np.random.default_rng(seed))
        seen[item["sequence"]] = item
    assert "ACGCGTACACGTACGTACNN" in seen and "NNGTACGTACGTGTACGCGT" in seen
    turned = seen["NNGTACGTACGTGTACGCGT"]
    assert turned["mask"][0].tolist() == [0, 0] + [1] * 18
    assert turned["targets"][1, -1] == 1010 and turned["targets"][0, 2] == -1029


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_draws_from_files_depend_on_the_seed_alone_not_on_workers(reader, tmp_path, method):
    """Variant store, genome and bigWigs in this process and in workers, forked after all files were opened or spawned."""
    tracks = []
    for name, sign in (("plus", 1), ("minus", -1)):
        with pyBigWig.open(str(tmp_path / f"{name}.bw"), "w") as file:
            file.addHeader([("c", len(GENOME)), ("d", len(GENOME))])
            for chrom, value in (("c", 1000), ("d", 2000)):
                file.addEntries(
                    chrom, 0, values=[float(sign * (value + i)) for i in range(len(GENOME))], span=1, step=1
                )
        tracks.append(tmp_path / f"{name}.bw")
    starts = [*range(0, 61, 5)] * 2
    windows = pd.DataFrame({"chrom": ["c"] * 13 + ["d"] * 13, "start": starts, "end": np.add(starts, 40)})
    people = CarriedTracks(reader, 0.7, "masked")
    make = TrackExamples(windows, reader.reference, TrackReader(tracks), 24, [1, 0], True, people)

    def drawn(workers, method=None, seed=3):
        stream = ExampleStream(make, len(windows), 60, seed=seed)
        loader = DataLoader(stream, batch_size=None, num_workers=workers, multiprocessing_context=method)
        return [(item["sequence"], item["targets"].tolist(), item["mask"].tolist()) for item in loader]

    here = drawn(0)
    assert len(here) == 60 and drawn(0) == here != drawn(0, seed=4)
    assert drawn(2, method) == here
    # What the first draws are is told by the stream: an example, and a generator of its own.
    stream = ExampleStream(make, len(windows), 60, seed=3)
    for number in (0, 1, 59):
        item = make(stream.example_of(number), np.random.default_rng([3, 1, number]))
        assert here[number] == (item["sequence"], item["targets"].tolist(), item["mask"].tolist())
    assert any(min(mask[0]) == 0 for _, _, mask in here)  # someone's insertion, or bases beyond a window
