import json
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import distributed_run
import pytest
import torch
from distributed_run import UPDATES, Live, settings
from glmflow.errors import HopelessError, InputError
from glmflow.training.loop import distributed
from glmflow.training.loop.distributed import call, commands, elsewhere, hosts
from glmflow.training.loop.sharding import repeated_layers, sharding_arguments
from safetensors.torch import load_file

torch.set_num_threads(1)
HERE = Path(__file__).parent


def train(folder, gpus=1, nodes=1, **changes):
    training = settings(gpus=gpus, nodes=nodes, **changes)
    call(distributed_run.train, {"folder": folder, "training": training}, gpus, nodes, folder)
    return results(folder)


def results(folder):
    return logged(folder), load_file(folder / "weights.safetensors")


def logged(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def curve(lines, key):
    return {line["step"]: line[key] for line in lines if key in line}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return {name: train(tmp_path_factory.mktemp(name), optimizer=name) for name in ("adamw", "adafactor")}


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Runs of two processes, those of one way to share in the same two, and what these printed."""
    folder = tmp_path_factory.mktemp("together")
    printed = {}
    for parallel, optimizers in (("ddp", ["adamw"]), ("fsdp", ["adamw", "adafactor"])):
        ways = {name: {"training": settings(gpus=2, parallel=parallel, optimizer=name)} for name in optimizers}
        ways["live"] = {"training": settings(gpus=2, micro_batch=2, parallel=parallel), "model": Live}
        if parallel == "fsdp":
            ways["checked"] = ways["adamw"] | {"checked": True}
        runs = [{"folder": folder / parallel / name, **way} for name, way in ways.items()]
        output = folder / f"{parallel}.out"
        with output.open("w") as file, redirect_stdout(file):  # the processes get its handle
            call(distributed_run.train_each, {"runs": runs}, 2, 1, folder / parallel)
        printed[parallel] = output.read_text()
    return folder, printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parallel", "optimizer"), [("ddp", "adamw"), ("fsdp", "adamw"), ("fsdp", "adafactor")], ids=str
)
def test_two_processes_learn_what_one_learns(alone, together, parallel, optimizer):
    lines, weights = results(together[0] / parallel / optimizer)
    held = {line for line in together[1][parallel].splitlines() if line in ("== pieces", "== whole")}
    assert held == {"== pieces" if parallel == "fsdp" else "== whole"}  # on CPUs accelerate would copy it in silence
    expected_lines, expected_weights = alone[optimizer]
    for key in ("loss", "eval_loss", "grad_norm", "learning_rate"):
        found, expected = curve(lines, key), curve(expected_lines, key)
        assert found == pytest.approx(expected, rel=1e-5), key
    assert len(curve(lines, "loss")) == UPDATES
    assert weights.keys() == expected_weights.keys()
    for name, value in expected_weights.items():
        assert torch.allclose(weights[name], value, rtol=1e-4, atol=1e-6), name


@pytest.mark.slow
def test_batch_normalisation_is_that_of_one_process_with_the_examples_of_both(together, tmp_path):
    distributed_run.train(tmp_path, settings(micro_batch=4), model=Live)
    expected_lines, expected_weights = results(tmp_path)
    assert expected_weights["norm.running_mean"].abs().max() > 0.01
    for parallel in ("ddp", "fsdp"):
        lines, weights = results(together[0] / parallel / "live")
        for key in ("loss", "eval_loss", "grad_norm"):
            assert curve(lines, key) == pytest.approx(curve(expected_lines, key), rel=1e-5), (parallel, key)
        for name, value in expected_weights.items():
            assert torch.allclose(weights[name], value, rtol=1e-4, atol=1e-6), (parallel, name)


@pytest.mark.slow
def test_a_model_that_is_shared_out_is_tried_on_one_batch_and_left_as_it_was(together, tmp_path):
    """Bit for bit: training afterwards ends with the weights it ends with otherwise."""
    folder, printed = together
    before, _, after = printed["fsdp"].partition("== checked")
    assert "one batch, learned alone: loss" in after and "learned alone" not in before
    (plain, expected), (checked, weights) = (results(folder / "fsdp" / name) for name in ("adamw", "checked"))
    for name, value in weights.items():
        assert torch.equal(value, expected[name]), name
    assert curve(checked, "loss") == curve(plain, "loss")

    run = {"folder": tmp_path, "training": settings(gpus=2, parallel="fsdp"), "model": distributed_run.Deaf}
    with pytest.raises(HopelessError, match="the loss of a single batch"):
        call(distributed_run.train_each, {"runs": [run | {"checked": True}]}, 2, 1, tmp_path)
    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss of a single batch"):
        call(distributed_run.train_each, {"runs": [run | {"checked": True}]}, 2, 1, tmp_path)


SCRIPT = """
import sys
from pathlib import Path
import distributed_run
from glmflow.training.loop.distributed import call
training = distributed_run.settings(gpus=2, parallel="fsdp", batch=4, optimizer=sys.argv[2])
folder = Path(sys.argv[1])
arguments = {"folder": folder, "training": training, "updates": 60, "make": distributed_run.slow_item}
call(distributed_run.train, arguments, 2, 1, folder)
"""


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adafactor", "adamw"])
def test_told_to_end_all_processes_save_and_the_next_attempt_ends_with_the_same_weights(tmp_path, optimizer):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def start(folder):
        return subprocess.Popen([sys.executable, "-c", SCRIPT, folder, optimizer], env=environment)

    folder, other = tmp_path / "ended", tmp_path / "undisturbed"
    run = start(folder)
    end = time.monotonic() + 200
    while not any(path.read_text().count("\n") > 5 for path in folder.glob("checkpoints/*/metrics.jsonl")):
        assert time.monotonic() < end and run.poll() is None
        time.sleep(0.1)
    run.send_signal(signal.SIGTERM)
    assert run.wait(120) == 143
    (checkpoint,) = folder.glob("checkpoints/*/checkpoint-*")
    assert 0 < int(checkpoint.name.split("-")[1]) < 60
    for place in (folder, other):
        assert start(place).wait(300) == 0
    expected = load_file(other / "weights.safetensors")
    for name, value in load_file(folder / "weights.safetensors").items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.slow
def test_a_mistake_in_one_process_is_told_as_one_line(tmp_path):
    with pytest.raises(InputError, match=r"the loss is nan\. Lower it"):
        call(distributed_run.refuse, {"folder": tmp_path}, 2, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_two_nodes_of_a_pbs_job(alone, tmp_path, monkeypatch):
    """The second node is this machine by another name. The stand-in for PBS's shell executes its arguments, as that does."""
    shell = tmp_path / "bin/pbs_tmrsh"
    shell.parent.mkdir()
    shell.write_text('#!/bin/bash\necho "$1" >> "$(dirname "$0")/hosts"\nshift\nexec env -i "$@"\n')
    shell.chmod(0o755)
    (tmp_path / "nodes").write_text("localhost\nlocalhost\n127.0.0.1\n127.0.0.1\n")
    monkeypatch.setenv("PBS_NODEFILE", str(tmp_path / "nodes"))
    monkeypatch.setenv("PATH", f"{shell.parent}:{os.environ['PATH']}")
    lines, _ = train(tmp_path / "run", gpus=1, nodes=2)
    assert curve(lines, "loss") == pytest.approx(curve(alone["adamw"][0], "loss"), rel=1e-5)
    assert (shell.parent / "hosts").read_text() == "127.0.0.1\n"
    assert (tmp_path / "run/node1.log").exists()


def test_one_process_is_this_one(tmp_path):
    seen = []
    call(lambda **arguments: seen.append(arguments), {"a": 1}, 1, 1, tmp_path)
    assert seen == [{"a": 1}]


def test_the_job_has_to_have_the_nodes(tmp_path, monkeypatch):
    monkeypatch.delenv("PBS_NODEFILE", raising=False)
    monkeypatch.delenv("SLURM_JOB_NODELIST", raising=False)
    assert hosts(1) == ["localhost"]
    with pytest.raises(InputError, match="2 nodes are asked for, the job has no list of nodes"):
        hosts(2)
    (tmp_path / "nodes").write_text("n1\nn1\nn2\nn3\n")
    monkeypatch.setenv("PBS_NODEFILE", str(tmp_path / "nodes"))
    assert hosts(2) == ["n1", "n2"]
    with pytest.raises(InputError, match="4 nodes are asked for, the job has 3"):
        hosts(4)


def test_too_few_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    distributed.check_gpus(2)
    with pytest.raises(InputError, match="4 GPUs a node are asked for, 2 can be seen"):
        distributed.check_gpus(4)


def leave_device(folder):
    (folder / "device").write_text((folder / "set").read_text())


def test_every_process_has_a_gpu_of_its_own_before_anything_is_called(tmp_path, monkeypatch):
    for name, value in {"RANK": "6", "LOCAL_RANK": "2", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: (tmp_path / "set").write_text(str(device)))
    (tmp_path / "call.pkl").write_bytes(pickle.dumps((leave_device, {"folder": tmp_path})))
    distributed.work(tmp_path / "call.pkl")
    assert (tmp_path / "device").read_text() == "2"


def test_the_shell_of_pbs_gets_arguments_and_ssh_a_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert elsewhere("n2", ["true"])[:2] == ["ssh", "n2"] and len(elsewhere("n2", ["true"])) == 3
    (tmp_path / "pbs_tmrsh").write_text("#!/bin/sh\n")
    (tmp_path / "pbs_tmrsh").chmod(0o755)
    *shell, line = elsewhere("n2", ["echo", "a b"])
    assert shell == ["pbs_tmrsh", "n2", "/bin/bash", "-c"] and "bash" not in line
    monkeypatch.setenv(distributed.LAUNCHER, "python3 '/with space/gpus.py' 4 ")
    assert elsewhere("n2", ["torchrun"])[-1].endswith("python3 '/with space/gpus.py' 4 torchrun")


def test_the_node_that_failed_first_is_named_not_the_one_that_was_stopped(tmp_path, capfd):
    """The first is asked to end because the second has failed, and ends with a code of its own."""
    first = ["bash", "-c", "trap 'exit 9' TERM; sleep 30 & wait"]
    second = ["bash", "-c", "sleep 0.5; echo what went wrong; exit 3"]
    with pytest.raises(subprocess.CalledProcessError, match=r"node 1, which prints into .*node1.log.*exit status 3"):
        distributed.run_together([first, second], tmp_path)
    assert (tmp_path / "node1.log").read_text() == "what went wrong\n"
    assert "=== node 1 ===\nwhat went wrong" in capfd.readouterr().out


def test_the_first_rank_that_fails_is_noted(tmp_path, monkeypatch):
    for number, words in ((5, "out of memory"), (0, "lost its peer")):
        monkeypatch.setenv("RANK", str(number))
        distributed.note_first_failure(tmp_path / "failed", ValueError(words))
    assert "rank 5 on" in (tmp_path / "failed").read_text() and "out of memory" in (tmp_path / "failed").read_text()
    assert "peer" not in (tmp_path / "failed").read_text()


@pytest.mark.slow
def test_a_failure_in_one_process_names_its_rank(tmp_path):
    with pytest.raises(RuntimeError, match=r"rank 1 on .* failed first: ZeroDivisionError: division by zero"):
        call(distributed_run.divide, {}, 2, 1, tmp_path)


@pytest.mark.slow
def test_processes_that_leave_before_the_walltime_leave_as_one(tmp_path):
    with pytest.raises(SystemExit) as left:
        call(distributed_run.leave, {}, 2, 1, tmp_path)
    assert left.value.code == 143 and list(tmp_path.iterdir()) == []


def test_every_node_starts_its_own_processes():
    first, second = commands(Path("/shared/.call.pkl"), 4, ["n1", "n2"])
    assert first[first.index("--node-rank") + 1] == "0" and first[first.index("--master-addr") + 1] == "n1"
    assert first[first.index("--nproc-per-node") + 1] == "4" and second[1] == "n2"
    assert "--node-rank 1" in second[2] and "--master-addr n1" in second[2]
    (only,) = commands(Path("/shared/.call.pkl"), 4, ["localhost"])
    assert "--standalone" in only


def test_another_node_gets_folder_and_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("SECRET", "x")
    *_, line = elsewhere("n2", ["sh", "-c", "echo $HF_HUB_OFFLINE; pwd"])
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    assert done.stdout.splitlines() == ["1", str(tmp_path)]
    assert "SECRET" not in line


def test_the_layers_that_are_shared_out_one_by_one():
    assert repeated_layers(distributed_run.Model()) == ["Layer"]
    assert repeated_layers(torch.nn.Linear(1, 1)) == []
    assert sharding_arguments(settings(parallel="fsdp"), distributed_run.Model(), 1) == {}
    found = sharding_arguments(settings(parallel="deepspeed"), distributed_run.Model(), 2)
    assert found["deepspeed"]["zero_optimization"]["stage"] == 3
