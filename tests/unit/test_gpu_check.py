"""`make gpu-check` on a machine without a GPU: it says so; on request it goes through its steps on the CPU."""

import importlib.util

import pytest
import torch
from running import ROOT


@pytest.fixture
def gpu_check(monkeypatch):
    """The script as a module; its arguments are given to `run`."""
    spec = importlib.util.spec_from_file_location("gpu_check", ROOT / "benchmark/gpu_check.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["gpu_check.py", *map(str, arguments)])
        return script.main()

    script.run = run
    return script


def test_without_a_gpu_it_says_so_and_writes_nothing(gpu_check, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.run("--output", tmp_path / "gpu.md") == 0
    assert "No GPU here: nothing was measured" in capsys.readouterr().out and not (tmp_path / "gpu.md").exists()


def test_its_steps_run_on_a_cpu(gpu_check, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "SHAPES", {"dilated_cnn": {"channels": [4, 4, 4], "blocks": 2}})
    page = tmp_path / "gpu.md"
    wanted = ("--device", "cpu", "--length", 64, "--output", page, "--without", "resume", "parity")
    assert gpu_check.run(*wanted) == 0
    rows = [line for line in page.read_text().splitlines() if line.startswith("| dilated_cnn")]
    _, _, parameters, rate, *_ = [cell.strip() for cell in rows[0].split("|")]
    from glmflow.models import new_model

    counted = sum(
        part.numel() for part in new_model("dilated_cnn", gpu_check.SHAPES["dilated_cnn"]).network.parameters()
    )
    assert parameters == f"{counted:,}" and float(rate.replace(",", "")) > 0


def test_a_step_that_fails_is_a_row_and_an_exit_status(gpu_check, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "SHAPES", {"dilated_cnn": {"channels": [1]}})
    page = tmp_path / "gpu.md"
    assert (
        gpu_check.run("--device", "cpu", "--length", 64, "--output", page, "--without", "resume", "parity", "attention")
        == 1
    )
    assert "failed: InputError channels of dilated_cnn are not three" in page.read_text()


def test_differences_are_shares_of_the_largest_value_where_nothing_is_padded(gpu_check):
    expected, found = torch.tensor([[1.0, 10.0, 3.0]]), torch.tensor([[1.5, 10.0, 99.0]])
    assert gpu_check.relative(found, expected, torch.tensor([[1, 1, 0]])) == pytest.approx(0.05)
