"""What a validation says, in sentences."""

from __future__ import annotations

import pandas as pd

from .control_groups import COPY, MARKOV_5
from .group_values import GENERATED, REAL

MOST = 4
NOT_HELD_OUT = 0.5
"""Share of real bases in matches to training above which they are no held-out sequences: of one genome 6 to 13 % are."""


def sentences(values: pd.DataFrame, copies: pd.DataFrame, threshold: float, missing: str) -> list[str]:
    """Return the findings, the most important first.

    Parameters
    ----------
    values, copies, threshold
        Of `values_of` and `memorisation`.
    missing
        What could not be computed and why; empty if nothing.
    """
    own = values[values["group"] == GENERATED]
    decisive = own[[MARKOV_5 in detects.split("; ") for detects in own["detects"]]]
    found = []
    if len(decisive):
        apart = decisive[decisive["differs"]]
        what = "of the statistics that tell a Markov-5 chain from real sequences"
        if len(apart):
            listed = [_both(row) for row in _strongest(apart).itertuples()]
            more = f" and {len(apart) - MOST} more" if len(apart) > MOST else ""
            found.append(
                f"Generated sequences differ from held-out real ones in {len(apart)} of {len(decisive)} {what}: "
                f"{'; '.join(listed)}{more}."
            )
        else:
            found.append(f"Generated sequences differ from held-out real ones in none of {len(decisive)} {what}.")
    else:
        found.append(
            "No statistic here tells even a Markov-5 chain from real sequences: nothing follows from what looks alike. Give "
            "more or longer sequences."
        )
    found.append(_of_copies(values, copies, threshold))
    found += _of_repeats(values) + _of_families(values)
    blind = own[[MARKOV_5 not in detects.split("; ") for detects in own["detects"]]]
    if len(blind) and len(decisive):
        names = "; ".join(blind["label"].head(6)) + ("; …" if len(blind) > 6 else "")
        found.append(
            f"A Markov-5 chain passes {len(blind)} statistics as real ({names}): agreement in these shows nothing."
        )
    return found + ([missing] if missing else [])


def _strongest(apart: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are farthest from real ones, in widths of both intervals; of words, genes and copies in turn."""
    width = (apart["ci_high"] - apart["ci_low"]) + (apart["floor_high"] - apart["floor_low"])
    distance = ((apart["value"] - apart["floor"]).abs() / width.clip(lower=1e-12)).rename("distance")
    ordered = apart.assign(distance=distance).sort_values("distance", ascending=False)
    turn = ordered.groupby("level").cumcount()
    return ordered.assign(turn=turn).sort_values(["turn", "distance"], ascending=[True, False]).head(MOST)


def _both(row) -> str:
    return (
        f"{row.label} {_short(row.value)}, real {_short(row.floor)} [{_short(row.floor_low)}, {_short(row.floor_high)}]"
    )


def _of_copies(values: pd.DataFrame, copies: pd.DataFrame, threshold: float) -> str:
    """Return what was copied, and whether that none was is odd."""
    above, longest = int(copies["above"].sum()), int(copies["longest"].max())
    share = {
        name: float(values.loc[(values["statistic"] == "covered_32") & (values["group"] == name), "value"].iloc[0])
        for name in (GENERATED, REAL, COPY)
    }
    bases = f"{share[GENERATED]:.1%} of their bases lie in exact matches of 32 or more to training ({share[REAL]:.1%} of real ones)"
    if share[REAL] > NOT_HELD_OUT:
        return (
            f"The real sequences were not held out: {share[REAL]:.0%} of their bases lie in exact matches of 32 or more to "
            f"training. Copies cannot be told from them; the longest match of a generated sequence has {longest:,} bases."
        )
    if above:
        return (
            f"{above:,} of {len(copies):,} generated sequences hold a longer exact match to training than 99 % of held-out real "
            f"ones ({threshold:,.0f} bases); the longest has {longest:,}. {bases}."
        )
    if not share[GENERATED] and share[REAL] > 0.01:
        return f"No copy of training, and none of its repeats either: {bases}, which real sequences of a genome are not without."
    return (
        f"No generated sequence holds a longer exact match to training than 99 % of held-out real ones ({threshold:,.0f} bases); "
        f"the longest has {longest:,}. {bases}."
    )


def _of_repeats(values: pd.DataFrame) -> list[str]:
    """Return whether generated sequences repeat one another, where they do more than real ones."""
    rows = values[values["statistic"] == "shared"].set_index("group")
    if GENERATED not in rows.index or not rows.loc[GENERATED, "differs"]:
        return []
    own, real = (float(rows.loc[name, "value"]) for name in (GENERATED, REAL))
    if own <= real:
        return []
    return [
        f"Generated sequences repeat one another: {own:.0%} of their 21-mers stand in another of them ({real:.0%} of real ones)."
    ]


def _of_families(values: pd.DataFrame) -> list[str]:
    """Return that the user's profiles have no hit in real sequences, where that is so: then they show nothing."""
    floor = values.loc[values["statistic"] == "family_hits", "floor"]
    if not len(floor) or floor.iloc[0] > 0:
        return []
    return [
        "No profile HMM has a hit in held-out real sequences: what the profiles say of generated ones shows nothing."
    ]


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
