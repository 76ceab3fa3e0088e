"""The commands of ``kazami lab``, one per file."""
