# Short names for the commands of CONTRIBUTING.md.  `make setup` once; everything runs from .venv.

BIN := .venv/bin

.PHONY: setup check quick test golden bless generate bench format

setup:            ## install mochic and build the first program
	sh .ci/install

check:            ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

quick:            ## the tests of the inner loop, in less than three minutes
	$(BIN)/pytest -n auto -m "not slow"

test:             ## everything, as CI does
	sh .ci/test

golden:           ## the whole-program corpus only
	$(BIN)/pytest tests/run tests/unit/test_examples.py

bless:            ## write new expected files for tests/sema; read the diff before committing it
	MOCHI_BLESS=1 $(BIN)/pytest tests/sema

generate:         ## compile the rule files
	$(BIN)/python -m mochic.codegen.rulec amd64 arm64 riscv64
	$(BIN)/python -m mochic.opt.rulegen

bench:            ## time programs and compilations
	$(BIN)/python bench/run.py

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
