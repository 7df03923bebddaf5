"""Two runs side by side: `python bench/compare.py BEFORE AFTER`, each a folder of results.

`git worktree add ../before COMMIT` and `make bench` in both make two such folders. Compare rates
only if both were measured in a quiet hour of the same machine; ratios and processor times can
always be compared.
"""

import json
import sys
from pathlib import Path

NOT_FIGURES = ("at", "commit", "form", "machine")


def main(before: Path, after: Path) -> None:
    for path in sorted(after.glob("*.json")):
        other = before / path.name
        if not other.exists():
            continue
        old, new = json.loads(other.read_text()), json.loads(path.read_text())
        print(f"\n{path.stem}: {old.get('commit')} → {new.get('commit')}")
        if old.get("form") != new.get("form"):
            print(f"  not alike: {old.get('form')} and {new.get('form')}")
            continue
        for name, value in new.items():
            was = old.get(name)
            if name in NOT_FIGURES or not isinstance(value, int | float) or was is None:
                continue
            change = f"{(value / was - 1) * 100:+.0f} %" if was else ""
            print(f"  {name:<44}{was:>14,g}{value:>14,g}{change:>9}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
