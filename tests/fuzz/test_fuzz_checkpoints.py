"""Files of a checkpoint changed at random: weights in their three formats, configuration, record, index and tokenizer."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from fuzzing import BYTES, MUTATIONS, TEXT, fuzz
from glmflow.apply.coverage_apply import load_track_model
from glmflow.models import load_model, new_model
from safetensors.torch import load_file
from tuned_tracks import save_tuned_tracks

pytestmark = pytest.mark.slow

torch.set_num_threads(1)
SMALL = {"hidden_size": 8, "num_heads": 2, "num_layers": 1}
SIZE = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 16}
TOKENS = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
FAMILIES = {"small": SMALL, "modernbert": {**SIZE, **TOKENS, "max_position_embeddings": 64}}
IDS = torch.arange(2, 7)[None]


@pytest.fixture(params=FAMILIES)
def checkpoint(request, tmp_path):
    """The folder of a model: one of our own modules, one of a class of transformers."""
    new_model(request.param, FAMILIES[request.param], seed=1).save(tmp_path / "model")
    return tmp_path / "model"


def reader(checkpoint: Path):
    """Return what loads a checkpoint with one of its files in place of its own, and computes logits."""

    def logits(path: Path):
        folder = path.parent / "model"
        shutil.copytree(checkpoint, folder)
        if path.name.startswith("pytorch_model"):
            (folder / "model.safetensors").unlink()
        shutil.copy(path, folder / path.name)
        with torch.no_grad():
            found = load_model(folder).eval()(IDS)
        return [part if part is None else part.numpy() for part in (found.logits, found.last_hidden_state)]

    return logits


def unhashed(checkpoint):
    """Leave the weights' SHA-256 out of the record, as of a published checkpoint, so that they are read."""
    record = checkpoint / "model.yaml"
    record.write_text("".join(line for line in record.read_text().splitlines(True) if "model.safetensors" not in line))


def test_safetensors(checkpoint, tmp_path, say):
    content = (checkpoint / "model.safetensors").read_bytes()
    name = f"safetensors of {load_model(checkpoint).card.family}"
    fuzz(
        f"{name}, saved here",
        tmp_path / "a",
        "model.safetensors",
        content,
        reader(checkpoint),
        BYTES,
        say,
        exact=True,
        times=MUTATIONS // 2,
    )
    unhashed(checkpoint)
    # Where the names and shapes of tensors stand.
    head = content[: 8 + int.from_bytes(content[:8], "little")]
    fuzz(name, tmp_path / "b", "model.safetensors", content, reader(checkpoint), BYTES, say, times=MUTATIONS // 4)
    fuzz(
        f"{name}, its head",
        *(tmp_path / "c", "model.safetensors", head, reader(checkpoint), BYTES, say),
        pack=lambda changed, path: path.write_bytes(changed + content[len(head) :]) and None,
        times=MUTATIONS // 4,
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_pytorch(checkpoint, zipped, tmp_path, say):
    unhashed(checkpoint)
    state = {name: tensor.clone() for name, tensor in load_file(checkpoint / "model.safetensors").items()}
    torch.save(state, tmp_path / "w.bin", _use_new_zipfile_serialization=zipped)
    family = load_model(checkpoint).card.family
    name = f"pytorch_model.bin of {family}, {'zipped' if zipped else 'legacy'}"
    fuzz(
        name,
        tmp_path / "a",
        "pytorch_model.bin",
        (tmp_path / "w.bin").read_bytes(),
        reader(checkpoint),
        BYTES,
        say,
        times=MUTATIONS // 2,
    )


@pytest.mark.parametrize("file", ["config.json", "model.yaml"])
def test_configuration_and_record(checkpoint, file, tmp_path, say):
    content = (checkpoint / file).read_bytes().replace(b": ", b": ")
    name = f"{file} of {load_model(checkpoint).card.family}"
    fuzz(name, tmp_path / "a", file, content, reader(checkpoint), BYTES + TEXT, say, times=MUTATIONS // 2)


def test_an_index_of_shards(tmp_path, say):
    folder = tmp_path / "model"
    new_model("small", SMALL, seed=1).save(folder)
    unhashed(folder)
    (folder / "model.safetensors").rename(folder / "shard.safetensors")
    names = load_file(folder / "shard.safetensors")
    content = json.dumps({"weight_map": dict.fromkeys(names, "shard.safetensors")}, indent=1).encode()
    fuzz(
        "index of shards",
        tmp_path / "a",
        "model.safetensors.index.json",
        content,
        reader(folder),
        BYTES + TEXT,
        say,
        times=MUTATIONS // 2,
    )


@pytest.mark.parametrize("file", ["task.json", "head.safetensors"])
def test_files_of_a_tuned_model(file, tmp_path, say):
    tuned_run = save_tuned_tracks(tmp_path / "run", hidden_size=8)

    def tracks(path: Path):
        folder = path.parent / "model"
        shutil.copytree(tuned_run, folder)
        shutil.copy(path, folder / path.name)
        tuned = load_track_model(folder)
        return tuned.tracks, tuned.means.tobytes(), tuned.size, tuned.overlap, tuned.trim, tuned.swap

    fuzz(
        f"{file} of a tuned model",
        tmp_path / "a",
        file,
        (tuned_run / file).read_bytes(),
        tracks,
        BYTES + TEXT,
        say,
        times=MUTATIONS // 2,
    )


def test_a_tokenizer(tmp_path, say):
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path / "model"
    new_model("modernbert", FAMILIES["modernbert"], seed=1).save(folder)
    library = Tokenizer(models.WordLevel({"[UNK]": 0, **{base: n for n, base in enumerate("ACGTN", 2)}}, "[UNK]"))
    library.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    content = json.dumps(json.loads(library.to_str()), indent=1).encode()

    def ids(path: Path):
        copy = path.parent / "model"
        shutil.copytree(folder, copy)
        shutil.copy(path, copy / path.name)
        return load_model(copy).tokenizer.encode("ACGTNACG")

    fuzz("tokenizer.json", tmp_path / "a", "tokenizer.json", content, ids, BYTES + TEXT, say, times=MUTATIONS // 2)
