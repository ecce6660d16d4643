"""Exact clean-up: one pass per file. Outputs do not change beyond rounding."""
