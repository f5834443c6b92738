"""What each kind of task proposes for the files that were given: a module named as the kind, with `propose`.

`propose(found, machine)` returns a `Draft`, or None where the files are none for the kind. A kind without a module is not
proposed.
"""
