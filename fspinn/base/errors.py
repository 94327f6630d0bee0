"""What can go wrong, one class per kind of thing that the user can fix.

Every message is one line: it names the thing, says what is wrong with it and how to fix it.
The command line prints that line and exits with status 2, or 3 where a search could not finish.
"""


class FspinnError(Exception):
    """Base of all errors that fspinn raises on purpose."""


class FspinnWarning(UserWarning):
    """Something that is allowed and probably not meant; the command line shows it in one line too."""


class DataError(FspinnError, ValueError):
    """Images or labels that cannot be had, read or used."""


class ConfigError(FspinnError, ValueError):
    """A parameter, option or configuration file that makes no sense."""


class FormatError(FspinnError, ValueError):
    """A number format that does not exist or cannot hold the values."""


class ModelFileError(FspinnError, ValueError):
    """A model file that is missing, damaged or of another version."""


class HardwareError(FspinnError, ValueError):
    """A hardware description that is missing, incomplete or impossible."""


class UnfinishedError(FspinnError, RuntimeError):
    """Work that something from outside has stopped: a full disk, workers that do not start."""
