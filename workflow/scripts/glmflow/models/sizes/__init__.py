"""Sizes of families that are no stack of equal layers, worked out without torch; a module a family.

``parameters(config)``           number of parameters without the language-model head
``sizes(config)``                width of the states, number of blocks, width inside of them
``kept(shape, length, bf16)``    bytes kept for the backward pass for a sequence of `length` bases
``products(shape, length)``      multiplications of a forward pass over a sequence of `length` bases
"""
