"""One optimizer's update rule per file; the folder is the list of what a `TrainingMap` supports."""
