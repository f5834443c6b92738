import http.server
import subprocess
import sys
import threading

import pytest
from glmflow import doctor
from packaging.requirements import Requirement

L40 = ("NVIDIA L40", 48 * 2**30, (8, 9))
V100 = ("Tesla V100", 16 * 2**30, (7, 0))


def test_the_environment_of_the_tests_will_do(capsys):
    from glmflow.cli import main

    assert main(["doctor", "--timeout", "0.2"]) == 0
    shown = capsys.readouterr().out
    assert "FAILS" not in shown
    assert all(name in shown for name in ("Python", "GPU", "bedtools", "flash-attn", "disk", "hub"))


def test_it_says_what_is_missing_where_nothing_can_be_imported():
    lost = ("torch", "pydantic", "pandas", "numpy", "yaml", "packaging")
    code = f"import sys; sys.modules.update(dict.fromkeys({lost!r}))\nfrom glmflow.cli import main\n"
    code += "sys.exit(main(['doctor', '--timeout', '0.2']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "FAILS packages" in done.stdout and "FAILS torch" in done.stdout and "pip install" in done.stdout
    assert "Traceback" not in done.stderr


def test_old_and_missing_packages_are_named():
    wanted = [Requirement("numpy>=2"), Requirement("pysam>=0.23"), Requirement("torch>=2.8")]
    found = doctor.packages(wanted, {"numpy": "1.26.4", "torch": "2.13.0+cpu"}.get)
    assert found.state == "fails" and found.text == "numpy is 1.26.4, not >=2; pysam is missing"
    assert doctor.packages(wanted[2:], {"torch": "2.13.0+cpu"}.get).state == "ok"


@pytest.mark.parametrize(
    ("cuda", "driver", "devices", "state", "said"),
    [
        ("13.0", "580.1", [L40, L40], "ok", "NVIDIA L40 (48 GB), NVIDIA L40 (48 GB)"),
        (None, "580.1", [], "without", "built for CPUs"),
        ("13.0", "535.9", [], "without", "cannot use the driver 535.9: it is too old"),
        (None, None, [], "without", "no NVIDIA driver"),
    ],
)
def test_torch_and_driver(cuda, driver, devices, state, said):
    found = doctor.gpu("2.13.0", cuda, driver, devices, "it is too old")
    assert found.state == state and said in found.text
    assert bool(found.fix) == (state != "ok")


def test_bf16_needs_ampere():
    assert doctor.bf16([L40]).state == "ok"
    assert "Tesla V100" in doctor.bf16([L40, V100]).text


def test_a_python_that_is_too_old_fails():
    assert doctor.python((3, 10, 9)).state == "fails" and doctor.python((3, 12, 0)).state == "ok"


def test_the_profile_that_fits():
    assert "profiles/pbs" in doctor.scheduler({"qsub": "/opt/pbs/bin/qsub"}.get).text
    assert "profiles/slurm" in doctor.scheduler({"sbatch": "/usr/bin/sbatch"}.get).text


def test_a_full_disk_and_a_small_shared_memory_are_said(tmp_path):
    assert doctor.disk("disk", tmp_path, int(3e9), 20e9).fix.startswith("free 20 GB")
    assert doctor.shared_memory(64_000_000).text == "64 MB"


@pytest.fixture
def refusing():
    """A server that answers everything with 401, as a hub behind a gate does."""

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(401)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_any_answer_of_the_hub_will_do(refusing):
    assert doctor.hub({"HF_ENDPOINT": refusing}, 2).state == "ok"
    away = doctor.hub({"HF_ENDPOINT": "http://127.0.0.1:9"}, 2)
    assert away.state == "without" and "snakemake -c1 prefetch" in away.fix
    assert doctor.hub({"HF_ENDPOINT": refusing, "HF_HUB_OFFLINE": "1"}, 2).text == "HF_HUB_OFFLINE is set"


def test_what_fits_into_an_l40():
    known = {
        "small": {"family": "olmo", "parameters": 20_000_000, "context_bp": 1000},
        "seven": {"family": "generator", "parameters": 7_000_000_000, "context_bp": 32_768},
        "forty": {"family": "evo2", "parameters": 40_000_000_000, "context_bp": 1_000_000},
        "unknown": {"family": "get"},
    }
    found = doctor.fitting(48 * 2**30, True, known, 32_768)
    assert found["full"] == ["small"] and found["none"] == ["forty"]
    assert "seven" in found["lora"] + found["probe"]
