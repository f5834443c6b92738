"""The bigWig format read and written as runs in arrays.

Laid out as in Kent et al. 2010 (doi:10.1093/bioinformatics/btq351) and its supplement. pyBigWig and pybigtools hand out
one value a base or one tuple an interval: averaging, writing and windows that come again take a half to a tenth of
their time here (docs/speed.md). Most of what is left goes into inflating sections, which ISA-L does faster than zlib.
"""

from glmflow.bigwig.layout import Bases, Runs, Steps, Summary
from glmflow.bigwig.merging import join, runs_of, spread
from glmflow.bigwig.reader import BigWig
from glmflow.bigwig.track_file import write_bigwig, write_sections
from glmflow.bigwig.writer import Sections, Writer, encode

__all__ = [
    "Bases",
    "BigWig",
    "Runs",
    "Sections",
    "Steps",
    "Summary",
    "Writer",
    "encode",
    "join",
    "runs_of",
    "spread",
    "write_bigwig",
    "write_sections",
]
