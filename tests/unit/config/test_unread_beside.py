"""Keys that do nothing beside the other keys of their block are refused, and the same keys where they are read are not."""

import typing

import pydantic
import pytest
from glmflow.config import ConfigurationError, check_study
from glmflow.config.adaptations import Adaptation
from glmflow.config.base import Block
from glmflow.config.heads import HEADS
from glmflow.config.models import Extend
from glmflow.config.study import Study
from glmflow.config.tasks import KINDS, Task
from glmflow.config.unread import unread_within

TASK = pydantic.TypeAdapter(Task)
VARIANTS = {"kind": "variant_effects", "label": "effect", "direction": "loss"}
QUESTIONS = {"kind": "diagnosis", "simulated": {}}
PEAKS = {"samples": "s.tsv", "motifs": "m.meme"}


def task(**settings):
    return TASK.validate_python(settings)


def sequences(**splits):
    return task(kind="sequences", table="t.tsv", splits=splits)


def genes(**settings):
    return task(kind="snp2gex", **settings)


def head(**settings):
    return Adaptation(kind="probe", head=settings)


def extend(**settings):
    return Extend(model="m", method="pi", factor=2, **settings)


def asked(key, **settings):
    block = typing.get_args(Study.model_fields[key].annotation)[1]
    return block.model_validate(settings)


CASES = {
    "splits.column": (sequences(by="random", column="x"), sequences(by="column", column="x")),
    "splits.gap": (sequences(by="contig", gap=5), sequences(by="block", gap=5)),
    "splits.block": (sequences(by="random", block=5), sequences(by="block", block=5)),
    "splits.train": (sequences(by="random", train=["a"]), sequences(by="contig", train=["a"])),
    "splits.validation": (sequences(by="given", validation=0.3), sequences(by="similarity", validation=0.3)),
    "splits.test": (sequences(test=0.3), sequences(by="group", test=0.3)),
    "preprocessing.pseudo_count": (
        genes(preprocessing={"log": False, "pseudo_count": 1}),
        genes(preprocessing={"pseudo_count": 1}),
    ),
    "preprocessing.fitted_on": (
        genes(preprocessing={"fitted_on": "everyone"}),
        genes(preprocessing={"fitted_on": "everyone", "hidden_factors": 5}),
    ),
    "genes.test": (genes(genes={"test": 0.5}), genes(genes={"by": "homology", "test": 0.5})),
    "people.test": (
        genes(people={"by": "population", "test_populations": ["a"], "test": 0.5}),
        genes(people={"test": 0.5}),
    ),
    "people.test_populations": (
        genes(people={"test_populations": ["a"]}),
        genes(people={"by": "population", "test_populations": ["a"]}),
    ),
    "q": (task(kind="hotspots", test="top_share", q=0.1), task(kind="hotspots", q=0.1)),
    "share": (task(kind="hotspots", share=0.1), task(kind="hotspots", test="top_share", share=0.1)),
    "windows.densest": (
        task(kind="populations", windows={"regions": "r.bed", "densest": 9}),
        task(kind="populations", windows={"densest": 9}),
    ),
    "windows.overlap": (
        task(kind="base_labels", regions={"bed": "b", "hdf5": "h"}, classes=["a", "b"], windows={"overlap": 8}),
        task(kind="base_labels", segments="s.bed", windows={"overlap": 8}),
    ),
    "recall.substitutions": (
        task(
            kind="context_extension",
            contexts=[2048],
            recall={"distances": [512], "variants": ["exact"], "substitutions": 0.2},
        ),
        task(kind="context_extension", contexts=[2048], recall={"distances": [512], "substitutions": 0.2}),
    ),
    "layout": (task(**QUESTIONS, layout="kegg"), task(kind="diagnosis", table="t.csv", layout="kegg")),
    "splits.test (official)": (
        task(kind="diagnosis", table={"train": "a", "test": "b"}, splits={"by": "official", "test": 0.3}),
        task(kind="diagnosis", table="t.csv", splits={"test": 0.3}),
    ),
    "promoter": (
        task(kind="region_expression", simulated={}, promoter=500),
        task(kind="region_expression", counts="c", expression="e", motifs="m", promoter=500),
    ),
    "p": (
        task(kind="region_expression", counts="c", expression="e", hits="h", p=0.1),
        task(kind="region_expression", simulated={}, p=0.1),
    ),
    "min_q": (task(kind="seq2cellxtf", simulated={}, min_q=2), task(kind="seq2cellxtf", **PEAKS, min_q=2)),
    "universe.bin": (
        task(kind="seq2cellxtf", **PEAKS, universe={"bin": 100}),
        task(kind="seq2cellxtf", **PEAKS, universe={"regions": "bins", "bin": 100}),
    ),
    "positions": (task(**VARIANTS, vcf="v.vcf", positions="zero"), task(**VARIANTS, table="t", positions="zero")),
    "head.parts": (head(kind="pooled", pool="attention", parts=5), head(kind="pooled", pool="bins", parts=5)),
    "head.parts (trees)": (head(kind="boosted_trees", parts=5), head(kind="boosted_trees", pool="bins", parts=5)),
    "head.stride": (
        head(kind="text_answers", pooling="none", stride=4),
        head(kind="text_answers", pooling="focus", stride=4),
    ),
    "head.queries": (
        head(kind="text_answers", queries=4),
        head(kind="text_answers", pooling="queries", queries=4),
    ),
    "head.trace_weight": (
        head(kind="text_answers", trace_weight=0.1),
        head(kind="text_answers", traces=True, trace_weight=0.1),
    ),
    "learning_rate": (extend(learning_rate=1e-3), extend(steps=10, learning_rate=1e-3)),
    "rank": (extend(steps=10, rank=4), extend(steps=10, kind="lora", rank=4)),
    "symbolic": (
        asked("variant_scores", table="t", symbolic=True),
        asked("variant_scores", vcf="v", symbolic=True),
    ),
    "strict": (asked("variant_scores", bed="b", strict=True), asked("variant_scores", vcf="v", strict=True)),
    "seed": (asked("variant_scores", vcf="v", seed=3), asked("variant_scores", vcf="v", seed=3, length_matched=9)),
    "unphased": (
        asked("predict", write="tracks", unphased="reference"),
        asked("predict", write="tracks", vcf="v", sample="S", unphased="reference"),
    ),
    "split.seed": (
        asked("corpora", sources=[{"path": "x.fa"}], split={"by": "position", "seed": 3}),
        asked("corpora", sources=[{"path": "x.fa"}], split={"by": "genus", "seed": 3}),
    ),
}


def places(block):
    return [".".join(map(str, place)) for place, _ in unread_within(block)]


@pytest.mark.parametrize("key", CASES)
def test_a_key_does_nothing_beside_some_and_something_beside_others(key):
    idle, read = CASES[key]
    assert key.split(" ")[0] in places(idle)
    assert places(read) == []


@pytest.mark.parametrize("key", CASES)
def test_what_is_read_again_with_all_keys_written_out_says_the_same(key):
    for block in CASES[key]:
        again = type(block).model_validate(block.model_dump(mode="json"))
        assert places(again) == places(block)


def blocks():
    """Every class of block of the configuration."""
    found = list(Block.__subclasses__())
    for block in found:  # which grows
        found += block.__subclasses__()
    return found


def met(value):
    """Yield the classes of the blocks within a value."""
    if isinstance(value, Block):
        yield from type(value).__mro__
        value = vars(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from met(inner)


def test_every_block_that_refuses_keys_is_tried():
    assert set(KINDS) < set(blocks()) and set(HEADS) < set(blocks())
    refusing = {block for block in blocks() if "unread" in vars(block)}
    assert refusing <= {block for pair in CASES.values() for value in pair for block in met(value)}


def study(**model):
    return {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "corpora": {"c": {"sources": [{"path": "x.fa"}], "keep_softmask": False}},
        "tasks": {"t": {"kind": "rnaseq_tracks"}},
        "models": {"m": {"pretrain": {"length": 128, "steps": 3, **model}}},
        "adaptations": {"a": {"kind": "full"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ({"family": "hyenadna", "mask": 0.3}, "mask"),
        ({"family": "small", "config": {"causal": False}, "objective": "masked_diffusion", "mask": 0.3}, "mask"),
        ({"family": "caduceus", "mask": 0.3}, None),
        ({"family": "hyenadna", "corpus": "c", "softmask_weight": 0.1}, "softmask_weight"),
    ],
)
def test_masks_and_lower_case_are_of_what_has_them(model, key):
    if key is None:
        assert check_study(study(**model))
        return
    with pytest.raises(ConfigurationError, match=rf"models\.m\.pretrain\.{key}: does nothing"):
        check_study(study(**model))
