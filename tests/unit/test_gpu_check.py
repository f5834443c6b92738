"""`make gpu-check` on a machine without a GPU: it says so; on request it goes through its steps on the CPU."""

import importlib.util
import shutil

import pytest
import torch
from glmflow.models.weights import read_tensors
from running import ROOT
from safetensors.torch import save_file


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


@pytest.mark.real
def test_bf16_is_the_original_but_for_rounding_and_other_weights_are_not(gpu_check, test_data, tmp_path, monkeypatch):
    """Every stored checkpoint passes in bf16; the same with another checkpoint's stored outputs does not."""
    monkeypatch.setenv("GLMFLOW_TEST_DATA", str(test_data))
    rows = list(gpu_check.parity(torch.device("cpu")))
    assert len(rows) > 10 and {row[-1] for row in rows} == {"yes"}, rows
    other = tmp_path / "parity/nt-v2"
    shutil.copytree(test_data / "parity/nt-v2", other, copy_function=shutil.copyfile)
    stored = {name: tensor.clone() for name, tensor in read_tensors(other / "io.safetensors").items()}
    stored["logits"] = stored["logits"].roll(1, dims=1)  # one token too far
    save_file(stored, other / "io.safetensors")
    monkeypatch.setenv("GLMFLOW_TEST_DATA", str(tmp_path))
    ((*_, said),) = gpu_check.parity(torch.device("cpu"))
    assert said == "no (see the family)"


def test_differences_are_shares_of_the_largest_value_where_nothing_is_padded(gpu_check):
    expected, found = torch.tensor([[1.0, 10.0, 3.0]]), torch.tensor([[1.5, 10.0, 99.0]])
    assert gpu_check.relative(found, expected, torch.tensor([[1, 1, 0]])) == (
        pytest.approx((0.125 / 50.5) ** 0.5),
        pytest.approx(0.05),
    )


def test_killed_trainings_are_rows_with_their_outcome(gpu_check, tmp_path, monkeypatch):
    (tmp_path / "test_right.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "test_wrong.py").write_text("def test_one():\n    raise ValueError\n")
    monkeypatch.setattr(gpu_check, "REPOSITORY", tmp_path)
    monkeypatch.setattr(gpu_check, "KILLING", ("test_right.py", "test_wrong.py"))
    right, wrong = gpu_check.resume(budget=600)
    assert right[1] == "same weights" and wrong[1].startswith("failed: 1 failed")


def test_killed_trainings_that_take_too_long_are_ended(gpu_check, tmp_path, monkeypatch):
    (tmp_path / "test_slow.py").write_text("import time\n\ndef test_one():\n    time.sleep(600)\n")
    monkeypatch.setattr(gpu_check, "REPOSITORY", tmp_path)
    monkeypatch.setattr(gpu_check, "KILLING", ("test_slow.py", "test_never_come_to.py"))
    (row,) = gpu_check.resume(budget=2)
    assert row[:2] == ["test_slow.py", "not finished in 2 s: run it by pytest"]


def test_the_page_says_how_each_table_is_read(gpu_check, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "KILLING", ())
    monkeypatch.setattr(gpu_check, "SHAPES", {})
    monkeypatch.setenv("GLMFLOW_TEST_DATA", str(tmp_path))
    page = tmp_path / "gpu.md"
    assert gpu_check.run("--device", "cpu", "--length", 64, "--output", page) == 0
    text = page.read_text()
    assert "root mean square" in text and all(note in text for note in gpu_check.NOTES.values())
    assert len(gpu_check.NOTES) == text.count("\n## ")
