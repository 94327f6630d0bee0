"""A network in integers as a C99 program; `program/` holds what is the same in every one."""

from fspinn.backends.c.export import check_name, export_arduino, export_c, refuses

__all__ = ["check_name", "export_arduino", "export_c", "refuses"]
