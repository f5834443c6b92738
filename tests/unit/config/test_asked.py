"""Variants, intervals and sequences that the models of a study are asked about as they are: which models, and what is refused."""

import pytest
from changed_study import changed
from glmflow.config import ConfigurationError, asked_files, asked_models, asked_results, check_study

SMALL = {"family": "small", "length": 64, "steps": 5}
STUDY = {
    "study": "trial",
    "reference": {"fasta": "g.fa"},
    "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
    "tasks": {"known": {"kind": "variant_effects", "table": "t.tsv", "label": "label", "labels": {"1": 1, "0": 0}}},
    "models": {
        "masked": {"pretrain": {**SMALL, "config": {"causal": False}}},
        "causal": {"pretrain": {**SMALL, "config": {"causal": True}}},
        "longer": {"extend": {"model": "causal", "method": "yarn", "factor": 2}},
        "published": {"checkpoint": "hyenadna-tiny-1k"},
        "fresh": {"new": {"family": "small"}},
        "rate": {"baseline": {"kind": "context_rate"}},
    },
    "adaptations": {"as_it_is": {"kind": "zero-shot"}, "baseline": {"kind": "baseline"}},
    "runs": [
        {"tasks": ["known"], "models": ["masked", "published"], "adaptations": ["as_it_is"], "seeds": [2, 3]},
        {"tasks": ["known"], "models": ["rate"], "adaptations": ["baseline"]},
    ],
}
VCF, BED, FASTA = {"vcf": "v.vcf.gz"}, {"bed": "b.bed"}, {"fasta": "s.fa"}


def study(**changes):
    return check_study(changed(STUDY, changes))


def problems(**changes):
    with pytest.raises(ConfigurationError) as caught:
        study(**changes)
    return [line.removeprefix("configuration: ") for line in caught.value.problems]


def test_all_models_that_learned_something_are_asked_those_made_here_with_the_seeds_of_runs():
    found = study(variant_scores={"mine": VCF})
    expected = [("masked", 2), ("masked", 3), ("causal", 1), ("longer", 1), ("published", 2)]
    assert asked_models(found, found.variant_scores["mine"]) == expected
    assert asked_results(found, "variant_scores")[0] == "results/trial/variant_scores/mine/masked/seed2.vcf.gz"
    only = study(mutagenesis={"here": {**BED, "models": ["longer", "masked"]}})
    assert asked_results(only, "mutagenesis") == [
        f"results/trial/mutagenesis/here/{name}" for name in ("longer/seed1", "masked/seed2", "masked/seed3")
    ]


@pytest.mark.parametrize(
    ("keys", "ending"),
    [
        (VCF, ".vcf.gz"),
        (VCF | {"write": "tsv"}, ".tsv"),
        ({"table": "t.tsv"}, ".parquet"),
        (BED, ".parquet"),
        (BED | {"write": "vcf"}, ".vcf.gz"),
    ],
)
def test_the_form_follows_from_what_is_given(keys, ending):
    assert asked_results(study(variant_scores={"mine": keys}), "variant_scores")[0].endswith(f"seed2{ending}")


def test_the_genome_is_the_studys_where_none_is_given_and_sequences_need_none():
    found = study(variant_scores={"mine": VCF, "other": VCF | {"fasta": "o.fa"}}, dependency_maps={"maps": FASTA})
    own = {"fasta": "results/trial/reference/genome.fa", "index": "results/trial/reference/genome.fa.fai"}
    assert asked_files(found, found.variant_scores["mine"]) == VCF | own
    assert asked_files(found, found.variant_scores["other"]) == VCF | {"fasta": "o.fa"}
    assert asked_files(found, found.dependency_maps["maps"]) == FASTA


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"variant_scores__mine": VCF | {"models": ["maskt"]}},
            "variant_scores.mine.models.0: unknown model 'maskt'; did you mean 'masked'?",
        ),
        (
            {"mutagenesis__here": BED | {"models": ["masked", "rate"]}},
            "mutagenesis.here.models.1: 'rate' cannot be asked: a baseline gives no probabilities of bases",
        ),
        (
            {"variant_scores__mine": VCF | {"models": ["fresh"]}},
            "variant_scores.mine.models.0: 'fresh' cannot be asked: nothing was learned",
        ),
        (
            {"models__get": {"pretrain": {"family": "get"}}, "variant_scores__mine": VCF | {"models": ["get"]}},
            "variant_scores.mine.models.0: 'get' cannot be asked: get: it gives no probabilities of bases",
        ),
        (
            {"models__pieces": {"checkpoint": "dnabert2"}, "dependency_maps__maps": FASTA | {"models": ["pieces"]}},
            "dependency_maps.maps.models.0: 'pieces' cannot be asked: dnabert2: its tokens do not sit on a grid of bases",
        ),
        (
            {"variant_scores__mine": VCF | {"models": ["longer"], "scores": ["l2_mean", "llr"]}},
            "variant_scores.mine.models.0: 'longer' cannot be asked: llr needs a masked model, and it is causal",
        ),
        (
            {"mutagenesis__here": BED | {"scores": ["llr", "ll"]}},
            "mutagenesis.here: no model of this study can be asked (masked: ll needs a causal model",
        ),
        (
            {"variant_scores__mine": VCF | BED},
            "variant_scores.mine: give exactly one of `vcf`, `table`, `bed` (found vcf",
        ),
        (
            {"variant_scores__mine": {"window": 64}},
            "variant_scores.mine: give exactly one of `vcf`, `table`, `bed` (found n",
        ),
        (
            {"variant_scores__mine": {"table": "t.tsv", "write": "vcf"}},
            "variant_scores.mine: write: a `table` gives a table",
        ),
        (
            {"variant_scores__mine": VCF | {"scor": ["llr"]}},
            "variant_scores.mine.scor: unknown key 'scor'; did you mean",
        ),
        ({"variant_scores__mine": VCF | {"scores": ["lrl"]}}, "variant_scores.mine.scores.0: "),
        (
            {"models__longer__extend__model": "caused", "variant_scores__mine": VCF | {"scores": ["ll"]}},
            "models.longer.extend.model: 'caused' is no pretrained or published model",
        ),
        ({"mutagenesis__here": {"around": 50}}, "mutagenesis.here: around: name the `genes`"),
        ({"dependency_maps__maps": FASTA | {"zoom": "9"}}, "dependency_maps.maps.zoom: "),
        ({"dependency_maps__maps": FASTA | {"window": 64}}, "dependency_maps.maps.window: unknown key 'window'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(changes, expected):
    (line,) = problems(**changes)
    assert line.startswith(expected)


def test_what_needs_a_genome_says_so():
    table = {"kind": "sequences", "table": "t.tsv"}
    raw = {**STUDY, "tasks": {"words": table}, "models": {"published": STUDY["models"]["published"]}}
    raw["adaptations"], raw["runs"] = (
        {"probe": {"kind": "probe"}},
        [{"tasks": ["words"], "models": ["published"], "adaptations": ["probe"]}],
    )
    for key in ("reference", "splits"):
        raw.pop(key)
    for keys in (VCF, BED):
        with pytest.raises(ConfigurationError, match=r"variant_scores.mine: no genome: give `fasta`"):
            check_study({**raw, "variant_scores": {"mine": keys}})
        check_study({**raw, "variant_scores": {"mine": {**keys, "fasta": "g.fa"}}})
    check_study({**raw, "variant_scores": {"mine": {"table": "t.tsv"}}, "dependency_maps": {"maps": FASTA}})
