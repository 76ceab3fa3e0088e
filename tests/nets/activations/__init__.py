"""Tests of the activations."""
