import sys

import pytest
from glmflow.errors import InputError
from glmflow.training.loop.cleaning import clean
from glmflow.training.loop.monitoring import MONITOR, monitoring_arguments


def run_folder(results, name, finished):
    folder = results / "runs/task" / name
    for step in (2, 4):
        checkpoint = folder / f"checkpoints/abc/checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "optimizer.pt").write_bytes(bytes(500_000))
    (folder / "checkpoints/abc/metrics.jsonl").write_text("{}\n")
    if finished:
        (folder / "cost.json").write_text("{}")
    return folder


def test_checkpoints_of_finished_runs_are_named_and_removed(tmp_path):
    done, going = run_folder(tmp_path, "done", True), run_folder(tmp_path, "going", False)
    first, last = clean(tmp_path)
    assert first == f"{done}: 2 checkpoints, 0.001 GB" and last.startswith("0.001 GB freed")
    assert not list(done.glob("checkpoints/*/checkpoint-*")) and (done / "checkpoints/abc/metrics.jsonl").exists()
    assert len(list(going.glob("checkpoints/*/checkpoint-*"))) == 2
    assert list(clean(tmp_path)) == ["0.000 GB freed; runs that have not ended well keep their checkpoints"]


def test_states_of_frozen_encoders_are_named_and_kept(tmp_path):
    """Two encoders with a part each, 4 MB in all: runs that are still to come read them."""
    for encoder, size in (("abc", 1_500_000), ("def", 2_500_000)):
        (tmp_path / "states" / encoder).mkdir(parents=True)
        (tmp_path / "states" / encoder / "node.1.2.states.npy").write_bytes(bytes(size))
    run_folder(tmp_path, "done", True)
    *_, freed, kept = clean(tmp_path)
    assert freed.startswith("0.001 GB freed")
    assert kept.startswith(f"{tmp_path}/states: 0.004 GB kept") and "may be deleted" in kept
    assert len(list(tmp_path.glob("states/*/*.npy"))) == 2


def test_the_monitor_is_one_word(tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.setenv(name, "set")
    assert monitoring_arguments(tmp_path)["report_to"] == ["tensorboard"]
    monkeypatch.setenv(MONITOR, "none")
    assert monitoring_arguments(tmp_path) == {"report_to": []}
    monkeypatch.setenv(MONITOR, "trackio")
    monkeypatch.setitem(sys.modules, "trackio", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"trackio is not installed\. pip install trackio"):
        monitoring_arguments(tmp_path)
