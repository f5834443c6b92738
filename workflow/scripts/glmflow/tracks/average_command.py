"""`glmflow average`: the mean of tracks by hand."""

from __future__ import annotations

import argparse
import os


def add_average_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `average` to the commands of `glmflow`; its `run` takes the arguments and returns an exit code."""
    parser = subparsers.add_parser(
        "average",
        description="Write the mean of bigWig tracks: missing values are 0, the sum is divided by the number of files.",
    )
    parser.add_argument("tracks", nargs="+", metavar="TRACK.bw", help="tracks to average")
    parser.add_argument("--output", required=True, metavar="MEAN.bw", help="track to write")
    parser.add_argument(
        "--cores", type=int, default=len(os.sched_getaffinity(0)), help="processes that read (default: all cores)"
    )
    parser.set_defaults(run=_average)


def _average(arguments: argparse.Namespace) -> int:
    """Average, and say in one line what was found."""
    from glmflow.tracks.averaging import average

    counts = average(arguments.tracks, arguments.output, arguments.cores)
    tracks = f"{counts['files']} track{'s' * (counts['files'] != 1)}"
    print(
        f"{arguments.output}: mean of {tracks}, {counts['bases']:,} bases not 0;"
        f" {counts['non_finite']:,} non-finite values taken as 0, {counts['negative']:,} negative"
    )
    return 0
