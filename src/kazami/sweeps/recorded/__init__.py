"""What a sweep can record of each member: one file a record, found by scanning this folder."""
