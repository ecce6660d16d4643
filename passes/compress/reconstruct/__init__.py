"""Layer-wise reconstruction: second-order statistics of each layer's inputs, and solvers that use them to give back the outputs."""
