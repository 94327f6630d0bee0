"""A column in integers as a core in Verilog; `program/` holds what is the same in every one."""

from fspinn.backends.verilog.export import check_name, check_room, export_verilog, refuses

__all__ = ["check_name", "check_room", "export_verilog", "refuses"]
