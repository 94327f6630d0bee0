"""A network in integers as a C99 program; `program/` holds what is the same in every one."""

from fspinn.backends.c.export import check_name, export_arduino, export_c, refuses
from fspinn.backends.c.learning import device_grid, dump_bytes, mark_of, read_dump

__all__ = [
    "check_name",
    "device_grid",
    "dump_bytes",
    "export_arduino",
    "export_c",
    "mark_of",
    "read_dump",
    "refuses",
]
