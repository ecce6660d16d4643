"""How each operator runs: the C library's kernels, one at a time, and the forms in which they take their weights."""
