"""The bigWig format read and written as runs in arrays.

Laid out as in Kent et al. 2010 (doi:10.1093/bioinformatics/btq351) and its supplement. pyBigWig hands out one value a
base or one tuple an interval and compresses in one thread; averaging replicates needs neither and more than one. Most
of the time of reading a window goes into inflating the section around it: ISA-L does that in half of zlib's time.
"""

from glmflow.tracks.bigwig.layout import Runs, spread
from glmflow.tracks.bigwig.reader import BigWig
from glmflow.tracks.bigwig.writer import Sections, Writer, encode

__all__ = ["BigWig", "Runs", "Sections", "Writer", "encode", "spread"]
