import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader, reverse_window
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from haplotype_cases import Rec, write_fasta, write_vcf

PEOPLE = ("a", "b", "c", "d")
START, END = 300, 400


@pytest.fixture(scope="module", params=["all", "snv"])
def reader(tmp_path_factory, request):
    """400 bp of a window's surroundings with single-base changes, indels and a long deletion beside it."""
    folder = tmp_path_factory.mktemp("genes")
    rng = np.random.default_rng(4)
    bases = "".join(rng.choice(list("ACGT"), 1500))

    def genotypes(rate):
        return tuple(f"{x}|{y}" for x, y in (rng.random((len(PEOPLE), 2)) < rate).astype(int))

    records = [Rec(250, bases[249:310], bases[249], genotypes(0.3))]  # reaches into the window from the left
    for pos in range(305, 640, 15):
        ref = bases[pos - 1]
        kind = pos % 3
        if kind == 0:
            records.append(Rec(pos, ref, "A" if ref != "A" else "C", genotypes(0.4)))
        elif kind == 1:
            records.append(Rec(pos, ref, ref + "GGT", genotypes(0.4)))
        else:
            records.append(Rec(pos, bases[pos - 1 : pos + 3], ref, genotypes(0.4)))
    # So much is lost that windows read beyond the alleles that are looked at.
    records.append(Rec(652, bases[651:1051], bases[651], ("1|0", "0|0", "0|0", "0|1")))
    records.append(Rec(1200, bases[1199], "A" if bases[1199] != "A" else "C", ("0|1", "1|0", "0|0", "1|1")))
    genome = Reference(write_fasta(folder / "genome.fa", c=bases))
    vcf = write_vcf(folder / "cohort.vcf.gz", PEOPLE, records, {"c": len(bases)})
    return HaplotypeReader(build_store(vcf, genome, folder / "store"), genome, request.param)


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize(("start", "end"), [(START, END), (-20, 260), (600, 660), (1400, 1520)])
def test_everyone_has_the_haplotypes_that_are_read_one_by_one(reader, strand, start, end):
    found = GeneWindows(reader).haplotypes("c", start, end, strand, PEOPLE)
    assert len({sequence.tobytes() for sequence in found.sequences}) == len(found.sequences)
    for person, own in zip(PEOPLE, found.of_person):
        for number in (1, 2):
            window = reader.window(person, number, "c", start, end)
            expected = (reverse_window(window) if strand == "-" else window).sequence
            assert found.sequences[own[number - 1]].tobytes() == expected.tobytes()


def test_dosages_are_the_stores(reader):
    alleles = GeneWindows(reader).alleles("c", START, END, PEOPLE)
    variants, dosages = reader.store.dosages("c", START, END, PEOPLE)
    if reader.variants == "snv":
        single = (variants["ref"].str.len() == 1) & (variants["alt"].str.len() == 1)
        variants, dosages = variants[single], dosages[:, single]
    assert alleles.variants["pos"].tolist() == variants["pos"].tolist()
    assert (alleles.dosages == dosages).all()


def test_with_the_reference_no_one_differs(reader):
    found = GeneWindows(reader).reference("c", START, END, "-", PEOPLE)
    assert found.sequences.shape == (1, END - START) and not found.of_person.any()


def test_unknown_people_are_named(reader):
    with pytest.raises(InputError, match="nobody"):
        GeneWindows(reader).haplotypes("c", START, END, "+", ["a", "nobody"])
