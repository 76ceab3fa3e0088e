"""Patients that thresholds may be calibrated on; one file per family of illness or health, each with a tuple ``PATIENTS``."""
