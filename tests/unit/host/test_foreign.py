"""Whatever would run in the hub's process or a host's without being listed is named, and none of it is run (TH08)."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from hub.host.foreign import foreign_code, site_folders, start_up_code, unknown_pth_files


def offer(site: Path, group: str, name: str = "evil") -> None:
    """Install a distribution with an entry point in a group, whose module leaves a trace when imported."""
    (site / f"{name}.py").write_text(f"open({str(site / 'RAN')!r}, 'a').write('x')\nplugin = None\n")
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}:plugin\n")


def test_what_is_installed_here_is_known() -> None:
    assert foreign_code(site_folders()) == []


@pytest.mark.parametrize("group", ["pydantic", "kombu.serializers", "alembic.plugins", "sqlalchemy.dialects"])
def test_th08_a_distribution_that_a_library_of_ours_would_import_by_itself_is_named(tmp_path: Path, group: str) -> None:
    offer(tmp_path, group)
    assert foreign_code([], [str(tmp_path)]) == [f"evil (entry point in {group})"]
    assert not (tmp_path / "RAN").exists()


def test_entry_points_that_nothing_of_ours_loads_pass(tmp_path: Path) -> None:
    offer(tmp_path, "console_scripts")
    assert foreign_code([], [str(tmp_path)]) == []


def test_pydantic_imports_no_plugin_of_its_own_once_the_hub_is_there(tmp_path: Path) -> None:
    # given a distribution that says it is pydantic's plugin, and an environment that lets it
    offer(tmp_path, "pydantic")
    code = (
        "import sys; sys.path.append(sys.argv[1]); {first}\n"
        "from pydantic import BaseModel\nclass Anything(BaseModel): ..."
    )
    words = [sys.executable, "-c", code.format(first="import hub"), str(tmp_path)]
    # when a model is made, then it did not run, though without the hub it does
    subprocess.run(words, check=True, env={"PYDANTIC_DISABLE_PLUGINS": ""}, capture_output=True)
    assert not (tmp_path / "RAN").exists()
    words[2] = code.format(first="pass")
    subprocess.run(words, check=False, env={}, capture_output=True)
    assert (tmp_path / "RAN").exists()


@pytest.mark.parametrize("name", ["sitecustomize.py", "usercustomize.py", "sitecustomize.pyc", "usercustomize"])
def test_a_module_that_every_interpreter_imports_at_its_start_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir() if "." not in name else (tmp_path / name).write_bytes(b"")
    assert start_up_code([tmp_path], []) == [tmp_path / name]
    assert foreign_code([], [str(tmp_path)]) == [str(tmp_path / name)]


@pytest.mark.parametrize(
    "content",
    [
        b"import os",
        b"/a/folder\nimport os; os.system('x')\n",
        b"import\tos\n",
        b"\xef\xbb\xbfimport os\n",
        b"a\rimport os",
    ],
)
def test_a_start_up_file_that_runs_code_is_refused_unless_known(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "evil.pth"
    file.write_bytes(content)
    assert unknown_pth_files([tmp_path]) == [file]
    assert unknown_pth_files([tmp_path], [("evil.pth", hashlib.sha256(content).hexdigest())]) == []
    assert unknown_pth_files([tmp_path], [("evil.pth", "0" * 64)]) == [file]


def test_a_start_up_file_that_only_names_folders_passes(tmp_path: Path) -> None:
    (tmp_path / "editable.pth").write_text("/a/folder\n# import nothing\n\nimportant/folder\n")
    assert unknown_pth_files([tmp_path, tmp_path / "absent"]) == []
