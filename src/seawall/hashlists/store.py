"""All that other layers do with lists in the database, in one place to import from."""

from seawall.hashlists.imports import ImportMode, ImportReport, import_entries
from seawall.hashlists.lists import (
    ListDefinition,
    ListSummary,
    disable_list,
    dispute_entry,
    enable_list,
    ensure_list,
    entries_named,
    find_list,
    get_list,
    remove_entry,
    remove_list,
    summaries,
)

__all__ = [
    "ImportMode",
    "ImportReport",
    "ListDefinition",
    "ListSummary",
    "disable_list",
    "dispute_entry",
    "enable_list",
    "ensure_list",
    "entries_named",
    "find_list",
    "get_list",
    "import_entries",
    "remove_entry",
    "remove_list",
    "summaries",
]
