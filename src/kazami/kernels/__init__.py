"""Kernels: whole trainings of small networks as machine code, one member in each lane of a vector register."""
