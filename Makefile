# Each target is one line into tools/dev.py, which also runs without make: python tools/dev.py run
PYTHON ?= python3

.PHONY: run test test-all check format docs score
run test test-all check format docs score: ; @$(PYTHON) tools/dev.py $@
