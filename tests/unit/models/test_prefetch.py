"""Downloads from a hub that is played here: what is kept, what is refused, where progress is seen."""

import hashlib
import io
import json
from types import SimpleNamespace

import huggingface_hub
import pytest
from glmflow.config.load import read_checkpoints
from glmflow.errors import InputError
from glmflow.models.prefetch import PATTERNS, prefetch

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"again",
    "assets/vocab.txt": b"A C",
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def hub(monkeypatch):
    """A hub with one model; `delivered` are the files as they arrive."""
    hub = SimpleNamespace(delivered=dict(FILES), asked=[])

    class HfApi:
        def model_info(self, model_id, revision, files_metadata):
            content = FILES["model.safetensors"]
            large = SimpleNamespace(sha256=hashlib.sha256(content).hexdigest())
            siblings = [
                SimpleNamespace(rfilename=name, lfs=large if content == FILES[name] else None) for name in FILES
            ]
            return SimpleNamespace(sha=COMMIT, siblings=siblings)

    def snapshot_download(model_id, revision, local_dir, allow_patterns, tqdm_class=None):
        hub.asked.append((model_id, revision, allow_patterns))
        for name, content in {**hub.delivered, ".cache/huggingface/config.json.metadata": b"notes"}.items():
            (local_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (local_dir / name).write_bytes(content)
        if tqdm_class is not None:
            for _ in tqdm_class(range(4), desc="Downloading", disable=None):
                pass

    monkeypatch.setattr(huggingface_hub, "HfApi", HfApi)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return hub


def test_every_file_and_the_commit_are_kept(hub, tmp_path, caplog):
    with caplog.at_level("INFO"):
        prefetch("lab/model", "main", tmp_path / "model")
    record = json.loads((tmp_path / "model/checksums.json").read_text())
    assert (record["id"], record["revision"], record["commit"]) == ("lab/model", "main", COMMIT)
    kept = {"config.json", "model.safetensors", "assets/vocab.txt"}  # one copy of the weights is enough
    assert record["sha256"] == {name: hashlib.sha256(FILES[name]).hexdigest() for name in kept}
    on_disk = {path.relative_to(tmp_path / "model").as_posix() for path in (tmp_path / "model").rglob("*.*")}
    assert on_disk == {*kept, "checksums.json"}
    assert hub.asked == [("lab/model", COMMIT, PATTERNS)]
    assert f"revision: {COMMIT}, verified: true" in caplog.text
    assert not (tmp_path / "model.part").exists()


def test_progress_is_seen_on_the_terminal(hub, tmp_path, capsys):
    terminal = Terminal()
    prefetch("lab/model", "main", tmp_path / "model", terminal)
    assert "Downloading: 100%" in terminal.getvalue()
    assert capsys.readouterr().err == ""


def test_the_listed_commit_is_what_is_downloaded(hub, tmp_path, caplog):
    with caplog.at_level("INFO"):
        prefetch("lab/model", COMMIT, tmp_path / "model")
    assert "verified: true" not in caplog.text
    with pytest.raises(InputError, match=rf"gives commit {COMMIT} where {'f' * 40} is listed"):
        prefetch("lab/model", "f" * 40, tmp_path / "other")
    assert not (tmp_path / "other").exists() and len(hub.asked) == 1


def test_a_damaged_file_is_refused_and_asked_for_again(hub, tmp_path):
    hub.delivered["model.safetensors"] = b"weightx"
    with pytest.raises(InputError, match=r"model\.safetensors came damaged"):
        prefetch("lab/model", "main", tmp_path / "model")
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "model.part/model.safetensors").exists()
    hub.delivered = dict(FILES)
    prefetch("lab/model", "main", tmp_path / "model")
    assert (tmp_path / "model/model.safetensors").read_bytes() == b"weights"


def test_no_internet_is_one_line_with_a_mend(hub, monkeypatch, tmp_path):
    def unreachable(*arguments, **settings):
        raise ConnectionError("no route to host\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(InputError, match=r"lab/model \(revision main\) could not be downloaded: no route to host\. "):
        prefetch("lab/model", "main", tmp_path / "model")


def test_a_verified_checkpoint_is_listed_with_its_commit(tmp_path):
    listed = tmp_path / "models.yaml"
    listed.write_text(f"a: {{id: lab/a, revision: {COMMIT}, verified: true}}\nb: {{id: lab/b, revision: main}}\n")
    assert set(read_checkpoints(listed)) == {"a", "b"}
    listed.write_text("a: {id: lab/a, revision: main, verified: true}\n")
    with pytest.raises(InputError, match="a: verified, so `revision` has to be the commit"):
        read_checkpoints(listed)
