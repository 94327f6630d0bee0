"""What can be set, and is this value one? Frozen dataclasses whose fields describe and check themselves.

A class under `described` has fields made by `setting`, each with its limits, unit and source. They are
checked when an object is made; its docstring, files, ``--set name=value`` and ``fspinn info --settings``
are made from them. A class variable `kind` makes a class a member of a family, such as the encoders: the
field that holds one is set by that word, and the fields of the member have names of their own beside it.
Where a field holds several parts in a row, such as the layers of a network, bare names mean the first of
them, and ``layers.2.neurons`` is a setting of the second.
"""

import re
import types
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from inspect import cleandoc
from typing import Any, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from fspinn.base.checks import number, whole_number
from fspinn.base.errors import ConfigError

Described = TypeVar("Described")

_OF_FURTHER = re.compile(r"(\w+)\.([1-9]\d*)\.(\w+)")
"""The name of a setting of one of several parts in a row."""

MAX_IN_A_ROW = 10
"""Parts in a row that names can make."""

MAX_NUMBER = 1e12
MAX_WHOLE = 2**31


@dataclass(frozen=True)
class Setting:
    """What is known about a field besides its type and default.

    Parameters
    ----------
    help : str
        One sentence.
    unit : str, default ""
    source : str, default "fspinn"
        Where the default is from.
    name : str or None, default None
        The name by which it is set; None is that of the field.
    above, at_least, at_most : float or None, default None
        Limits of a number.
    choices : tuple of str, default ()
        What a word can be.
    further : callable or None, default None
        Of several parts in a row: takes one and returns the next one, before its settings are changed.
    """

    help: str
    unit: str = ""
    source: str = "fspinn"
    name: str | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    further: Any = None


def setting(help: str, *, default: Any, **more: Any) -> Any:
    """Return a field with a default; `more` are further parameters of `Setting`."""
    return field(default=default, metadata={"setting": Setting(help, **more)})


@dataclass_transform(frozen_default=True, field_specifiers=(setting,))
def described(cls: type[Described]) -> type[Described]:
    """Make a class a frozen dataclass whose fields are checked, and listed in its docstring.

    Its own `__post_init__`, or an inherited one, comes after the checks of the single fields.
    """
    own = getattr(cls, "__post_init__", None)

    def check(self: Any) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _checked(type(self), each, getattr(self, each.name)))
        if own is not None:
            own(self)

    cls.__post_init__ = check  # type: ignore[attr-defined]
    made = dataclass(frozen=True)(cls)
    lines = [line for each in fields(made) for line in _documented(each)]  # type: ignore[arg-type]
    listed = ["", "Parameters", "----------", *lines] if lines else []
    made.__doc__ = "\n".join([cleandoc(cls.__doc__ or ""), *listed])
    return made


def members(family: Any) -> dict[str, type[Any]]:
    """Return the classes of a family, a union such as `fspinn.network.Encoder`, by their kind."""
    return {one.kind: one for one in get_args(family) or (family,)}


def families(cls: type[Any]) -> tuple[str, ...]:
    """Return the names of the settings that choose a member of a family."""
    return tuple(_name(each) for each, owner in _all_fields(cls) if _is_family(owner, each))


def check_setting(cls: type[Any], name: str, value: Any) -> None:
    """Raise `ConfigError` if no setting of a class, or of its parts, of that name can have that value."""
    refused = ConfigError(_unknown(cls, name, [_name(each) for each, _ in _all_fields(cls)]))
    for each, owner in _all_fields(cls):
        if _name(each) == bare(name) and not _misplaced(cls, name):
            try:
                _check_family(owner, each, value) if _is_family(owner, each) else _checked(owner, each, value)
            except ConfigError as error:
                refused = error
            else:
                return
    raise refused


def settings_of(described_object: Any) -> dict[str, Any]:
    """Return all settings of an object by name, those of the parts that it is made of among them.

    >>> from fspinn.network import Network
    >>> settings = settings_of(Network.dense(neurons=100))
    >>> settings["neurons"], settings["encoder"], settings["rate_norm_hz"]
    (100, 'poisson', 570.0)
    """
    found: dict[str, Any] = {}
    for each in fields(described_object):
        value = getattr(described_object, each.name)
        if _is_family(type(described_object), each):
            found[_name(each)] = value.kind
        for place, part in enumerate(_parts(value)):
            found |= {_of(each, place, name): one for name, one in settings_of(part).items()}
        if not _parts(value):
            found[_name(each)] = value
    return found


def with_settings(described_object: Described, given: Mapping[str, Any]) -> Described:
    """Return an object with other settings, given by name.

    A word for a family (``{"encoder": "regular"}``) changes to that member, with the settings that both have.

    Raises
    ------
    ConfigError
        If there is no such setting, or its value makes no sense.
    """
    if not is_dataclass(described_object) or not isinstance(given, Mapping):
        raise ConfigError(
            f"settings: {given!r} cannot change a {type(described_object).__name__}; give a network or a "
            'learner, and names with values such as {"threshold": 25.0}'
        )
    used: set[str] = set()
    changed: Described = _changed(described_object, given, used)
    for name in given:
        if name not in used:
            raise ConfigError(_unknown(type(described_object), name, list(settings_of(changed))))
    return changed


def flattened(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as tables of a TOML file give them by full name: those of ``[layers.2]`` among them.

    >>> flattened({"neurons": 16, "layers": {"2": {"neurons": 400}}})
    {'neurons': 16, 'layers.2.neurons': 400}
    """
    found: dict[str, Any] = {}
    for name, value in written.items():
        several = value if isinstance(value, list) else value.values() if isinstance(value, dict) else []
        if isinstance(value, list) and any(isinstance(one, dict) for one in several):
            raise ConfigError(f"{name}: tables are numbered; write [{name}.2] instead of [[{name}]]")
        if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
            for number, table in value.items():
                if not isinstance(table, dict) or not table:
                    raise ConfigError(
                        f"{name}.{number}: {table!r} has no settings; write [{name}.{number}] and at least "
                        "neurons"
                    )
                found |= {f"{name}.{number}.{inner}": one for inner, one in table.items()}
        else:
            found[name] = value
    return found


def bare(name: str) -> str:
    """Return what a setting is called by the part that has it.

    >>> bare("layers.2.neurons"), bare("neurons")
    ('neurons', 'neurons')
    """
    return name.rpartition(".")[2] if _OF_FURTHER.fullmatch(name) else name


def differences(described_object: Any, other: Any) -> dict[str, Any]:
    """Return the settings that an object does not share with another, by name, in its order."""
    theirs = settings_of(other)
    return {
        name: value
        for name, value in settings_of(described_object).items()
        if name not in theirs or theirs[name] != value
    }


def parsed(cls: type[Any], name: str, text: str) -> Any:
    """Return the value that a text stands for as a setting of a class, or of its parts.

    Raises
    ------
    ConfigError
        If there is no such setting, or the text is not a value of its type.
    """
    for each, owner in _all_fields(cls):
        if _name(each) == bare(name) and not _misplaced(cls, name):
            return _parsed(name, text, _hints(owner)[each.name])
    raise ConfigError(_unknown(cls, name, [_name(each) for each, _ in _all_fields(cls)]))


def as_plain(value: Any) -> Any:
    """Return an object and its parts as values that fit in JSON; `from_plain` makes it again."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        return kind | {each.name: as_plain(getattr(value, each.name)) for each in fields(value)}
    return [as_plain(one) for one in value] if isinstance(value, tuple) else value


def from_plain(hint: Any, plain: Any) -> Any:
    """Return the object of a described class, or of a family, that `as_plain` wrote.

    Raises
    ------
    ConfigError
        If it holds something else.
    """
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(from_plain(inner, one) for one in plain)
    classes: list[Any] = [one for one in _alternatives(hint) if is_dataclass(one)]
    if not classes or (plain is None and type(None) in _alternatives(hint)):
        return tuple(plain) if isinstance(plain, list) else plain
    if not isinstance(plain, Mapping):
        raise ConfigError(f"settings: {plain!r} does not describe a {classes[0].__name__}")
    given = dict(plain)
    kind = given.pop("kind", None)
    cls = classes[0] if kind is None else {one.kind: one for one in classes}.get(kind)
    if cls is None:
        raise ConfigError(f"settings: unknown kind {kind!r}; this version of fspinn does not have it")
    hints = _hints(cls)
    for name in given:
        if name not in hints:
            raise ConfigError(f"settings: {cls.__name__} has no setting {name!r} in this version of fspinn")
    return cls(**{name: from_plain(hints[name], value) for name, value in given.items()})


@dataclass(frozen=True)
class Row:
    """A line of the reference of all settings; the fields of `Setting`, in words.

    Parameters
    ----------
    name, default, unit, allowed, source, help : str
    belongs_to : str
        The choice that brings it, such as ``"encoder = poisson"``, or ``""``.
    """

    name: str
    default: str
    unit: str
    allowed: str
    source: str
    help: str
    belongs_to: str = ""


def reference(cls: type[Any]) -> list[Row]:
    """Return a row for each setting of a class and of all that its parts can be."""
    rows: dict[Row, list[str]] = {}
    for row in _rows(cls, ""):
        rows.setdefault(replace(row, belongs_to=""), []).append(row.belongs_to)
    return [replace(row, belongs_to=_merged(several)) for row, several in rows.items()]


def other_defaults(row: Row, starts: Mapping[str, Any]) -> dict[str, str]:
    """Return the default of a setting where one starts from other settings than those of the class, by name.

    Left out are those that start without this setting, and those that have the same default.
    """
    family, _, kinds = row.belongs_to.partition(" = ")
    found = {}
    for name, start in starts.items():
        settings = settings_of(start)
        if row.name not in settings or (family and settings.get(family) not in kinds.split(" or ")):
            continue
        default = _shown(settings[row.name])
        if default != row.default:
            found[name] = default
    return found


def _merged(several: list[str]) -> str:
    """Return ``"rule = pair or timestep"`` for ``"rule = pair"`` and ``"rule = timestep"``."""
    first, *more = dict.fromkeys(several)
    family = first.partition(" = ")[0]
    return " or ".join([first, *(one.removeprefix(f"{family} = ") for one in more)])


def _rows(cls: type[Any], belongs_to: str) -> list[Row]:
    rows = []
    for each in fields(cls):
        hint, known = _hints(cls)[each.name], _setting(each)
        parts = _part_classes(hint)
        if _is_family(cls, each):
            allowed = ", ".join(one.kind for one in parts)
            rows.append(
                Row(_name(each), _kind(each.default), "", allowed, known.source, known.help, belongs_to)
            )
            for part in parts:
                rows += _rows(part, f"{_name(each)} = {part.kind}")
        elif parts:
            rows += [row for part in parts for row in _rows(part, belongs_to)]
        else:
            default = _shown(each.default)
            allowed = _allowed(hint, known)
            rows.append(Row(_name(each), default, known.unit, allowed, known.source, known.help, belongs_to))
    return rows


def _setting(each: Field[Any]) -> Setting:
    known: Setting = each.metadata["setting"]
    return known


def _name(each: Field[Any]) -> str:
    return _setting(each).name or each.name


_known_hints: dict[Any, dict[str, Any]] = {}


def _hints(cls: Any) -> dict[str, Any]:
    if cls not in _known_hints:
        _known_hints[cls] = get_type_hints(cls)
    return _known_hints[cls]


def _kind(value: Any) -> str:
    kind: str = value.kind
    return kind


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Return what a union is made of, or the type itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _part_classes(hint: Any) -> list[type[Any]]:
    """Return the described classes that a field can hold: one, or several in a row."""
    inner: Any = get_args(hint)[0] if get_origin(hint) is tuple else hint
    classes: list[Any] = [one for one in _alternatives(inner) if is_dataclass(one)]
    return classes


def _is_family(cls: type[Any], each: Field[Any]) -> bool:
    return any(hasattr(one, "kind") for one in _part_classes(_hints(cls)[each.name]))


def _parts(value: Any) -> tuple[Any, ...]:
    several = value if isinstance(value, tuple) else (value,)
    return tuple(one for one in several if is_dataclass(one))


def _checked(cls: type[Any], each: Field[Any], value: Any) -> Any:
    """Return the value of a field as it is kept, or raise `ConfigError`."""
    hint, name, known = _hints(cls)[each.name], _name(each), _setting(each)
    alternatives = _alternatives(hint)
    if type(None) in alternatives and (value is None or value == "none"):  # TOML has no word for nothing
        return None
    classes = _part_classes(hint)
    if classes:
        several = get_origin(alternatives[0]) is tuple
        value = tuple(value) if several and isinstance(value, list) else value
        if isinstance(value, tuple) != several:
            what = f"a tuple of {classes[0].__name__}s" if several else "one part"
            raise ConfigError(f"{name}: {value!r} is not {what}; give {what}")
        for one in value if isinstance(value, tuple) else (value,):
            if type(one) not in classes:
                words = ", ".join(f"{cls.__name__}()" for cls in classes)
                raise ConfigError(f"{name}: {one!r} is not one of {words}; give one of these")
        return value
    if get_origin(alternatives[0]) is tuple:
        return _pair(name, value)
    if alternatives[0] is str:
        if value not in known.choices:
            raise ConfigError(f"{name}: {_not_among(value, known.choices)}")
        return value
    if alternatives[0] is int:
        low = int(known.at_least or 0)
        return whole_number(name, value, low, MAX_WHOLE if known.at_most is None else int(known.at_most))
    most = MAX_NUMBER if known.at_most is None else known.at_most
    return number(name, value, above=known.above, at_least=known.at_least, at_most=most)


def _pair(name: str, value: Any) -> tuple[int, int]:
    """Return two whole numbers; one stands for both."""
    several = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(several) != 2:
        raise ConfigError(f"{name}: {value!r} is not a size; give one number, or height and width")
    height, width = (whole_number(name, one, 1, MAX_WHOLE) for one in several)
    return height, width


def _changed(described_object: Any, given: Mapping[str, Any], used: set[str]) -> Any:
    cls, new = type(described_object), {}
    for each in fields(cls):
        name, value = _name(each), getattr(described_object, each.name)
        if _is_family(cls, each) and name in given:
            used.add(name)
            value = _as_kind(_check_family(cls, each, given[name]), value)
        parts = _parts(value)
        if isinstance(value, tuple) and parts:
            new[each.name] = _changed_in_a_row(each, parts, given, used)
        elif parts:
            new[each.name] = _changed(parts[0], given, used)
        elif name in given:
            used.add(name)
            new[each.name] = given[name]
        else:
            new[each.name] = value
    return cls(**new)


def _of(each: Field[Any], place: int, name: str) -> str:
    """Return the full name of a setting of a part, counted from 0."""
    return name if place == 0 else f"{each.name}.{place + 1}.{name}"


def _changed_in_a_row(
    each: Field[Any], parts: tuple[Any, ...], given: Mapping[str, Any], used: set[str]
) -> tuple[Any, ...]:
    """Return several parts with other settings; a name of one that is not there makes it."""
    matches = [match for name in given if (match := _OF_FURTHER.fullmatch(name))]
    named = [(int(match[2]) - 1, match[3], given[match[0]]) for match in matches if match[1] == each.name]
    count = max([len(parts), *(place + 1 for place, *_ in named)])
    if count > MAX_IN_A_ROW:
        raise ConfigError(f"{each.name}: number {count} is above {MAX_IN_A_ROW}; count them from 1 on")
    changed = [_changed(parts[0], given, used)]
    for place in range(1, count):
        if place >= len(parts) and place not in {at for at, *_ in named}:
            raise ConfigError(
                f"{each.name}.{count}: there is no number {place + 1} before it; number them in a row"
            )
        part = parts[place] if place < len(parts) else _setting(each).further(changed[-1])
        used_here: set[str] = set()
        own = {name: value for at, name, value in named if at == place}
        try:
            changed.append(_changed(part, own, used_here))
        except ConfigError as error:
            raise ConfigError(_of(each, place, str(error))) from None
        used |= {_of(each, place, name) for name in used_here}
    return tuple(changed)


def _check_family(cls: type[Any], each: Field[Any], word: Any) -> type[Any]:
    """Return the member of a family that a word stands for."""
    kinds = {one.kind: one for one in _part_classes(_hints(cls)[each.name])}
    if not isinstance(word, str) or word not in kinds:
        raise ConfigError(f"{_name(each)}: {_not_among(word, tuple(kinds))}")
    found: type[Any] = kinds[word]
    return found


def _as_kind(cls: type[Any], value: Any) -> Any:
    """Return a member of a family with the settings that it shares with another."""
    shared = {_name(each): getattr(value, each.name) for each in fields(value)}
    return cls(**{each.name: shared[_name(each)] for each in fields(cls) if _name(each) in shared})


def _all_fields(cls: type[Any]) -> list[tuple[Field[Any], type[Any]]]:
    """Return the fields of a class and of all that its parts can be, each with its class."""
    found: list[tuple[Field[Any], type[Any]]] = []
    for each in fields(cls):
        parts = _part_classes(_hints(cls)[each.name])
        if not parts or _is_family(cls, each):
            found.append((each, cls))
        for part in parts:
            found += _all_fields(part)
    return found


def _parsed(name: str, text: str, hint: Any) -> Any:
    alternatives = _alternatives(hint)
    if text.lower() == "none" and type(None) in alternatives:
        return None
    kind = alternatives[0]
    if kind is str or is_dataclass(kind):
        return text
    try:
        if get_origin(kind) is tuple:
            return tuple(int(part) for part in text.lower().split("x")) if "x" in text.lower() else int(text)
        return int(text) if kind is int else float(text)
    except ValueError:
        what = "a whole number" if kind is int else "a size" if get_origin(kind) is tuple else "a number"
        raise ConfigError(f"{name}: {text!r} is not {what}; give one") from None


def _in_a_row(cls: type[Any]) -> dict[str, list[str]]:
    """Return the fields of a class and its parts that hold several in a row, and their settings."""
    found: dict[str, list[str]] = {}
    for each in fields(cls):
        hint = _hints(cls)[each.name]
        parts = _part_classes(hint)
        if parts and get_origin(_alternatives(hint)[0]) is tuple:
            found[each.name] = [_name(inner) for part in parts for inner, _ in _all_fields(part)]
        else:
            for part in parts:
                found |= _in_a_row(part)
    return found


def _misplaced(cls: type[Any], name: str) -> bool:
    """Return whether a name has a number that no part with such a setting is named by."""
    numbered = _OF_FURTHER.fullmatch(name)
    return numbered is not None and (
        numbered[2] == "1" or numbered[3] not in _in_a_row(cls).get(numbered[1], ())
    )


def _unknown(cls: type[Any], name: str, present: list[str]) -> str:
    in_a_row, numbered = _in_a_row(cls), _OF_FURTHER.fullmatch(name)
    if numbered and numbered[2] == "1" and numbered[3] in in_a_row.get(numbered[1], ()):
        return f"{name}: settings of the first of the {numbered[1]} have no number; write {numbered[3]}"
    rows = [row for row in reference(cls) if row.name == bare(name)]
    belongs_to = [row.belongs_to for row in rows if row.belongs_to]
    if belongs_to and name not in present and not _misplaced(cls, name):
        prefix = name.removesuffix(bare(name))
        return f"{name}: needs {prefix}{_merged(belongs_to)}; set that too, or leave {name} out"
    known = dict.fromkeys(present)
    if numbered and numbered[2] != "1":
        known |= dict.fromkeys(
            f"{of}.{numbered[2]}.{inner}" for of, names in in_a_row.items() for inner in names
        )
    return f"unknown setting {near_miss(name, tuple(known))}`fspinn info --settings` lists all"


def near_miss(word: Any, known: tuple[str, ...]) -> str:
    """Return a word that is not known in quotes, and perhaps the one that was meant; ends in a space."""
    near = get_close_matches(str(word), known, n=1)
    return f"{word!r}; " + (f"did you mean {near[0]}? " if near else "")


def _not_among(value: Any, choices: tuple[str, ...]) -> str:
    return f"unknown value {near_miss(value, choices)}use one of {', '.join(choices)}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(str(one) for one in value)
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(hint: Any, known: Setting) -> str:
    """Return in words what a setting can be."""
    alternatives = _alternatives(hint)
    none = " or none" if type(None) in alternatives else ""
    if known.choices:
        return ", ".join(known.choices) + none
    if get_origin(alternatives[0]) is tuple:
        return "HEIGHTxWIDTH, or one number for both" + none
    limits = [
        f"{word} {limit:g}"
        for word, limit in (("above", known.above), ("at least", known.at_least), ("at most", known.at_most))
        if limit is not None
    ]
    return " ".join(["whole number" if alternatives[0] is int else "number", *limits]) + none


def _documented(each: Field[Any]) -> list[str]:
    known = _setting(each)
    choices = "{" + ", ".join(f'"{choice}"' for choice in known.choices) + "}"
    kind = (
        choices if known.choices else each.type if isinstance(each.type, str) else _type_in_words(each.type)
    )
    unit = f" In {known.unit}." if known.unit else ""
    return [f"{each.name} : {kind}, default {each.default!r}", f"    {known.help}{unit} ({known.source})"]


def _type_in_words(hint: Any) -> str:
    words = (getattr(one, "__name__", str(one)) for one in _alternatives(hint))
    return " or ".join("None" if word == "NoneType" else word for word in words)
