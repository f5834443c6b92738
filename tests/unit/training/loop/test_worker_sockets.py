"""Worker processes with the long `$TMPDIR` of a scheduler, in a process of their own: the folder is remembered."""

import os
import subprocess
import sys
import tempfile

import pytest
from glmflow.errors import InputError
from glmflow.training.loop.worker_sockets import LONGEST, keep_sockets_short

SCRIPT = """
import sys
import torch
from glmflow.training.loop.worker_sockets import keep_sockets_short
if __name__ == "__main__":
    keep_sockets_short(1)
    data = [torch.full((20_000,), float(n)) for n in range(4)]
    loader = torch.utils.data.DataLoader(data, num_workers=1, timeout=60)
    print([batch[0, 0].item() for batch in loader])
    import tempfile
    print(tempfile.gettempdir())
"""


def test_batches_come_through_though_the_temporary_folder_is_too_long_for_a_socket(tmp_path):
    folder = tmp_path / ("scratch_of_job_" * 7)
    folder.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        **{"capture_output": True, "text": True, "timeout": 120, "check": False},
    )
    assert done.stdout.splitlines() == ["[0.0, 1.0, 2.0, 3.0]", str(folder)], done.stderr


def test_nothing_is_changed_without_workers_or_need(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr("multiprocessing.util.get_temp_dir", lambda: called.append(tempfile.gettempdir()))
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * 200)
    keep_sockets_short(0)
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * (LONGEST - 1))
    keep_sockets_short(2)
    assert called == []
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * LONGEST)
    keep_sockets_short(2, [str(tmp_path / "missing"), str(tmp_path)])
    assert called == [str(tmp_path)]
    with pytest.raises(InputError, match=r"TMPDIR.*worker processes cannot make their sockets.*shorter one"):
        keep_sockets_short(2, [])
