"""Lossy compression: prune, correct, factorise and quantise. A recipe says what, calibration data show what activations look like."""
