"""Compares query data that was just made with the `.sqlx` folders, or replaces them: see `run`."""

import json
import os
import sys
from pathlib import Path

mode, root, found = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
differences = 0


def read(folder):
    return {file.name: file.read_text() for file in folder.glob("query-*.json")}


for crate in sys.argv[4:]:
    crate = crate.partition("=")[0]
    stored_in = root / crate / ".sqlx"
    stored, needed = read(stored_in), read(found / crate)
    changed = {name for name in stored.keys() | needed.keys() if stored.get(name) != needed.get(name)}
    for name in sorted(changed):
        if name not in stored:
            what = "has no query data"
        elif name not in needed:
            what = "is no longer in the code"
        else:
            what = "has query data of other tables"
        query = " ".join(json.loads(needed.get(name) or stored[name])["query"].split())
        if len(query) > 200:
            query = query[:200] + " …"
        print(f"{crate}: a statement {what}: {query}")
        if mode == "--write":
            stored_in.mkdir(exist_ok=True)
            if name in needed:
                (stored_in / name).write_text(needed[name])
            else:
                (stored_in / name).unlink()
    if changed and mode == "--write":
        # Cargo does not know that the crate depends on these files.
        os.utime(root / crate / "src" / "lib.rs")
    differences += len(changed)
    print(f"{crate}: {len(needed)} statements fit the tables")

if differences and mode != "--write":
    sys.exit("queries: run `checks/queries/run --write` and commit the .sqlx folders")
