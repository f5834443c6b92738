import json
import logging

import pandas as pd
import pytest
from glmflow.training.loop.checkpoints import (
    BLOCK,
    MANIFEST,
    SAMPLES,
    Checkpoints,
    damage,
    differences,
    fingerprint,
    table_digest,
)


def write(checkpoints, step, content="weights"):
    with checkpoints.staging() as folder:
        written = folder / f"checkpoint-{step}"
        written.mkdir(parents=True)
        (written / "a.bin").write_text(content)
        (written / "b.bin").write_text(f"{step}")
        checkpoints.publish(written, step)


def test_the_newest_that_is_whole_is_used_by_number_not_by_name(tmp_path):
    checkpoints = Checkpoints(tmp_path, {})
    assert checkpoints.newest() is None
    write(checkpoints, 9)
    write(checkpoints, 10)
    assert checkpoints.newest() == checkpoints.path(10)


def test_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, {})
    for step in (8, 9, 10, 11):
        write(checkpoints, step)
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["checkpoint-10", "checkpoint-11"]


def test_what_was_being_written_is_swept_away(tmp_path):
    checkpoints = Checkpoints(tmp_path, {})
    write(checkpoints, 1)
    (checkpoints.folder / ".writing/checkpoint-2").mkdir(parents=True)
    assert Checkpoints(tmp_path, {}).newest() == checkpoints.path(1)
    assert [path.name for path in checkpoints.folder.iterdir()] == ["checkpoint-1"]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda path: (path / "a.bin").write_text("weighty"), "a.bin has changed"),
        (lambda path: (path / "a.bin").unlink(), "a.bin is missing"),
        (lambda path: (path / MANIFEST).unlink(), "no manifest"),
        (lambda path: (path / MANIFEST).write_text("{"), "no manifest"),
    ],
)
def test_a_damaged_one_is_passed_over(tmp_path, caplog, spoil, problem):
    checkpoints = Checkpoints(tmp_path, {})
    write(checkpoints, 1)
    write(checkpoints, 2)
    assert damage(checkpoints.path(2)) is None
    spoil(checkpoints.path(2))
    with caplog.at_level(logging.WARNING):
        assert checkpoints.newest() == checkpoints.path(1)
    assert problem in caplog.text and "passed over" in caplog.text


def test_a_manifest_tells_step_and_identity(tmp_path):
    checkpoints = Checkpoints(tmp_path, {"rate": 1, "data": {"x": "abc"}})
    write(checkpoints, 3)
    manifest = json.loads((checkpoints.path(3) / MANIFEST).read_text())
    assert manifest["step"] == 3 and manifest["identity"] == {"rate": 1, "data": {"x": "abc"}}
    assert manifest["hash"] == Checkpoints(tmp_path, {"data": {"x": "abc"}, "rate": 1}).hash, "order is no difference"
    assert set(manifest["files"]) == {"a.bin", "b.bin"}


def test_checkpoints_of_another_identity_are_not_seen(tmp_path, caplog):
    write(Checkpoints(tmp_path, {"rate": 1, "warmup": {"share": 0.1}}), 5)
    checkpoints = Checkpoints(tmp_path, {"rate": 1, "warmup": {"share": 0.2}})
    assert checkpoints.newest() is None
    with caplog.at_level(logging.WARNING):
        checkpoints.explain_others()
    assert "is not used: warmup.share: 0.1 -> 0.2" in caplog.text


def test_differences_name_what_is_new_and_what_is_gone():
    assert differences({"a": 1, "b": {"c": [1]}}, {"b": {"c": [1, 2]}, "d": None}) == [
        "a: 1 -> (none)",
        "b.c: [1] -> [1, 2]",
        "d: (none) -> None",
    ]


def test_a_fingerprint_follows_the_content(tmp_path):
    path = tmp_path / "a.bw"
    path.write_bytes(b"abc")
    first = fingerprint([path])
    path.touch()
    assert fingerprint([path]) == first
    path.write_bytes(b"abd")
    assert fingerprint([path]) != first


def test_a_folder_counts_with_its_files(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_bytes(b"abc")
    assert list(fingerprint([tmp_path / "model"])) == [str(tmp_path / "model/weights")]


@pytest.mark.parametrize("place", [0, BLOCK * SAMPLES, -1])
def test_a_large_file_is_sampled_from_its_first_byte_to_its_last(tmp_path, place):
    path = tmp_path / "large"
    content = bytearray(BLOCK * (SAMPLES + 3))
    path.write_bytes(content)
    first = fingerprint([path])
    content[place] = 1
    path.write_bytes(content)
    changed = fingerprint([path]) != first
    read = {(len(content) - BLOCK) * n // (SAMPLES - 1) for n in range(SAMPLES)}
    assert changed == any(start <= place % len(content) < start + BLOCK for start in read)
    path.write_bytes(content + b"\0")
    assert fingerprint([path]) != first


def test_a_table_digest_follows_values_names_and_order():
    table = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [1, 2]})
    others = [table.iloc[::-1], table.rename(columns={"start": "end"}), table.assign(start=[1, 3])]
    assert table_digest(table) == table_digest(table.copy())
    assert table_digest(table) not in {table_digest(other) for other in others}
