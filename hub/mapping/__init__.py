"""Mappings: what each partner's document is made from, as data that is checked before it is ever run."""

from hub.domain.errors import MissingLeaf
from hub.mapping.cases import CaseResult, run_cases
from hub.mapping.codes import CodeList, read_codes
from hub.mapping.document import MappingError
from hub.mapping.library import Library
from hub.mapping.load import load_mapping
from hub.mapping.template import Mapping, NotSendable

__all__ = [
    "CaseResult",
    "CodeList",
    "Library",
    "Mapping",
    "MappingError",
    "MissingLeaf",
    "NotSendable",
    "load_mapping",
    "read_codes",
    "run_cases",
]
