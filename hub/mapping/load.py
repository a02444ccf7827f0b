"""Loading a mapping folder: its head, its code lists and its template, each fault with file, line and column."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from hub.mapping.codes import FindCodes, codes_in
from hub.mapping.document import Place, Table, Tree, Word, read_bytes, read_document
from hub.mapping.encode import encoder
from hub.mapping.expression import Compiler
from hub.mapping.template import Builder, Mapping

FILE = "mapping.yaml"

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]


class _Head(BaseModel):
    """Everything in a mapping file except the template."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    document: _Name
    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    content_type: Annotated[
        str,
        StringConstraints(
            pattern=r"^(application/(([a-z0-9.-]+\+)?json|xml|x-www-form-urlencoded)|text/csv)"
            r"(; ?[A-Za-z-]+=[\w./-]+)*$"
        ),
    ]
    codes: dict[_Name, _Name] = {}


def load_mapping(folder: Path, codes: Path | FindCodes) -> Mapping:
    """Load and check `<folder>/mapping.yaml`; raise `MappingError` for the first thing wrong with it.

    `codes` is the folder of code lists, or a look-up such as `Library.codes`.
    """
    file = folder / FILE
    content = read_bytes(file)
    tree = read_document(file, content)
    if not isinstance(tree, Table):
        raise tree.place.wrong("a mapping has document, version, content_type, codes and template")
    template = tree.entries.get("template")
    if not isinstance(template, Table) and (template is None or isinstance(template, Word)):
        raise tree.place.wrong("a mapping has a template, in the shape of the target document")
    head = _head(tree)
    find = codes_in(codes) if isinstance(codes, Path) else codes
    lists = {local: find(name) for local, name in head.codes.items()}
    builder = Builder(Compiler(lists))
    part = builder.build(template)
    encode = encoder(head.content_type, head.document, template)
    source = hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
    whole = "\n".join([source, *(f"{local} {lists[local].digest}" for local in sorted(lists))])
    return Mapping(
        document=head.document,
        version=head.version,
        content_type=head.content_type,
        categories=frozenset(builder.categories),
        digest=hashlib.sha256(whole.encode()).hexdigest(),
        source_digest=source,
        part=part,
        encode=encode,
    )


def _head(tree: Table) -> _Head:
    plain = {key: _plain(each) for key, each in tree.entries.items() if key != "template"}
    try:
        return _Head.model_validate(plain)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        names = [str(name) for name in error["loc"]]
        place = _place(tree, names)
        raise place.wrong(f"{'.'.join(names)}: {error['msg']}") from None


def _plain(tree: Tree) -> object:
    if isinstance(tree, Word):
        return tree.value
    if isinstance(tree, Table):
        return {key: _plain(each) for key, each in tree.entries.items()}
    return [_plain(each) for each in tree.items]


def _place(tree: Table, names: list[str]) -> Place:
    found: Tree = tree
    for name in names:
        if not isinstance(found, Table) or name not in found.entries:
            break
        found = found.entries[name]
    return found.place
