"""Downloads from a hub that is played here: what is kept, what is refused, where progress is seen."""

import hashlib
import io
import json
from types import SimpleNamespace

import huggingface_hub
import pytest
from glmflow.config import read_checkpoints
from glmflow.errors import InputError
from glmflow.fetching import hub_checkpoints
from glmflow.fetching.hub_checkpoints import prefetch
from web_server import serving

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
    """A hub on this machine with one model; `files` are as they are sent, `habits` those of its server."""
    large = hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    siblings = [
        SimpleNamespace(
            rfilename=name,
            size=len(FILES[name]),
            lfs=SimpleNamespace(sha256=large) if name == "model.safetensors" else None,
        )
        for name in FILES
    ]
    with serving({f"/lab/model/{COMMIT}/{name}": content for name, content in FILES.items()}) as server:
        hub = SimpleNamespace(server=server, commit=COMMIT, siblings=siblings)

        class HfApi:
            def model_info(self, model_id, revision, files_metadata):
                return SimpleNamespace(sha=hub.commit, siblings=hub.siblings)

        def address(model_id, name, revision):
            return f"{server.address}/{model_id}/{revision}/{name}"

        monkeypatch.setattr(huggingface_hub, "HfApi", HfApi)
        monkeypatch.setattr(huggingface_hub, "hf_hub_url", address)
        yield hub


def get(folder, revision="main", terminal=None):
    waited = []
    prefetch("lab/model", revision, folder, terminal, waited.append)
    return waited


def asked(hub):
    """The files that the hub was asked for, and where they were to begin."""
    return [(path.removeprefix(f"/lab/model/{COMMIT}/"), start) for path, start in hub.server.asked]


def test_every_file_and_the_commit_are_kept(hub, tmp_path, caplog):
    with caplog.at_level("INFO"):
        get(tmp_path / "model")
    record = json.loads((tmp_path / "model/checksums.json").read_text())
    assert (record["id"], record["revision"], record["commit"]) == ("lab/model", "main", COMMIT)
    kept = {"config.json", "model.safetensors", "assets/vocab.txt"}  # one copy of the weights is enough
    assert record["sha256"] == {name: hashlib.sha256(FILES[name]).hexdigest() for name in kept}
    on_disk = {path.relative_to(tmp_path / "model").as_posix() for path in (tmp_path / "model").rglob("*.*")}
    assert on_disk == {*kept, "checksums.json"}
    assert {name for name, _ in asked(hub)} == kept, "nothing is fetched that is thrown away"
    assert f"revision: {COMMIT}, verified: true" in caplog.text
    assert not (tmp_path / "model.part").exists()


def test_what_comes_is_said_on_the_terminal(hub, tmp_path, capsys):
    terminal = Terminal()
    get(tmp_path / "model", terminal=terminal)
    assert "[1/3] lab/model: config.json" in terminal.getvalue()
    assert capsys.readouterr().err == ""


def test_the_listed_commit_is_what_is_downloaded(hub, tmp_path, caplog):
    with caplog.at_level("INFO"):
        get(tmp_path / "model", COMMIT)
    assert "verified: true" not in caplog.text
    before = len(hub.server.asked)
    with pytest.raises(InputError, match=rf"gives commit {COMMIT} where {'f' * 40} is listed"):
        get(tmp_path / "other", "f" * 40)
    assert not (tmp_path / "other").exists() and len(hub.server.asked) == before


def test_a_cut_connection_is_gone_on_with(hub, tmp_path):
    hub.server.cut = [len(FILES["config.json"]), 3]
    assert len(get(tmp_path / "model")) == 1
    assert (tmp_path / "model/model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert ("model.safetensors", "bytes=3-") in asked(hub)


def test_a_download_of_another_commit_is_begun_anew(hub, tmp_path):
    hub.server.files.pop(f"/lab/model/{COMMIT}/assets/vocab.txt")
    with pytest.raises(InputError, match="the server answers 404"):
        get(tmp_path / "model")
    assert (tmp_path / "model.part/config.json").is_file()
    hub.commit = "1" * 40
    hub.server.files = {f"/lab/model/{hub.commit}/{name}": b"new " + content for name, content in FILES.items()}
    hub.siblings = [file for file in hub.siblings if not file.lfs]
    get(tmp_path / "model")
    assert (tmp_path / "model/config.json").read_bytes() == b"new {}"


def test_a_damaged_file_is_refused_and_asked_for_again(hub, tmp_path):
    place = f"/lab/model/{COMMIT}/model.safetensors"
    hub.server.files[place] = b"weightx"
    with pytest.raises(InputError, match=r"model\.safetensors came damaged"):
        get(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "model.part/model.safetensors").exists()
    hub.server.files[place] = FILES["model.safetensors"]
    before = len(hub.server.asked)
    get(tmp_path / "model")
    assert (tmp_path / "model/model.safetensors").read_bytes() == b"weights"
    assert [name for name, _ in asked(hub)[before:]] == ["model.safetensors"], "what was sound is kept"


def test_a_disk_that_is_too_small_is_said_before_the_first_byte(hub, tmp_path):
    hub.siblings[1].size = 10**18
    with pytest.raises(InputError, match="no space"):
        get(tmp_path / "model")
    assert not hub.server.asked


def test_who_asks_is_said_to_the_hub(hub, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(hub_checkpoints, "download", lambda *arguments, headers: told.append(headers) or arguments[1].parent.mkdir(parents=True, exist_ok=True) or arguments[1].write_bytes(FILES["model.safetensors"]))  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_test")
    hub.siblings = [hub.siblings[1]]
    get(tmp_path / "model")
    assert told[0]["authorization"] == "Bearer hf_of_this_test"


def test_no_internet_is_one_line_with_a_fix(hub, monkeypatch, tmp_path):
    class HfApi:
        def model_info(self, *arguments, **settings):
            raise ConnectionError("no route to host\nand more")

    monkeypatch.setattr(huggingface_hub, "HfApi", HfApi)
    with pytest.raises(InputError, match=r"lab/model \(revision main\) could not be downloaded: no route to host\. "):
        get(tmp_path / "model")


def test_a_verified_checkpoint_is_listed_with_its_commit(tmp_path):
    listed = tmp_path / "models.yaml"
    listed.write_text(f"a: {{id: lab/a, revision: {COMMIT}, verified: true}}\nb: {{id: lab/b, revision: main}}\n")
    assert set(read_checkpoints(listed)) == {"a", "b"}
    listed = tmp_path / "moving.yaml"
    listed.write_text("a: {id: lab/a, revision: main, verified: true}\n")
    with pytest.raises(InputError, match="a: verified, so `revision` has to be the commit"):
        read_checkpoints(listed)
