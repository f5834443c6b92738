"""Every family with states of single bases reads alleles for a text model: published layouts, from folders without a network."""

import json
import socket

import answer_sharded_run
import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config import read_study, run_settings
from glmflow.models import load_model, new_model
from glmflow.models.text.text_loading import new_text_model, new_tokenizer
from glmflow.tasks.diagnosis import examples
from glmflow.training.finetune import finetune
from glmflow.training.loop.distributed import call
from glmflow.training.predict import predict
from glmflow.training.tuned import RunBlocks, new_tuned
from tokenizers import Tokenizer, models, trainers

torch.set_num_threads(1)
CAUSAL = {"evo2", "generator", "genos", "hyenadna", "olmo-bpe", "omni-dna"}
SIX_BASES = {"generator", "nt-v1", "nt-v2"}
BYTE_PAIRS = {"dnabert2", "gena-bert", "gena-bigbird", "genos", "grover", "modernbert", "olmo-bpe", "omni-dna"}
FAMILIES = sorted({
    *("aido-dna", "caduceus-ph", "caduceus-ps", "dnabert2", "gena-bert", "gena-bigbird", "grover", "modernbert", "nt-v1", "nt-v2"),
    *CAUSAL,
})  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Return the folder of a tiny Qwen3."""
    tokenizer = new_tokenizer(["Which disease does the variant near ADORA cause? Answer: amber fever"] * 3, 330)
    folder = tmp_path_factory.mktemp("qwen3")
    new_text_model(tokenizer.size, 16, 1, 2, 0).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.written())
    return folder


def checkpoint_of(family, parity, folder):
    """Return the folder of a family's tiny checkpoint; with byte pairs of DNA made here where it has no tokenizer of its size."""
    if family not in BYTE_PAIRS:
        return parity / family
    made = Tokenizer(models.BPE(unk_token="[UNK]"))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.BpeTrainer(
        vocab_size=60, special_tokens=special, initial_alphabet=list("ACGTN"), show_progress=False
    )
    made.train_from_iterator(["".join(np.random.default_rng(0).choice(list("ACGT"), 2000))], trainer)
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(parity / family / name)
    made.save(str(folder / "tokenizer.json"))
    return folder


def settings_of(tmp_path, checkpoint, kind="probe", **head):
    raw = {
        "study": "s",
        "tasks": {"t": {
            "kind": "diagnosis", "simulated": {"train": 6, "test": 3}, "flank": 20, "draws": 1, "bootstrap": 20,
            "splits": {"by": "official"},
        }},
        "models": {"m": {"checkpoint": str(checkpoint)}},
        "adaptations": {"a": {
            "kind": kind, "head": {"kind": "text_answers", "stride": 8, **head},
            "train": {"optimizer": "adamw", "learning_rate": 0.01, "steps": 1, "batch": 2, "micro_batch": 2, "evaluations": 1},
        }},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }  # fmt: skip
    (tmp_path / "study.json").write_text(json.dumps(raw))
    study = read_study(tmp_path / "study.json")
    return study.tasks["t"], run_settings(study, study.runs_of("t")[0])


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_answers_beside_a_text_model_without_a_network(tmp_path, monkeypatch, test_data, text, family):
    checkpoint = checkpoint_of(family, test_data / "parity", tmp_path / "checkpoint")
    task, settings = settings_of(tmp_path, checkpoint, text=str(text), rank=2, alpha=4)
    made = examples(task, {}, None)
    (tables := tmp_path / "tables").mkdir()
    for name, table in made.facts.items():
        table.to_csv(tables / name, sep="\t", index=False)

    def refused(*given):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    files, run = {"tables": str(tables)}, tmp_path / "run"
    finetune(settings, made.table, files, checkpoint, run)
    predict(settings, made.table, files, run / "model", run)
    found = pd.read_parquet(run / "predictions.parquet")
    assert found.filter(like="prediction_").sum(axis=1).to_numpy() == pytest.approx(1)
    said = " ".join(json.loads((run / "cost.json").read_text())["warnings"])
    assert ("both strands of the alleles are read" in said) == (family in CAUSAL)
    assert ("tokens of 6 bases" in said) == (family in SIX_BASES)
    assert ("means are of 12 bases in place of 8" in said) == (family in SIX_BASES)
    classes = set(pd.read_csv(tables / "classes.tsv", sep="\t")["class"])
    assert set(pd.read_parquet(run / "predicted/held_to_list.parquet")["answer"]) <= classes


@pytest.mark.slow
@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
def test_weights_in_pieces_on_two_processes_answer_as_whole_ones(tmp_path, text, half):
    new_model("promoter_cnn", {"filters": 4, "channels": 8, "bin": 1}, seed=1).save(checkpoint := tmp_path / "cnn")
    task, settings = settings_of(tmp_path, checkpoint, "full", text=str(text), rank=2, alpha=4, dropout=0.0)
    made, found = examples(task, {}, None), []
    (tables := tmp_path / "tables").mkdir()
    for name, table in made.facts.items():
        table.to_csv(tables / name, sep="\t", index=False)
    for processes in (1, 2):
        (folder := tmp_path / str(processes)).mkdir()
        given = {"folder": folder, "settings": settings, "examples": made.table, "tables": str(tables), "half": half}
        given |= {"checkpoint": str(checkpoint), "processes": processes}
        call(answer_sharded_run.run, given, processes, 1, folder)
        found.append(json.loads((folder / "found.json").read_text()))
    assert found[0] == pytest.approx(found[1], rel=2e-3 if half else 1e-4)


def differences(model, ref, alt, start, end):
    """Return the size of the difference of each cell of a pair of alleles, for each strand that is read."""
    batch = model.target.features_of(model, placed_of(ref, alt, start, end))
    parts = model.target.head.bridge.parts_of(batch)
    strands = 2 if model.target.head.both_strands else 1
    return parts["diff"][0].unflatten(-1, (strands, -1)).abs().amax(-1)


def placed_of(ref, alt, start, end):
    from glmflow.training.inputs.allele_views import Alleles
    from glmflow.training.inputs.question_items import placed_pair

    return placed_pair(Alleles(ref, alt, start, start, end))


@pytest.mark.parametrize("both", [False, True])
def test_a_difference_of_frames_is_no_difference_of_alleles(tmp_path, test_data, both):
    _, settings = settings_of(tmp_path, test_data / "parity/nt-v2", both_strands=both, hidden=16, layers=1, heads=2)
    adapter = load_model(test_data / "parity/nt-v2")
    tokenizer = new_tokenizer(["Which? Answer: a"], 330).written()
    model = new_tuned(RunBlocks.of(settings), adapter, {"classes": ["a", "b"], "flank": 24, "tokenizer": tokenizer})
    model.eval()
    left, right = "ACGTTGCAACGGTCATGCATTCAG", "GGATCCATTGACCATGACCTGATC"
    shifted = differences(model, left + right, left + "T" + right, 24, 25)
    middle = len(shifted) // 2
    assert (shifted[middle + 1 :, 0] == 0).all() and (shifted[:middle, 0] > 0).any()
    if both:
        assert (shifted[:middle, 1] == 0).all() and (shifted[middle + 1 :, 1] > 0).any()
    whole = differences(model, left + right, left + "TTGACA" + right, 24, 30)
    assert (whole[middle + 1 :] > 0).all(), "six bases are a token: both alleles stay in one frame"


@pytest.mark.parametrize("family", ["evo2", "hyenadna", "nt-v2"])
def test_a_shorter_allele_beside_a_longer_one_is_read_whole(tmp_path, test_data, family):
    """Published wrappers pad on the left and count from there: of the shorter one pads were read, and its last bases not."""
    checkpoint = test_data / "parity" / family
    _, settings = settings_of(tmp_path, checkpoint, hidden=16, layers=1, heads=2)
    tokenizer = new_tokenizer(["Which? Answer: a"], 330).written()
    fitted = {"classes": ["a", "b"], "flank": 24, "tokenizer": tokenizer}
    model = new_tuned(RunBlocks.of(settings), load_model(checkpoint), fitted).eval()
    left, right = "ACGTTGCAACGGTCATGCATTCAG", "GGATCCATTGACCATGACCTGATC"
    short = placed_of(left + right, left + "T" + right, 24, 25)
    long = placed_of(left + right, left + "ACGGTCATTGAC" * 3 + right, 24, 60)
    with torch.no_grad():
        alone, beside = (model.target.features_of(model, given) for given in (short, [*long, *short]))
    torch.testing.assert_close(beside[2:], alone, atol=1e-4, rtol=1e-4)
    assert alone[:, :, -1].sum(1).tolist() == [48, 49], "every base is in one mean"
