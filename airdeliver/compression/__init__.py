"""Compression: pruning, quantisation and entropy coding; each in its own module, for links import the latter two."""
