"""Numbers that describe cells: principal components that are fitted on training cells alone, and expression of TFs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from glmflow.errors import InputError


def principal_components(expression: pd.DataFrame, count: int, fitted: Collection[str] | None = None) -> pd.DataFrame:
    """Return principal components of log expression, cells x `count`; the mean over the samples of a cell.

    Each component has its largest loading positive, so that two runs agree.

    Parameters
    ----------
    expression
        Samples x genes; the index has a level `cell`, or is the cells.
    fitted
        Cells whose samples the components are fitted on; the others are projected. All where None (the hackathon's way: test
        cells have a part in it).

    Raises
    ------
    InputError
        Fewer samples are fitted on than there are components.
    """
    cells = _cells(expression)
    own = np.ones(len(expression), bool) if fitted is None else cells.isin(set(fitted))
    values = expression.to_numpy(np.float64)
    if int(own.sum()) <= count:
        raise InputError(
            f"{int(own.sum())} samples of training cells, and {count} components are fitted on them",
            where="components",
            fix=f"Say components: {max(0, int(own.sum()) - 1)} or fewer.",
        )
    centre = values[own].mean(axis=0)
    _, _, loadings = np.linalg.svd(values[own] - centre, full_matrices=False)
    loadings = loadings[:count]
    largest = loadings[np.arange(count), np.abs(loadings).argmax(axis=1)]
    scores = (values - centre) @ (loadings * np.sign(largest)[:, None]).T
    table = pd.DataFrame(scores, columns=[f"PC{number + 1}" for number in range(count)])
    return table.groupby(cells.to_numpy(), sort=True).mean().rename_axis("cell")


def tf_expression(expression: pd.DataFrame, tfs: Sequence[str]) -> pd.DataFrame:
    """Return the expression of TFs' own genes, cells x TFs, the mean over the samples of a cell; NaN where a gene is absent."""
    by_name = {str(name).upper(): place for place, name in reversed(list(enumerate(expression.columns)))}
    means = expression.groupby(_cells(expression).to_numpy(), sort=True).mean().rename_axis("cell")
    found = {tf: means.iloc[:, by_name[tf.upper()]] if tf.upper() in by_name else np.nan for tf in tfs}
    return pd.DataFrame(found, index=means.index)


def _cells(expression: pd.DataFrame) -> pd.Index:
    index = expression.index
    return index.get_level_values("cell") if "cell" in index.names else index
