# Two commands matter: `make run` and `make test`. Both install what they need into .venv.
VENV := .venv
BIN := $(VENV)/bin
# As many processes as there are cores. A worker without work takes over half of another's.
SIDE_BY_SIDE := -n auto --maxprocesses 8 --dist worksteal
# Compiled once, not by each process that a test starts.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-slow lint format tools clean

run: $(VENV)/installed
	@sh deploy/need.sh mosquitto
	@$(BIN)/python -m console.frontend.setup
	@$(BIN)/gengfu demo

test: $(VENV)/tested tools lint
	@$(BIN)/pytest -m "not slow" $(SIDE_BY_SIDE)

test-slow: $(VENV)/tested tools
	@$(BIN)/pytest -m slow --timeout 3600

tools: $(VENV)/tested
	@sh deploy/need.sh mosquitto mosquitto-clients postgresql chromium influxdb victoria-metrics
	@$(BIN)/python -m console.frontend.setup

lint: $(VENV)/tested
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/tested
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

$(VENV)/python:
	@sh deploy/venv.sh $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml
	@echo "installing Gengfu into $(VENV) (a minute the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[frontend]"
	@touch $@

$(VENV)/tested: $(VENV)/installed
	@echo "installing what the tests need"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[frontend,test]"
	@touch $@

clean:
	rm -rf $(VENV) demo-data test-output
