"""A study with some of its values changed."""

import copy


def changed(raw, changes):
    """Return a copy of a study with values at dotted keys (`__` for a dot) changed."""
    raw = copy.deepcopy(raw)
    for path, value in changes.items():
        *blocks, key = path.split("__")
        node = raw
        for block in blocks:
            node = node.setdefault(block, {})
        node[key] = value
    return raw
