#!/usr/bin/env python3
"""The targets of docs/FORECAST.md on the public data, by bench/forecast. Exit 77 (skipped) where the data is not.

  tests/forecast/accuracy.py FLYBALL      the data lies in $FLYBALL_SHARED_DATA/forecast
"""
import os
import pathlib
import subprocess
import sys

data = pathlib.Path(os.environ.get("FLYBALL_SHARED_DATA") or "/nonexistent") / "forecast"
if not (data / "M4_Hourly-train.csv.gz").exists():
    print(f"skipped: {data} has no M4 files; FLYBALL_SHARED_DATA names the folder above it")
    sys.exit(77)
if os.environ.get("FLYBALL_SANITIZED"):
    print("skipped: a sanitizer would take minutes for numbers that do not depend on it")
    sys.exit(77)
bench = pathlib.Path(__file__).resolve().parents[2] / "bench/forecast"
sys.exit(subprocess.run([sys.executable, str(bench), str(data), "--flyball", sys.argv[1], "--check"], check=False).returncode)
