"""The log of a job over its attempts."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from scriptlog import logged

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
LOG = "logs/s/finetune/t/seed1.log"


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """One attempt at a job, as Snakemake makes it: the log is deleted first."""
    monkeypatch.chdir(tmp_path)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GLMFLOW_MONITOR", *OFFLINE):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PBS_JOBID", "7.server")
    job = SimpleNamespace(threads=1, config={"study": "s"}, log=[LOG], rule="finetune")

    def make(says, error=None):
        log = Path(LOG)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        with logged(job):
            print(says)
            logging.getLogger("some.module").info("it logs: %s", says)
            if error:
                raise error
        return log.read_text()

    return make


def test_a_retry_keeps_what_the_attempts_before_it_said(attempt):
    with pytest.raises(RuntimeError):
        attempt("one says this", RuntimeError("no such luck"))
    with pytest.raises(SystemExit):
        attempt("two says this", SystemExit(143))
    text = attempt("three says this")
    said = ["=== attempt 1, ", "one says this", "no such luck", "=== attempt 2, ", "two says this"]
    said += ["=== attempt 3, ", "three says this"]
    places = [text.index(words) for words in said]
    assert places == sorted(places)
    (header,) = re.findall("^=== attempt 2, .*", text, re.MULTILINE)
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .*7.server ===$", header)


def test_a_job_that_is_done_again_begins_a_new_log(attempt):
    attempt("the first time")
    text = attempt("the second time")
    assert "=== attempt 1, " in text and "second" in text and "first" not in text


def test_what_modules_log_lies_in_the_log_and_nowhere_else_after_it(attempt, capsys):
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    assert re.search("^[-0-9]{10} .* INFO some.module: it logs: this$", attempt("this"), re.MULTILINE)
    with pytest.raises(RuntimeError):
        attempt("that", RuntimeError("no such luck"))
    capsys.readouterr()
    assert (logging.getLogger().handlers, logging.getLogger().level) == (before, level)
    logging.getLogger("some.module").warning("after the job")
    assert "Logging error" not in capsys.readouterr().err
    assert "after the job" not in Path(LOG).read_text()
