"""`glmflow average`: one file, one line; a refusal is an InputError."""

import argparse

import pyBigWig
import pytest
from glmflow.errors import InputError
from glmflow.tracks.average_command import add_average_command
from tracks_for_tests import write


def run(*arguments):
    parser = argparse.ArgumentParser()
    add_average_command(parser.add_subparsers())
    parsed = parser.parse_args(["average", *map(str, arguments)])
    return parsed.run(parsed)


def test_it_writes_the_mean_and_says_what_it_found(tmp_path, capsys):
    a = write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 5, 1), ("c", 7, 9, float("nan"))])
    b = write(tmp_path / "b.bw", {"c": 100}, [("c", 0, 4, 3), ("c", 50, 51, -1)])
    assert run("--output", tmp_path / "mean.bw", a, b) == 0
    with pyBigWig.open(str(tmp_path / "mean.bw")) as file:
        assert file.intervals("c") == ((0, 4, 2.0), (4, 5, 0.5), (50, 51, -0.5))
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (f"{tmp_path}/mean.bw: mean of 2 tracks, 6 bases not 0; 2 non-finite values taken as 0, 1 negative")


def test_one_track_is_one(tmp_path, capsys):
    assert run("--output", tmp_path / "m.bw", write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 5, 1)])) == 0
    assert "m.bw: mean of 1 track, 5 bases not 0;" in capsys.readouterr().out


def test_it_refuses_what_cannot_be_averaged(tmp_path):
    (tmp_path / "a.bw").write_text("track type=bedGraph\n")
    with pytest.raises(InputError, match=r"a\.bw: text, not a bigWig file"):
        run("--output", tmp_path / "mean.bw", tmp_path / "a.bw")
    with pytest.raises(SystemExit):
        run(tmp_path / "a.bw")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capfd):
    from glmflow.cli import main

    track = write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 5, 1)])
    assert main(["average", "--output", "/proc/nope/m.bw", str(track)]) == 1
    assert capfd.readouterr().err.splitlines() == ["glmflow average: /proc/nope: No such file or directory"]
