"""Where mappings and code lists are found: an instance's folder before a pack's before what the hub ships."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hub.mapping.codes import CodeList, read_codes
from hub.mapping.document import MappingError, Place
from hub.mapping.load import FILE, load_mapping
from hub.mapping.template import Mapping

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*/\d{1,4}\.\d{1,4}\.\d{1,4}")


class Library:
    """Mappings as `<folder>/<document>/<version>`, code lists as `<folder>/codes/<name>.csv`, each read once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Take the folders in order of preference."""
        self._folders = tuple(folders)
        self._mappings: dict[str, Mapping] = {}
        self._codes: dict[str, CodeList] = {}

    def find(self, name: str) -> Mapping:
        """Return the mapping `<document>/<version>`; raise `MappingError` when it is not there or is wrong."""
        if name not in self._mappings:
            self._mappings[name] = self._load(name)
        return self._mappings[name]

    def __getitem__(self, name: str) -> Mapping:
        """Return a mapping as a dictionary would; raise `KeyError` where `find` raises `MappingError`."""
        try:
            return self.find(name)
        except MappingError as error:
            raise KeyError(name) from error

    def folder(self, name: str) -> Path:
        """Return the folder that `<document>/<version>` is loaded from; raise `MappingError` when there is none."""
        if not _NAME.fullmatch(name):
            raise Place(Path(FILE)).wrong("a mapping is named <document>/<version>, as in duty-to-refer/1.0.0")
        found = next((folder / name for folder in self._folders if (folder / name / FILE).is_file()), None)
        if found is None:
            raise MappingError(Path(name) / FILE, 0, 0, "is in none of the mapping folders")
        return found

    def codes(self, name: str) -> CodeList:
        """Return a code list by name; raise `MappingError` when it is not there or is wrong."""
        if name not in self._codes:
            files = [folder / "codes" / f"{name}.csv" for folder in self._folders]
            file = next((file for file in files if file.is_file()), None)
            if file is None:
                raise MappingError(Path("codes") / f"{name}.csv", 0, 0, "is in none of the mapping folders")
            self._codes[name] = read_codes(file)
        return self._codes[name]

    def names(self) -> list[str]:
        """Return every mapping there is, as `<document>/<version>`, sorted."""
        found = {
            "/".join(file.parent.parts[-2:]) for folder in self._folders for file in sorted(folder.glob(f"*/*/{FILE}"))
        }
        return sorted(name for name in found if _NAME.fullmatch(name))

    def _load(self, name: str) -> Mapping:
        folder = self.folder(name)
        mapping = load_mapping(folder, self.codes)
        if f"{mapping.document}/{mapping.version}" != name:
            raise Place(folder / FILE, 1, 1).wrong("document and version are not those of its folder")
        return mapping
