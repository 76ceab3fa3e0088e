"""The patients used only for scoring: an examination of the diagnosis, written without knowing its rules and never used to tune them."""
