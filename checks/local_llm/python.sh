#!/usr/bin/env bash
# Prints the path of the Python of the local LLM's server, 210 MB; HSNAS_LLAMA_PYTHON
# names another one. Nothing is built from source: it would take longer than all
# checks together.
exec "$(dirname "$0")/../../scripts/python-venv.sh" llama checks/local_llm/requirements.txt HSNAS_LLAMA_PYTHON --only-binary :all:
