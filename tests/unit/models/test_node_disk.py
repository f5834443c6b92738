"""Checkpoints are read from the node's own disk where it offers itself."""

import logging
import multiprocessing
import shutil

import pytest
import torch
from glmflow.models import load_model, new_model, node_disk
from glmflow.models.node_disk import on_node_disk


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint of some size, and a `$TMPDIR` on another disk."""
    folder = tmp_path / "shared" / "tiny"
    new_model("small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1}).save(folder)
    (tmp_path / "ssd").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "ssd"))
    monkeypatch.setattr(node_disk, "SMALLEST", 1)
    monkeypatch.setattr(node_disk, "on_other_disk", lambda one, other: True)
    return folder


def test_a_model_is_loaded_from_the_copy_and_is_the_same(checkpoint, tmp_path, monkeypatch, caplog):
    with caplog.at_level(logging.INFO):
        near = load_model(checkpoint)
    assert f"{checkpoint} (0.0 GB) copied to {tmp_path / 'ssd'}" in caplog.text
    (copy,) = (tmp_path / "ssd").glob("glmflow-models-*/*/tiny")
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in checkpoint.iterdir()
    }
    monkeypatch.delenv("TMPDIR")
    far = load_model(checkpoint)
    ids = torch.arange(4, 8)[None]
    assert torch.equal(near(ids).logits, far(ids).logits) and near.origin == far.origin


def ask(folder, made):
    node_disk.SMALLEST, node_disk.on_other_disk = 1, lambda one, other: True
    copytree = shutil.copytree

    def counted(*arguments, **settings):
        with made.get_lock():
            made.value += 1
        return copytree(*arguments, **settings)

    shutil.copytree = counted
    assert on_node_disk(folder) != folder


def test_processes_of_a_node_share_one_copy(checkpoint):
    context = multiprocessing.get_context("fork")
    made = context.Value("i", 0)
    processes = [context.Process(target=ask, args=(checkpoint, made)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4 and made.value == 1


def test_a_copy_that_is_not_whole_is_made_anew_and_a_changed_checkpoint_is_copied_again(checkpoint):
    copy = on_node_disk(checkpoint)
    (copy / "config.json").write_text("")
    assert on_node_disk(checkpoint) == copy
    assert (copy / "config.json").read_text() == (checkpoint / "config.json").read_text()
    (checkpoint / "config.json").write_text("{ }")
    changed = on_node_disk(checkpoint)
    assert changed != copy and (changed / "config.json").read_text() == "{ }"


def test_a_full_disk_leaves_nothing_and_the_checkpoint_is_read_where_it_is(checkpoint, tmp_path, monkeypatch, caplog):
    def full(folder, writing):
        writing.mkdir(parents=True)
        (writing / "half").write_text("h")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    assert on_node_disk(checkpoint) == checkpoint
    assert "No space left" in caplog.text and not list((tmp_path / "ssd").rglob("half"))


@pytest.mark.parametrize("why", ["small", "same disk", "no room", "no TMPDIR", "TMPDIR is elsewhere"])
def test_it_is_not_copied_without_a_reason(checkpoint, monkeypatch, why):
    if why == "small":
        monkeypatch.setattr(node_disk, "SMALLEST", 2**30)
    elif why == "same disk":
        monkeypatch.undo()
        monkeypatch.setenv("TMPDIR", str(checkpoint.parents[1] / "ssd"))
        monkeypatch.setattr(node_disk, "SMALLEST", 1)
    elif why == "no room":
        monkeypatch.setattr(node_disk, "ROOM", 1e18)
    elif why == "no TMPDIR":
        monkeypatch.delenv("TMPDIR")
    else:
        monkeypatch.setenv("TMPDIR", str(checkpoint / "absent"))
    assert on_node_disk(checkpoint) == checkpoint
