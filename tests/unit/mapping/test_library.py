"""Where mappings and code lists are found, and in what order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.mapping import Library, MappingError

ABOUT = "# source: x\n# version: 1\n# date: 2026-11-20\ncode,word\n"


def put(folder: Path, name: str, template: str, codes: str = "{}") -> Path:
    document, version = name.split("/")
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    head = f"document: {document}\nversion: {version}\ncontent_type: application/json\ncodes: {codes}\n"
    (home / "mapping.yaml").write_text(f"{head}template: {template}\n", encoding="utf-8")
    return home


def put_codes(folder: Path, name: str, row: str) -> None:
    (folder / "codes").mkdir(parents=True, exist_ok=True)
    (folder / "codes" / f"{name}.csv").write_text(ABOUT + row, encoding="utf-8")


def test_an_instance_wins_over_a_pack_over_what_is_shipped(tmp_path: Path) -> None:
    # given the same mapping in a pack and in what is shipped, and its code list in the instance and in the pack
    instance, pack, shipped = (tmp_path / name for name in ("instance", "pack", "shipped"))
    put(pack, "demo/1.0.0", "{a: {$: \"lookup('r', 'x')\"}}", "{r: reasons}")
    put(shipped, "demo/1.0.0", "{a: shipped}")
    put(shipped, "demo/1.1.0", "{a: newer}")
    put_codes(instance, "reasons", "x,ours\n")
    put_codes(pack, "reasons", "x,theirs\n")
    # when found
    library = Library([instance, pack, shipped])
    # then the pack's mapping runs with the instance's words, and a version found nowhere else is the shipped one
    assert json.loads(library.find("demo/1.0.0").run({})) == {"a": "ours"}
    assert json.loads(library["demo/1.1.0"].run({})) == {"a": "newer"}
    assert library.names() == ["demo/1.0.0", "demo/1.1.0"]
    assert library.folder("demo/1.0.0") == pack / "demo/1.0.0"
    assert library.find("demo/1.0.0") is library.find("demo/1.0.0")


@pytest.mark.parametrize(
    "name", ["demo", "demo/1.0", "../demo/1.0.0", "demo/../1.0.0", "/etc/1.0.0", "demo/1.0.0/x", ""]
)
def test_a_name_never_leads_out_of_the_folders(tmp_path: Path, name: str) -> None:
    put(tmp_path, "demo/1.0.0", "{a: 1}")
    with pytest.raises(MappingError, match="is named"):
        Library([tmp_path / "x", tmp_path]).find(name)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    put(tmp_path, "demo/1.0.0", "{a: 1}", "{r: missing}")
    library = Library([tmp_path])
    with pytest.raises(MappingError, match="none of the mapping folders"):
        library.find("other/1.0.0")
    with pytest.raises(MappingError, match="none of the mapping folders") as missing:
        library.find("demo/1.0.0")
    assert missing.value.file == Path("codes/missing.csv")


def test_a_mapping_in_another_version_s_folder_is_refused(tmp_path: Path) -> None:
    home = put(tmp_path, "demo/1.0.0", "{a: 1}")
    home.rename(tmp_path / "demo" / "1.0.1")
    with pytest.raises(MappingError, match="not those of its folder"):
        Library([tmp_path]).find("demo/1.0.1")
