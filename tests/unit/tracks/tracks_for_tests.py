"""Small bigWig files written with pyBigWig alone."""

import pyBigWig


def write(path, contigs, entries=()):
    """Write `(chrom, start, end, value)` entries as they are."""
    file = pyBigWig.open(str(path), "w")
    file.addHeader(list(contigs.items()))
    for chrom, start, end, value in entries:
        file.addEntries([chrom], [start], ends=[end], values=[float(value)])
    file.close()
    return path
