"""The commands of ``kazami nets``, one per file."""
