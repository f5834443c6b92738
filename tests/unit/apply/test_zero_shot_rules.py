"""Models asked as they are from a study: keys are the commands' own arguments, and a job that was killed goes on."""

import argparse
from pathlib import Path

import pandas as pd
import pytest
from glmflow.apply.dependencies import dependencies_run
from glmflow.apply.zero_shot_commands import COMMANDS, ask, parsed, words_of
from glmflow.cli import main
from glmflow.config.score_names import OBJECTIVES
from glmflow.config.zero_shot_blocks import DependencyMaps, Mutagenesis, VariantScores
from glmflow.effects.score_catalogue import SCORES
from toy_models import small

ANY = {
    "batch": 7,
    "dtype": "bfloat16",
    "scores": ["ll_flank", "l2_site"],
    "window": 33,
    "edges": "pad",
    "frames": "all",
}
ANY |= {"layer": -1, "fasta": "g.fa"}
KEYS = {
    VariantScores: {
        **ANY,
        **{"vcf": "v.vcf", "table": "t.tsv", "bed": "b.bed", "strands": True, "share": 3, "mnv": "each_own"},
        **{"calibrate": "n.bed", "length_matched": 50, "seed": 4, "symbolic": True, "strict": True, "mismatches": 0.5},
    },
    Mutagenesis: {**ANY, "bed": "b.bed", "around": 9, "genes": "g.gtf", "pictures": 0, "bedgraph": True},
    DependencyMaps: {
        **{"batch": 7, "dtype": "float16", "fasta": "s.fa", "table": "t.tsv", "eps": 0.01, "measure": "logp"},
        **{"symmetric": "max", "strands": "both", "frames": "all", "context": 5, "keep": 0, "pictures": 0},
        **{"block_mean": 4, "marks": "m.bed", "zoom": "3-9"},
    },
}
"""A value that is not the default for every key that stands for an argument."""
LEAST = {VariantScores: {"vcf": "x.vcf"}, Mutagenesis: {"bed": "x.bed"}, DependencyMaps: {"fasta": "x.fa"}}
ALTERNATIVES = {"table": ("vcf", "fasta"), "bed": ("vcf",), "around": ("bed",)}
OF_THE_JOB = {"model", "output", "run", "family", "plan", "list_scores"}
"""Arguments that a job gives itself, and those that compute nothing."""
ARGUMENT = {"scores": "score", "mismatches": "most_mismatches"}


def arguments(block, **keys):
    """Return the command's arguments for a block with some keys, as the rule's job has them."""
    made = block.model_validate(keys)
    genome = {"fasta": "genome.fa"} if block.own_genome else {}
    words = words_of({**genome, **made.named_files, **made.options})
    return vars(parsed(block.command, ["--model", "m=folder", "--output", "out.parquet", *words]))


@pytest.mark.parametrize("block", KEYS)
def test_what_is_not_given_is_as_in_the_command(block):
    genome = ["--fasta", "genome.fa"] if block.own_genome else []
    (given,) = (f"--{key} {path}".split() for key, path in LEAST[block].items())
    bare = parsed(block.command, ["--model", "m=folder", "--output", "out.parquet", *genome, *given])
    assert arguments(block, **LEAST[block]) == vars(bare)


@pytest.mark.parametrize("block", KEYS)
def test_every_key_is_an_argument_and_every_argument_a_key(block):
    keys = KEYS[block]
    assert set(keys) == set(block.model_fields) - {"models", "write"}
    parser = argparse.ArgumentParser()
    COMMANDS[block.command](parser.add_subparsers())
    known = set(
        vars(
            parsed(
                block.command,
                [
                    "--model",
                    "m",
                    "--output",
                    "o",
                    *words_of(LEAST[block] | ({"fasta": "g"} if block.own_genome else {})),
                ],
            )
        )
    )
    assert known - OF_THE_JOB == {ARGUMENT.get(key, key) for key in keys}


@pytest.mark.parametrize(("block", "key"), [(block, key) for block, keys in KEYS.items() for key in keys])
def test_a_key_reaches_its_argument_alone(block, key):
    least = {name: path for name, path in LEAST[block].items() if name not in ALTERNATIVES.get(key, ())}
    least |= {"genes": "x.gtf"} if key == "around" else {}
    before = arguments(block, **LEAST[block], **({"genes": "x.gtf"} if key == "around" else {}))
    after = arguments(block, **{**least, key: KEYS[block][key]})
    changed = {name for name in after if after[name] != before[name]}
    assert changed - set(ALTERNATIVES.get(key, ())) == {ARGUMENT.get(key, key)}
    value, found = KEYS[block][key], after[ARGUMENT.get(key, key)]
    assert found == (",".join(value) if isinstance(value, list) else type(found)(value))


def test_the_settings_know_the_scores_and_whose_they_are():
    assert list(OBJECTIVES) == list(SCORES)
    for name, score in SCORES.items():
        assert score.objective == ((OBJECTIVES[name],) if OBJECTIVES[name] else ("masked", "causal"))


@pytest.fixture
def given(tmp_path):
    small(context=64).save(tmp_path / "model")
    (tmp_path / "s.fa").write_text(">one\nACGTTGCAAC\n>two\nTTGCAAGCCA\n")
    return tmp_path


def test_a_folder_is_there_once_it_is_whole_and_a_killed_job_goes_on(given, monkeypatch):
    compute, made = dependencies_run.dependency_map, []

    def killed(model, codes, settings):
        made.append(codes.tobytes().decode())
        if len(made) == 2:
            raise KeyboardInterrupt
        return compute(model, codes, settings)

    monkeypatch.setattr(dependencies_run, "dependency_map", killed)
    output, options = given / "maps" / "seed1", {"fasta": str(given / "s.fa"), "pictures": 0}
    with pytest.raises(KeyboardInterrupt):
        ask("dependencies", "tiny", given / "model", output, options)
    assert not output.exists()
    ask("dependencies", "tiny", given / "model", output, options)
    assert made == ["ACGTTGCAAC", "TTGCAAGCCA", "TTGCAAGCCA"]
    assert [path.name for path in output.parent.iterdir()] == ["seed1"]
    by_hand = [
        "--model",
        f"tiny={given / 'model'}",
        "--fasta",
        given / "s.fa",
        "--pictures",
        0,
        "--output",
        given / "own",
    ]
    monkeypatch.setattr(dependencies_run, "dependency_map", compute)
    assert main(["dependencies", *map(str, by_hand)]) == 0
    names = sorted(path.relative_to(given / "own") for path in (given / "own").rglob("*"))
    assert names == sorted(path.relative_to(output) for path in output.rglob("*"))
    for table in ("maps.parquet", "pairs.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(output / table), pd.read_parquet(given / "own" / table))


@pytest.mark.parametrize("change", ["options", "file"])
def test_what_a_killed_job_left_of_another_question_is_not_kept(given, monkeypatch, change):
    compute = dependencies_run.dependency_map

    def killed(model, codes, settings):
        if codes.tobytes() == b"TTGCAAGCCA":
            raise KeyboardInterrupt
        return compute(model, codes, settings)

    monkeypatch.setattr(dependencies_run, "dependency_map", killed)
    output, options = given / "seed1", {"fasta": str(given / "s.fa"), "pictures": 0}
    with pytest.raises(KeyboardInterrupt):
        ask("dependencies", "tiny", given / "model", output, options)
    assert (given / "seed1.unfinished/maps/one.npz").exists()
    monkeypatch.setattr(dependencies_run, "dependency_map", compute)
    if change == "file":
        Path(options["fasta"]).write_text(">other\nACGTTGCAACG\n")
    else:
        options["keep"] = 0
    ask("dependencies", "tiny", given / "model", output, options)
    assert [path.name for path in output.rglob("*.npz")] == (["other.npz"] if change == "file" else [])
