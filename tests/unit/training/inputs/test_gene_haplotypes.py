"""Training on all samples of a gene at once: each distinct sequence is read and computed once, whoever carries it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.bases import shifted
from glmflow.genome.gene_windows import GeneHaplotypes, GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.models import new_model
from glmflow.models.heads.expression_heads import ExpressionHead
from glmflow.training.inputs.gene_haplotypes import (
    CohortWindows,
    Gene,
    GeneItems,
    collate,
    genes_of,
    pairs,
    sample_values,
    spread_of,
)
from glmflow.training.inputs.mutation import mutated, variant_effects, variant_names
from glmflow.training.tuned import RunBlocks, new_tuned
from tiny_genes import settings_of

torch.set_num_threads(1)
LENGTH = 96


class Windows:
    """Haplotypes in memory; counts how often they are read."""

    def __init__(self, haplotypes):
        self.found, self.reads = haplotypes, 0

    def haplotypes(self, gene):
        self.reads += 1
        found = self.found[gene.name]
        rows = [int(person) for person in gene.samples]
        return GeneHaplotypes(found.sequences, found.of_person[rows])


def cohort(genes=3, people=12, haplotypes=4, seed=0):
    rng = np.random.default_rng(seed)
    found = {
        f"g{g}": GeneHaplotypes(
            rng.choice(np.frombuffer(b"ACGT", np.uint8), (haplotypes, LENGTH)), rng.integers(0, haplotypes, (people, 2))
        )
        for g in range(genes)
    }
    rows = [
        {
            "example": f"{g}|{p}",
            "split": "train" if p < 8 else "test",
            "chrom": "c",
            "start": 0,
            "end": LENGTH,
            "strand": "+",
        }
        | {"sample": str(p), "group": g, "target": rng.normal()}
        for g in found
        for p in range(people)
    ]
    return Windows(found), pd.DataFrame(rows)


def model(combine="predictions", bins=4, loss="mixed"):
    adaptation = {"kind": "full", "head": {"kind": "binned", "bins": bins, "hidden": 8}, "loss": loss}
    run = RunBlocks.of(settings_of({}, adaptation, combine=combine))
    torch.manual_seed(0)
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=1)
    return new_tuned(run, adapter, {"mean": 1.5, "total": 4.0, "between": 1.0})


def batch_of(network, items, **options):
    return collate(items, tokenize=partial(network.adapter.tokenize, chunk=True), **options)


@pytest.mark.parametrize("combine", ["predictions", "states"])
def test_a_batch_predicts_what_each_sample_alone_is_predicted(combine):
    windows, table = cohort()
    network = model(combine).eval()
    genes = list(genes_of(table))
    items = GeneItems(genes, windows, [1.0] * 3)
    together = network(**batch_of(network, [items(index, None) for index in range(3)]))["predictions"].detach().numpy()
    head, alone = network.target.head, []
    for gene in genes:
        found = windows.haplotypes(gene)
        for two in found.of_person:
            tokens = network.adapter.tokenize([found.sequences[i] for i in two])
            with torch.no_grad():
                pooled = head.pool(network.features(tokens))
                read = head.read
                alone.append(read(pooled.mean(0)) if combine == "states" else read(pooled).mean())
    np.testing.assert_allclose(together, 1.5 + 2.0 * torch.stack(alone).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("combine", ["predictions", "states"])
def test_samples_of_one_sequence_have_one_prediction_to_the_last_bit(combine):
    windows, table = cohort(haplotypes=1)
    network = model(combine).eval()
    for gene in genes_of(table):
        values = sample_values(network, *windows.haplotypes(gene), batch=2, both_strands=True)
        assert np.ptp(values) == 0
    swapped = sample_values(network, windows.found["g0"].sequences, np.array([[0, 0]]), 2, False)
    assert swapped == sample_values(network, windows.found["g0"].sequences, pairs(1), 2, False)


@pytest.mark.parametrize("combine", ["predictions", "states"])
@pytest.mark.parametrize("width", [48, 1024])
def test_equal_samples_are_equal_whatever_the_shape_of_the_product(combine, width):
    generator = torch.Generator().manual_seed(0)
    network = model(combine)
    network.target.head = ExpressionHead(width, 4, 64)
    binned = torch.randn(5, 4, width, generator=generator)
    of_person = torch.randint(0, 5, (99, 2), generator=generator)
    with torch.no_grad():
        values = network.target.read(binned, {"haplotypes": of_person})
    kinds = {}
    for value, two in zip(values.tolist(), of_person.tolist()):
        kinds.setdefault(tuple(sorted(two)), set()).add(value)
    assert len(kinds) == 15 and all(len(own) == 1 for own in kinds.values())


def test_haplotypes_in_either_order_are_the_same_sample():
    windows, _ = cohort()
    found = windows.found["g0"]
    network = model().eval()
    one = sample_values(network, found.sequences, np.array([[0, 1], [1, 0]]), 8, False)
    assert one[0] == one[1]


def test_each_distinct_haplotype_is_in_a_batch_once_and_read_once():
    windows, table = cohort()
    genes = [gene.keep(gene.split == "train") for gene in genes_of(table)]
    items = GeneItems(genes, windows, [1.0] * 3, samples=5, shift=3)
    rng = np.random.default_rng(0)
    for _ in range(4):
        drawn = [items(index, rng) for index in range(3)]
        for item, gene in zip(drawn, genes):
            used = {s.tobytes() for s in item["sequences"]}
            assert len(used) == len(item["sequences"]) == len(np.unique(item["haplotypes"]))
            assert len(item["targets"]) == 5 and set(item["targets"]) <= set(gene.target.astype(np.float32))
    assert windows.reads == 3


def test_a_shifted_window_takes_n_in():
    sequences = np.frombuffer(b"ACGTA", np.uint8)[None].repeat(2, 0)
    assert shifted(sequences, 2)[0].tobytes() == b"NNACG" and shifted(sequences, -1)[1].tobytes() == b"CGTAN"
    assert shifted(sequences, 0)[0].tobytes() == b"ACGTA"


def test_units_of_targets():
    _, table = cohort(genes=5)
    genes = list(genes_of(table))
    units = spread_of(genes)
    assert units["within"] == pytest.approx(table.groupby("group")["target"].var(ddof=0).mean())
    assert units["mean"] == pytest.approx(table["target"].mean())


def test_mutated_windows_are_what_a_carrier_has():
    class Genome:
        bases = np.frombuffer(b"GGACGTACGTTTACCA", np.uint8)

        def fetch(self, chrom, start, end):
            return self.bases[start:end]

    variants = pd.DataFrame(
        {
            "pos": [4, 5, 6, 5, 10],
            "end": [5, 8, 7, 8, 14],
            "ref": ["G", "TAC", "A", "T", "T"],
            "alt": ["C", "T", "AGG", "<DEL>", "<DEL>"],
        }
    )
    gene = next(genes_of(cohort()[1]))._replace(start=2, end=12)
    found = [row.tobytes() for row in mutated(gene, Genome(), variants)]
    assert found == [b"ACGTACGTTT", b"ACCTACGTTT", b"ACGTGTTTAC", b"ACGTAGGCGT", b"ACGTGTTTAC", b"ACGTACGTTC"]
    assert variant_names(variants.assign(chrom="c"))[:1] == ["c:5:G:C"]
    assert variant_names(variants.assign(chrom="c"))[3:] == ["c:6-8:T:<DEL>", "c:11-14:T:<DEL>"]
    turned = [row.tobytes() for row in mutated(gene._replace(strand="-"), Genome(), variants)]
    assert turned[1] == b"AAACGTAGGT"


def test_a_deletion_written_as_del_is_what_its_carriers_have(tmp_path):
    """As of the 1000 Genomes' panel: its end is in INFO, its bases are nowhere."""
    bases = "".join(np.random.default_rng(0).choice(list("ACGT"), 400))
    fasta, vcf = tmp_path / "g.fa", tmp_path / "v.vcf"
    fasta.write_text(f">chr1\n{bases}\n")
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=400>\n" + "".join(
        f'##{kind}=<ID={name},Number=1,Type={of},Description="x">\n'
        for kind, name, of in (("INFO", "END", "Integer"), ("FORMAT", "GT", "String"))
    )
    rows = [(150, "<DEL>", "END=163", "1|1", "0|0"), (150, "<DEL>", "END=390", "0|0", "1|1")]
    lines = [f"chr1\t{p}\t.\t{bases[p - 1]}\t{alt}\t.\t.\t{info}\tGT\t{a}\t{b}" for p, alt, info, a, b in rows]
    vcf.write_text(head + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\n" + "\n".join(lines) + "\n")
    genome = Reference(fasta)
    windows = CohortWindows(GeneWindows(HaplotypeReader(build_store(vcf, genome, tmp_path / "store"), genome)))
    people, four = np.array(["s", "t"], object), np.array(["a", "b"], object)
    for strand in "+-":
        gene = Gene("g", "chr1", 100, 200, strand, people, four, four, np.zeros(2))
        found, alleles = windows.haplotypes(gene), windows.alleles(gene)
        expected = [found.sequences[two[0]].tobytes() for two in found.of_person]
        assert [row.tobytes() for row in mutated(gene, genome, alleles.variants)][1:] == expected
        table = variant_effects(gene, windows, lambda sequences: (sequences == ord("A")).sum(1).astype(float))
        assert table["variant"].tolist() == [f"chr1:150-163:{bases[149]}:<DEL>", f"chr1:150-390:{bases[149]}:<DEL>"]
        assert table["carriers"].tolist() == [1, 1]
