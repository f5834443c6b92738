"""Kind `snp2gex`: expression (or promoter activity) of genes in samples, from both of their haplotypes."""

from .examples import redraw
from .steps import examples, export, own_data, score

__all__ = ["examples", "export", "own_data", "redraw", "score"]
