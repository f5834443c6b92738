"""The gate before anything that a model has written: sequences are screened in memory, and only what passes is released.

A screen compares strings. It says nothing of what a sequence does, and finds nothing that its list of hazards lacks.
"""
