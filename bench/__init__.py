"""Measurements: engines side by side, the demo, and kernels on the shapes of real layers."""
