"""Sinks: loggers that get what kazami records, beside the run directory; none is imported unless asked for, none can hurt the training."""
