"""The lab: named experiments, each with what is expected, what was measured, a figure and a citation."""
