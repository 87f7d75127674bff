#!/usr/bin/env bash
# Prints the path of the Python with PyTorch, 5.4 GB, as its x86-64 build comes with
# CUDA; HSNAS_TORCH_PYTHON names another one.
exec "$(dirname "$0")/../../../scripts/python-venv.sh" torch benchmarks/peers/micro/requirements.txt HSNAS_TORCH_PYTHON
