"""Compression: what is removed, how values become levels (`quantisers`) and levels bytes (`codec`)."""
