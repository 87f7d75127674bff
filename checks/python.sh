#!/usr/bin/env bash
# Prints the path of the Python of the checks; HSNAS_PYTHON names another one.
exec "$(dirname "$0")/../scripts/python-venv.sh" checks checks/requirements.txt HSNAS_PYTHON
