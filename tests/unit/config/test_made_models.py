"""What a model cannot be made into, or be asked for, is refused by the configuration and not by a job."""

import pytest
from changed_study import changed
from glmflow.config import ConfigurationError, check_study
from glmflow.config.baselines import BASELINES
from glmflow.config.unused import unused
from glmflow.plan.jobs import plan

CORPORA = {"c": {"sources": [{"path": "genomes.fa"}]}}
KMERS = {"hidden_size": 16, "num_attention_heads": 2, "max_position_embeddings": 64, "vocab_size": 4107}
GATE = {"acknowledged": "nothing is drawn in a test"}
STUDY = {
    "study": "s",
    "simulate": {"cohort": {"contigs": {"chr1": 200_000, "chr2": 90_000}}},
    "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
    "corpora": CORPORA,
    "tasks": {"t": {"kind": "context_extension", "contexts": [2048, 4096], "recall": {"distances": [512]}}},
    "models": {"m": {"pretrain": {"family": "small", "length": 128, "steps": 3}}},
    "adaptations": {"a": {"kind": "zero-shot"}},
    "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
}


def problems(**changes):
    try:
        check_study(changed(STUDY, changes))
    except ConfigurationError as error:
        return [line.removeprefix("configuration: ") for line in error.problems]
    return []


def pretrained(family, **keys):
    return {"m": {"pretrain": {"family": family, "length": 128, "steps": 3, **keys}}}


@pytest.mark.parametrize(("family", "extends"), [("small", True), ("caduceus", False), ("dilated_cnn", False)])
def test_a_context_is_extended_of_rotary_positions_alone(family, extends):
    models = {**pretrained(family), "longer": {"extend": {"model": "m", "method": "pi", "factor": 2}}}
    found = problems(models=models)
    assert (found == []) == extends
    assert extends or f"models.longer.extend.model: the context of 'm' cannot be extended: {family}" in found[0]


@pytest.mark.parametrize(
    ("family", "keys", "where"),
    [
        ("hyenadna", {"objective": "masked"}, "objective"),
        ("caduceus", {"objective": "next"}, "objective"),
        ("small", {"objective": "next", "config": {"causal": False}}, "objective"),
        ("small", {"objective": "next", "config": {"causal": True}}, None),
        ("nucleotide_transformer", {"objective": "masked_diffusion", "config": KMERS}, "objective"),
        ("small", {"objective": "masked_diffusion", "config": {"causal": False}}, None),
        ("caduceus", {"byte_pairs": {}, "corpus": "c"}, "byte_pairs"),
        ("olmo", {"byte_pairs": {}, "corpus": "c"}, None),
        ("hyenadna", {"pack": True, "short": 20, "corpus": "c"}, "pack"),
        ("rwkv7", {"pack": True, "short": 20, "corpus": "c"}, None),
        ("wavelet", {"carry_state_bp": 1024, "corpus": "c"}, "carry_state_bp"),
        ("mamba", {"carry_state_bp": 1024, "corpus": "c"}, None),
        ("olmo", {"tags": "species", "corpus": "c"}, "tags"),
        ("olmo", {"ends": True, "short": 20, "corpus": "c"}, "ends"),
        ("olmo", {"ends": True, "short": 20, "corpus": "c", "kmers": 3}, None),
        ("small", {"ends": True, "short": 20, "corpus": "c", "config": {"causal": False}}, "ends"),
        ("rwkv7", {"ends": True, "short": 20, "corpus": "c"}, None),
        ("rwkv7", {"tags": "species", "corpus": "c"}, None),
        ("small", {"config": {"hiden_size": 32}}, "config.hiden_size"),
        ("small", {"config": {"hidden_size": 32}}, None),
    ],
)
def test_a_model_learns_what_its_family_can(family, keys, where):
    found = problems(models=pretrained(family, **keys))
    assert [line.split(": ")[0] for line in found] == ([f"models.m.pretrain.{where}"] if where else [])


@pytest.mark.parametrize(
    ("adaptation", "why"),
    [
        ({"kind": "lora", "experts": True}, "small has no experts"),
        ({"kind": "lora"}, None),
    ],
)
def test_experts_are_adapted_where_there_are_some(adaptation, why):
    found = problems(tasks={"t": {"kind": "rnaseq_tracks"}}, adaptations={"a": adaptation})
    assert (why in found[0]) if why else found == []


@pytest.mark.parametrize("family", ["small", "caduceus"])
def test_activations_of_attention_are_scaled_where_there_is_some(family):
    changes = {"models": pretrained(family), "tasks": {"t": {"kind": "rnaseq_tracks"}}}
    found = problems(**changes, adaptations={"a": {"kind": "ia3"}})
    refused = "caduceus has no attention whose keys and values IA3 could scale"
    assert found == [] if family == "small" else (refused in found[0] and "take kind lora" in found[0])
    (line,) = problems(**changes | {"models": pretrained("small")}, adaptations={"a": {"kind": "ia3", "rank": 4}})
    assert "adaptations.a.rank" in line and "only kind lora has low-rank adapters, not kind ia3" in line


def test_sequences_of_kmers_are_not_padded_on_the_left():
    tasks = {"t": {"kind": "sequences", "table": "t.tsv", "length": 200}}
    padded = {"a": {"kind": "full", "train": {"padding": "left"}}}
    (line,) = problems(
        tasks=tasks, adaptations=padded, models={"m": {"new": {"family": "nucleotide_transformer", "config": KMERS}}}
    )
    assert "padded on the left" in line
    assert not problems(tasks=tasks, adaptations=padded)


@pytest.mark.parametrize(
    ("model", "way", "key"),
    [
        (pretrained("rwkv7", corpus="c"), {"steps": 5}, "steps"),
        (pretrained("rwkv7", corpus="c"), {"top_k": 4}, None),
        (pretrained("rwkv7", corpus="c"), {"text": "<species>M</species>"}, "text"),
        (pretrained("rwkv7", pairs="p.jsonl"), {"text": "<species>M</species>"}, None),
        (pretrained("small", objective="masked_diffusion", config={"causal": False}), {"top_k": 4}, "top_k"),
        (pretrained("small", objective="masked_diffusion", config={"causal": False}), {"steps": 5}, None),
    ],
)
def test_a_model_is_drawn_from_as_it_learned(model, way, key):
    task = {"kind": "generation", "corpus": "c", "gate": GATE, "ways": {"w": way}}
    found = problems(tasks={"t": task}, models=model)
    assert [line.split(": ")[0] for line in found] == ([f"tasks.t.ways.w.{key}"] if key else [])


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ({"judge": "other", "embed": "m"}, None),
        ({"judge": "m"}, "tasks.t.judge: 'm' draws in this task and would judge itself"),
        ({"judge": "smaller"}, "tasks.t.judge: 'smaller' is of the family of 'm', whose faults it may share"),
        ({"judge": "nobody"}, "tasks.t.judge: no model 'nobody'"),
        ({"embed": "chain"}, "tasks.t.embed: 'chain' is no pretrained or published model"),
    ],
)
def test_a_judge_is_a_model_that_draws_nothing(judge, said):
    task = {"kind": "generation", "corpus": "c", "gate": GATE, **judge}
    models = {**pretrained("rwkv7", corpus="c"), "other": pretrained("wavelet", corpus="c")["m"]}
    models["smaller"] = pretrained("rwkv7", corpus="c")["m"]
    models["chain"] = {"baseline": {"kind": "markov_chain"}}
    found = problems(tasks={"t": task}, models=models)
    assert found == [] if said is None else found[0].startswith(said)


def test_the_judge_is_made_and_planned_though_no_run_names_it():
    models = {**pretrained("rwkv7", corpus="c"), "other": pretrained("wavelet", corpus="c")["m"]}
    task = {"kind": "generation", "corpus": "c", "gate": GATE, "judge": "other"}
    study = check_study(changed(STUDY, {"tasks": {"t": task}, "models": models}))
    assert {"models/m/seed1", "models/other/seed1"} <= {job.name for job in plan(study, {}, None)}
    assert not [name for name in unused(study) if name.startswith("models.")]


HAS = {
    "truth": (
        {"kind": "region_expression", "simulated": {}},
        {"kind": "region_expression", "counts": "c.tsv", "expression": "e.tsv", "motifs": "m.meme"},
        "expression_truth",
    ),
    "accessibility": (
        {"kind": "seq2cellxtf", "simulated": {}},
        {"kind": "seq2cellxtf", "samples": "s.tsv", "motifs": "m.meme"},
        "cell_accessibility",
    ),
    "neighbours": ({"kind": "hotspots"}, {"kind": "populations"}, "neighbour_count"),
    "haplotypes": ({"kind": "populations"}, {"kind": "hotspots"}, "allele_logistic"),
    "corpus": (
        {"kind": "gene_completion", "panel": "p.csv", "corpus": "c"},
        {"kind": "gene_completion", "panel": "p.csv"},
        "nearest_protein",
    ),
}


@pytest.mark.parametrize("need", sorted(HAS))
def test_a_baseline_runs_on_tasks_that_have_what_it_reads(need):
    able, unable, baseline = HAS[need]
    rest = {"models": {"m": {"baseline": {"kind": baseline}}}, "adaptations": {"a": {"kind": "baseline"}}}
    assert problems(tasks={"t": able}, **rest) == []
    (line,) = problems(tasks={"t": unable}, **rest)
    assert line.startswith("runs: none of the combinations fits: m x a: ")


def test_accessibility_that_is_predicted_needs_no_measurement():
    task = {"kind": "seq2cellxtf", "samples": "s.tsv", "motifs": "m.meme"}
    model = {"m": {"baseline": {"kind": "cell_accessibility", "proxy": True}}}
    assert problems(tasks={"t": task}, models=model, adaptations={"a": {"kind": "baseline"}}) == []


def test_every_need_of_a_baseline_is_one_that_some_task_has():
    needs = {name for block in BASELINES if isinstance(block.needs, dict) for name in block.needs}
    assert needs <= {*HAS, "genes"}, "a need that no task has refuses its baseline everywhere"


@pytest.mark.parametrize(
    ("family", "config", "keys", "found"),
    [
        ("small", {"num_layers": 3}, {"layer": 3}, True),
        ("small", {"num_layers": 3}, {"layer": -3}, True),
        ("small", {"num_layers": 3}, {"layer": 4}, False),
        ("small", {"num_layers": 3}, {"sweep": {"layer": [1, 4]}}, False),
        ("caduceus", {"n_layer": 2}, {"layer": 3}, False),
        ("dilated_cnn", {}, {"layer": 8}, True),
        ("dilated_cnn", {}, {"layer": 9}, False),
        ("promoter_cnn", {}, {"layer": 1}, False),
        ("promoter_cnn", {}, {}, True),
    ],
)
def test_a_probe_reads_layers_that_there_are(family, config, keys, found):
    adaptation = {"kind": "probe", **keys}
    made = pretrained(family, config=config)
    lines = problems(tasks={"t": {"kind": "rnaseq_tracks"}}, adaptations={"a": adaptation}, models=made)
    assert (lines == []) == found
    assert found or lines[0].startswith("adaptations.a.layer: model 'm' has ")
