# Each target is one line into tools/dev.py, which also runs without make: python tools/dev.py run
PYTHON ?= python3

.PHONY: run test test-all test-integrations check format docs score
run test test-all test-integrations check format docs score: ; @$(PYTHON) tools/dev.py $@

# The oldest versions that pyproject.toml allows, in an environment of their own.
.PHONY: test-lower
test-lower: ; @$(PYTHON) tools/lower_bounds.py
