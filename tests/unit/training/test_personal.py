"""Training on all people of a gene at once: losses against sums over pairs, and each sequence computed once."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.genome.gene_windows import GeneHaplotypes
from glmflow.models import new_model
from glmflow.models.heads import ExpressionHead
from glmflow.training.mutation import mutated
from glmflow.training.personal import pairs, person_values, spread_of
from glmflow.training.personal_data import PersonalGenes, collate, genes_of, shifted
from glmflow.training.personal_losses import mixed, pairwise, personal_loss, single
from glmflow.training.personal_model import PersonalModel

torch.set_num_threads(1)
LENGTH = 96


def residuals(genes=3, people=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    gene = torch.arange(genes).repeat_interleave(people)[torch.randperm(genes * people, generator=generator)]
    return *torch.randn(2, genes * people, generator=generator, dtype=torch.float64), gene


def test_pairwise_is_the_mean_over_all_signed_pairs_of_a_genes_people():
    p, t, gene = residuals()
    expected = []
    for g in range(3):
        own = torch.nonzero(gene == g)[:, 0].tolist()
        expected.append(np.mean([((p[i] - p[j]) - (t[i] - t[j])).item() ** 2 for i in own for j in own]))
    assert pairwise(p, t, gene).item() == pytest.approx(np.mean(expected))


def test_pairwise_sees_no_gene_means_and_signs_matter():
    p, t, gene = residuals()
    level = torch.tensor([5.0, -3.0, 100.0])[gene]
    assert pairwise(p + level, t, gene).item() == pytest.approx(pairwise(p, t, gene).item())
    assert pairwise(t, t, gene).item() == 0 and pairwise(-t, t, gene).item() > 1


def test_losses_are_1_for_a_model_that_tells_nothing_apart():
    _, t, gene = residuals(genes=40, people=30)
    target = t + torch.randn(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)[gene]
    means = torch.stack([target[gene == g].mean() for g in range(40)])
    within = torch.stack([target[gene == g].var(correction=0) for g in range(40)])
    between, total = means.var(correction=0).item(), target.var(correction=0).item()
    constant = torch.full_like(target, means.mean().item())
    for name in ("single", "pairwise", "mixed"):
        assert personal_loss(name, between, total, 0.3)(constant, target, gene, within).item() == pytest.approx(1)


def test_mixed_is_both_parts():
    p, t, gene = residuals()
    within = torch.ones(3, dtype=torch.float64)
    alone = mixed(p, t, gene, within, 1.0, 1.0).item()
    assert alone == pytest.approx(pairwise(p, t, gene).item() / 2)
    assert alone + mixed(p, t, gene, within, 1.0, 0.0).item() == pytest.approx(single(p, t).item())


class Windows:
    """Haplotypes in memory; counts how often they are read."""

    def __init__(self, haplotypes):
        self.found, self.reads = haplotypes, 0

    def haplotypes(self, gene):
        self.reads += 1
        found = self.found[gene.name]
        rows = [int(person) for person in gene.people]
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


def model(combine="predictions", bins=4, **settings):
    torch.manual_seed(0)
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=1)
    return PersonalModel(adapter, ExpressionHead(8, bins, 8), 1.5, 2.0, combine, **settings)


def batch_of(network, items, **options):
    return collate(items, tokenize=partial(network.adapter.tokenize, chunk=True), **options)


@pytest.mark.parametrize("combine", ["predictions", "states"])
def test_a_batch_predicts_what_each_person_alone_is_predicted(combine):
    windows, table = cohort()
    network = model(combine, loss=personal_loss("mixed", 1.0, 2.0, 0.5)).eval()
    genes = list(genes_of(table))
    items = PersonalGenes(genes, windows, [1.0] * 3)
    together = network(**batch_of(network, [items(index, None) for index in range(3)]))["predictions"].detach().numpy()
    alone = []
    for gene in genes:
        found = windows.haplotypes(gene)
        for two in found.of_person:
            tokens = network.adapter.tokenize([found.sequences[i] for i in two])
            with torch.no_grad():
                pooled = network.head.pool(network.binned_states(tokens))
                read = network.head.read
                alone.append(read(pooled.mean(0)) if combine == "states" else read(pooled).mean())
    np.testing.assert_allclose(together, 1.5 + 2.0 * torch.stack(alone).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("combine", ["predictions", "states"])
def test_people_of_one_sequence_have_one_prediction_to_the_last_bit(combine):
    windows, table = cohort(haplotypes=1)
    network = model(combine).eval()
    for gene in genes_of(table):
        values = person_values(network, *windows.haplotypes(gene), batch=2, both_strands=True)
        assert np.ptp(values) == 0
    swapped = person_values(network, windows.found["g0"].sequences, np.array([[0, 0]]), 2, False)
    assert swapped == person_values(network, windows.found["g0"].sequences, pairs(1), 2, False)


@pytest.mark.parametrize("combine", ["predictions", "states"])
@pytest.mark.parametrize("width", [48, 1024])
def test_equal_people_are_equal_whatever_the_shape_of_the_product(combine, width):
    generator = torch.Generator().manual_seed(0)
    network = model(combine)
    network.head = ExpressionHead(width, 4, 64)
    binned = torch.randn(5, 4, width, generator=generator)
    of_person = torch.randint(0, 5, (99, 2), generator=generator)
    with torch.no_grad():
        values = network.people(binned, of_person)
    kinds = {}
    for value, two in zip(values.tolist(), of_person.tolist()):
        kinds.setdefault(tuple(sorted(two)), set()).add(value)
    assert len(kinds) == 15 and all(len(own) == 1 for own in kinds.values())


def test_haplotypes_in_either_order_are_the_same_person():
    windows, _ = cohort()
    found = windows.found["g0"]
    network = model().eval()
    one = person_values(network, found.sequences, np.array([[0, 1], [1, 0]]), 8, False)
    assert one[0] == one[1]


def test_each_distinct_haplotype_is_in_a_batch_once_and_read_once():
    windows, table = cohort()
    genes = [gene.keep(gene.split == "train") for gene in genes_of(table)]
    items = PersonalGenes(genes, windows, [1.0] * 3, people=5, shift=3)
    rng = np.random.default_rng(0)
    for _ in range(4):
        drawn = [items(index, rng) for index in range(3)]
        for item, gene in zip(drawn, genes):
            used = {s.tobytes() for s in item["sequences"]}
            assert len(used) == len(item["sequences"]) == len(np.unique(item["of_person"]))
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

    variants = pd.DataFrame({"pos": [4, 5, 6], "ref": ["G", "TAC", "A"], "alt": ["C", "T", "AGG"]})
    gene = next(genes_of(cohort()[1]))._replace(start=2, end=12)
    found = [row.tobytes() for row in mutated(gene, Genome(), variants)]
    assert found == [b"ACGTACGTTT", b"ACCTACGTTT", b"ACGTGTTTAC", b"ACGTAGGCGT"]
    turned = [row.tobytes() for row in mutated(gene._replace(strand="-"), Genome(), variants)]
    assert turned[1] == b"AAACGTAGGT"
