#!/usr/bin/env bash
# Prints the path of the Python with pymoo; HSNAS_PYMOO_PYTHON names another one.
exec "$(dirname "$0")/../../../scripts/python-venv.sh" pymoo benchmarks/peers/search/requirements.txt HSNAS_PYMOO_PYTHON
