#!/usr/bin/env python3
"""Scores forecasts against what came, from the raw files, sharing no code with what made them.

  tests/forecast/score.py FORECAST.csv TRAIN.csv.gz TEST.csv.gz --m 24    the M4 competition's files
  tests/forecast/score.py FORECAST.csv M3.csv.gz                          id,category,m,h,n_train,values joined by ;
  tests/forecast/score.py --self-test                                     hand-worked cases

FORECAST.csv is what `flyball forecast series --format csv` prints. Measures as the M4 competition defines them
(Makridakis, Spiliotis, Assimakopoulos 2020): sMAPE, MASE, OWA beside Naive2, MSIS, coverage of each level; and their mean
over series. Prints one JSON object a category, with those of seasonal naive and Naive2 in it.
"""
import csv
import gzip
import io
import json
import math
import sys


def open_text(path):
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return io.TextIOWrapper(gzip.open(path, "rb")) if packed else open(path, newline="")


def smape(actual, forecast):
    """In percent; a step of which both are 0 is no error."""
    total = 0.0
    for y, f in zip(actual, forecast, strict=True):
        total += 200 * abs(y - f) / (abs(y) + abs(f)) if y or f else 0.0
    return total / len(actual)


def scale(train, m):
    """The mean absolute error of seasonal naive inside the training part."""
    return sum(abs(train[i] - train[i - m]) for i in range(m, len(train))) / (len(train) - m)


def mase(actual, forecast, divisor):
    return sum(abs(y - f) for y, f in zip(actual, forecast, strict=True)) / len(actual) / divisor


def msis(actual, lower, upper, divisor, level=95):
    penalty = 2 / (1 - level / 100)
    total = 0.0
    for y, low, high in zip(actual, lower, upper, strict=True):
        total += high - low + penalty * max(low - y, 0) + penalty * max(y - high, 0)
    return total / len(actual) / divisor


def coverage(actual, lower, upper):
    return sum(low <= y <= high for y, low, high in zip(actual, lower, upper, strict=True)) / len(actual)


def is_seasonal(train, m):
    """The competition's test: the autocorrelation at m beyond its 90 % limit."""
    n = len(train)
    if m <= 1 or n < 3 * m:
        return False
    mean = sum(train) / n
    variance = sum((x - mean) ** 2 for x in train)
    if variance == 0:
        return False
    acf = [sum((train[i] - mean) * (train[i - k] - mean) for i in range(k, n)) / variance for k in range(1, m + 1)]
    return abs(acf[-1]) > 1.645 * math.sqrt((1 + 2 * sum(r * r for r in acf[:-1])) / n)


def seasonal_indices(train, m):
    """Multiplicative classical decomposition, as R's `decompose` does it."""
    half, n = m // 2, len(train)
    ratios = [[] for _ in range(m)]
    for t in range(half, n - half):
        window = train[t - half : t + half + 1]
        average = sum(window) if m % 2 else sum(window) - (window[0] + window[-1]) / 2
        ratios[t % m].append(train[t] / (average / m))
    indices = [sum(r) / len(r) for r in ratios]
    mean = sum(indices) / m
    return [index / mean for index in indices]


def naive2(train, m, h):
    if not is_seasonal(train, m):
        return [train[-1]] * h
    indices = seasonal_indices(train, m)
    last = train[-1] / indices[(len(train) - 1) % m]
    return [last * indices[(len(train) + k) % m] for k in range(h)]


def seasonal_naive(train, m, h):
    return [train[len(train) - m + k % m] for k in range(h)]


def read_wide(path):
    """{id: values} of the M4 competition's form."""
    with open_text(path) as file:
        rows = csv.reader(file)
        next(rows)
        return {row[0]: [float(cell) for cell in row[1:] if cell != ""] for row in rows}


def read_m3(path):
    """[(id, category, m, train, test)]"""
    out = []
    with open_text(path) as file:
        for row in csv.reader(file):
            values = [float(v) for v in row[5].split(";")]
            known = int(row[4])
            out.append((row[0], row[1].capitalize(), int(row[2]), values[:known], values[known:]))
    return out


def read_forecasts(path):
    """{id: {"mean": [..], "lower_95": [..], ..}}, steps in order."""
    forecasts = {}
    with open_text(path) as file:
        for row in csv.DictReader(file):
            one = forecasts.setdefault(row["id"], {})
            columns = [name for name in row if name not in ("id", "step")]
            if int(row["step"]) != len(one.get("mean", [])) + 1:
                sys.exit(f"{path}: the steps of {row['id']} are not 1, 2, 3, ...")
            for name in columns:
                one.setdefault(name, []).append(float(row[name]))
    return forecasts


def score(series, forecasts):
    """{category: measures}; `series` as read_m3 gives them. A series that was not forecast is an error."""
    sums = {}

    def add(category, name, value):
        total = sums.setdefault(category, {}).setdefault(name, [])
        total.append(value)

    for sid, category, m, train, test in series:
        if sid not in forecasts:
            sys.exit(f"there is no forecast of {sid}")
        ours = {name: values[: len(test)] for name, values in forecasts[sid].items()}
        divisor = scale(train, m)
        paths = {"": ours["mean"], "snaive_": seasonal_naive(train, m, len(test)), "naive2_": naive2(train, m, len(test))}
        for name, path in paths.items():
            add(category, name + "smape", smape(test, path))
            add(category, name + "mase", mase(test, path, divisor))
        levels = [name[6:] for name in ours if name.startswith("lower_")]
        for level in levels:
            bounds = ours["lower_" + level], ours["upper_" + level]
            add(category, "coverage_" + level, coverage(test, *bounds))
            if level == "95":
                add(category, "msis", msis(test, *bounds, divisor))
    for category, measures in sums.items():
        count = len(measures["smape"])
        means = {name: math.fsum(values) / len(values) for name, values in measures.items()}
        for name in ("", "snaive_"):
            means[name + "owa"] = (means[name + "smape"] / means["naive2_smape"] + means[name + "mase"] / means["naive2_mase"]) / 2
        sums[category] = {"series": count, **means}
    return sums


def load(train, test=None, m=None, category="All"):
    if test is None:
        return read_m3(train)
    known, came = read_wide(train), read_wide(test)
    return [(sid, category, m, known[sid], came[sid]) for sid in known]


def self_test():
    near = lambda a, b: abs(a - b) < 1e-12
    assert near(smape([100, 0], [50, 0]), 200 * 50 / 150 / 2)
    assert near(scale([1, 3, 2, 6], 1), (2 + 1 + 4) / 3)
    assert near(scale([1, 3, 2, 6], 2), (1 + 3) / 2)
    assert near(mase([10, 20], [12, 17], 2), 2.5 / 2)
    # One step inside a range of 4, one 1 below its range of 2 (penalty 40 at 95 %), scale 2.
    assert near(msis([5, 1], [3, 2], [7, 4], 2), (4 + 2 + 40 * 1) / 2 / 2)
    assert near(coverage([5, 1], [3, 2], [7, 4]), 0.5)
    assert near(coverage([5, 4], [5, 2], [7, 4]), 1.0)  # bounds are inside
    assert not is_seasonal([1, 2, 3, 4, 5], 4)
    pattern = [1.0, 2.0, 3.0, 2.0] * 6
    assert is_seasonal(pattern, 4)
    assert all(near(a, b) for a, b in zip(seasonal_indices(pattern, 4), [0.5, 1.0, 1.5, 1.0]))
    assert all(near(a, b) for a, b in zip(naive2(pattern, 4, 6), [1, 2, 3, 2, 1, 2]))
    assert naive2([1, 5, 2], 1, 2) == [2, 2]
    assert seasonal_naive([1, 2, 3, 4, 5], 2, 3) == [4, 5, 4]
    series = [("a", "X", 1, [1.0, 3.0, 2.0], [4.0]), ("b", "X", 1, [2.0, 4.0], [4.0])]
    got = score(series, {"a": {"mean": [4.0], "lower_95": [3.0], "upper_95": [5.0]},
                         "b": {"mean": [2.0], "lower_95": [1.0], "upper_95": [3.0]}})["X"]
    assert near(got["mase"], (0 + 2 / 2) / 2) and near(got["coverage_95"], 0.5)
    assert near(got["naive2_mase"], (2 / 1.5 + 0) / 2)
    assert near(got["msis"], (2 / 1.5 + (2 + 40) / 2) / 2)
    assert near(got["owa"], (got["smape"] / got["naive2_smape"] + got["mase"] / got["naive2_mase"]) / 2)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return self_test()
    m = None
    if "--m" in arguments:
        at = arguments.index("--m")
        m = int(arguments[at + 1])
        del arguments[at : at + 2]
    if len(arguments) not in (2, 3) or (len(arguments) == 3) != (m is not None):
        sys.exit(__doc__)
    for category, measures in score(load(*arguments[1:], m), read_forecasts(arguments[0])).items():
        print(json.dumps({"category": category, **{k: round(v, 4) for k, v in measures.items()}}))


if __name__ == "__main__":
    main()
