"""What every script is run with."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from running import ROOT


@pytest.fixture
def logged(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "workflow/scripts")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ.pop("HF_HUB_OFFLINE", None)
    from scriptlog import logged

    return logged


def job(name):
    log = Path(f"logs/study/{name}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    return SimpleNamespace(rule=name, threads=1, config={"study": "study"}, log=[str(log)])


def test_the_hub_is_off_in_every_job_but_the_download(logged):
    with logged(job("prefetch"), online=True):
        assert "HF_HUB_OFFLINE" not in os.environ
    with logged(job("finetune")):
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"
    scripts = (ROOT / "workflow/scripts").glob("*.py")
    assert sorted(path.stem for path in scripts if "online=True" in path.read_text()) == ["fetch", "prefetch"]


def test_progress_goes_to_the_terminal_and_the_rest_to_the_log(logged, capsys):
    with logged(job("finetune")) as terminal:
        print("to the log", file=sys.stderr)
        print("to the terminal", file=terminal)
    assert capsys.readouterr().err == "to the terminal\n"
    log = Path("logs/study/finetune.log").read_text()
    assert "to the log\n" in log and "terminal" not in log


def test_a_download_is_no_job_of_the_study(logged):
    with pytest.raises(RuntimeError), logged(job("fetch"), online=True):
        raise RuntimeError("no internet")
    with logged(job("finetune")):
        pass
    assert [path.name for path in Path("results/study/status").iterdir()] == ["finetune.json"]
    assert "no internet" in Path("logs/study/fetch.log").read_text()
