"""Writes the parts of README.md that are made from the code: the folder map and the state tables."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from hub.domain.answer import PROVES, TASK_STATUS, USUAL, AnswerState
from hub.domain.barrier import MOVES as BARRIER_MOVES
from hub.domain.delivery import ENDED, MOVES

ROOT = Path(__file__).parents[2]


def folders() -> str:
    """Return each part of the hub with the sentence that its own docstring starts with."""
    parts = [path for path in (ROOT / "hub").iterdir() if (path / "__init__.py").is_file()]
    files = [path for path in (ROOT / "hub").glob("*.py") if path.name != "__init__.py"]
    told = {f"{path.name}/": path / "__init__.py" for path in sorted(parts)} | {
        path.name: path for path in sorted(files)
    }
    width = max(map(len, told)) + 1
    lines = [f"  {name:{width}}{_first_line(path)}" for name, path in told.items()]
    return "\n".join(["```", "hub/", *lines, "```"])


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def deliveries() -> str:
    """Return the delivery table as a Mermaid state diagram."""
    return _diagram(MOVES, sorted(ENDED))


def barriers() -> str:
    """Return the barrier table as a Mermaid state diagram."""
    return _diagram(BARRIER_MOVES)


def _diagram(moves: Mapping[tuple[str | None, str], str], ended: Sequence[str] = ()) -> str:
    """One arrow for each pair of states."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (start, event), end in moves.items():
        arrows[start or "[*]", end].append(event.replace("_", " "))
    lines = [f"    {start} --> {end}: {', '.join(events)}" for (start, end), events in arrows.items()]
    lines += [f"    {state} --> [*]" for state in ended]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def answers() -> str:
    """Return the answer table: what each state is called in FHIR, the rung it proves, and what usually follows."""
    rows = [
        f"| {state} | {TASK_STATUS[state]} | {PROVES[state].name} | {_followed_by(state)} |" for state in AnswerState
    ]
    return "\n".join(["| answer | FHIR Task | proves | usually followed by |", "|---|---|---|---|", *rows])


def _followed_by(state: AnswerState) -> str:
    usual = USUAL[state] - {state}
    missing = [other for other in AnswerState if other not in usual | {state, AnswerState.AWAITED}]
    if not usual:
        return "nothing"
    if len(usual) < len(missing):
        return ", ".join(other for other in AnswerState if other in usual)
    return "any other" + (f" but {', '.join(missing)}" if missing else "")


#: The blocks, each between a comment of its name and the comment that ends it.
BLOCKS = {"folders": folders, "delivery states": deliveries, "answers": answers, "barriers": barriers}


def written(text: str) -> str:
    """Return the page with every block made afresh; raise `ValueError` where a block has no place in it."""
    for name, make in BLOCKS.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not block.search(text):
            raise ValueError(f"README.md has no place for: {name}")
        fresh = make()
        text = block.sub(lambda found, fresh=fresh: f"{found[1]}{fresh}\n{found[2]}", text)
    return text


def main() -> int:
    """Write the blocks, or with `--check` tell whether they are as they would be written."""
    page = ROOT / "README.md"
    before = page.read_text(encoding="utf-8")
    after = written(before)
    if "--check" in sys.argv:
        if before != after:
            sys.stderr.write("README.md is behind the code: run make readme\n")
        return int(before != after)
    page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
