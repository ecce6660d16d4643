"""honed makes trained CNNs small and fast on CPUs."""
