"""What the parts of this check share: lines of JSON, times and percentiles."""

import json
from datetime import datetime


def read_lines(path):
    """The lines of JSON in a file. A last line that is not complete yet is left out."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def seconds(timestamp):
    """A timestamp of the API, in seconds since 1970."""
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def percentile(values, percent):
    """The smallest value that at least this part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def describe(delays):
    """Delays in seconds as a text with milliseconds."""
    p50, p99, most = (1000 * percentile(delays, percent) for percent in (50, 99, 100))
    return f"{len(delays)} in all, half within {p50:.1f} ms, 99 % within {p99:.1f} ms, all within {most:.1f} ms"
