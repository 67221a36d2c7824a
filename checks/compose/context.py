"""Copies the files of this repository that .dockerignore lets into the build of the images.

    git ls-files | context.py FOLDER
"""

import shutil
import sys
from pathlib import Path, PurePath

rules = [line for line in Path(".dockerignore").read_text().split("\n") if line and not line.startswith("#")]


def matches(path, rule):
    parts = PurePath(path).parts
    if rule == "*":
        return True
    if rule.startswith("**/"):
        return any(PurePath(part).match(rule[3:]) for part in parts)
    return PurePath(rule).parts == parts[: len(PurePath(rule).parts)]


for path in sys.stdin.read().split():
    is_ignored = False
    for rule in rules:
        if matches(path, rule.removeprefix("!")):
            is_ignored = not rule.startswith("!")
    if not is_ignored:
        target = Path(sys.argv[1], path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
