"""Ranges written in a signature → what the search may choose. A parameter's name, range, default and meaning stand once."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin, get_type_hints

from bakeoff.errors import OptionError, near


@dataclass(frozen=True)
class Range:
    """Numbers from low to high. log: spread by ratio; step: only multiples of it above low."""

    low: float
    high: float
    meaning: str = ""
    log: bool = False
    step: float | None = None


class Choice:
    """One of a few values."""

    def __init__(self, *values: Any, meaning: str = "") -> None:
        self.values, self.meaning = values, meaning

    def __repr__(self) -> str:
        return f"Choice{self.values}"


@dataclass(frozen=True)
class Param:
    """One dimension of a space. values: a finite list; otherwise numbers in [low, high]."""

    name: str
    default: Any
    meaning: str = ""
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    whole: bool = False                       # integers

    def __contains__(self, value: object) -> bool:
        if self.values:
            return value in self.values
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        if self.values:
            return " | ".join(map(str, self.values))
        return f"{self.low:g} … {self.high:g}" + (" (log)" if self.log else "")


class Space(dict[str, Param]):
    """Name → Param, in order of importance: what stands first is varied first by grid search."""

    def defaults(self) -> dict[str, Any]:
        return {name: param.default for name, param in self.items()}

    def starting(self, setting: Mapping[str, Any]) -> Space:
        """This space with other starting values."""
        return Space({name: replace(param, default=setting.get(name, param.default)) for name, param in self.items()})

    def narrowed(self, settings: Mapping[str, Any]) -> Space:
        """This space with `--set` applied: a value or a list of values fixes, 'low..high' narrows.

        A name of another contender's own parameter is no error here: the caller checks names over the whole slate.
        """
        space = Space(self)
        for name, wanted in settings.items():
            if name in space:
                space[name] = narrow(space[name], wanted)
        return space


def narrow(param: Param, wanted: Any) -> Param:
    """One parameter limited to `wanted`. Raises OptionError for a value outside its range."""
    where = f"--set {param.name}={wanted}"
    if isinstance(wanted, str) and ".." in wanted and not param.values:
        try:
            low, high = (float(end) for end in wanted.split("..", 1))
        except ValueError:
            raise OptionError(f"{wanted!r} is not a range of numbers", where, "Write it as low..high, for instance 1e-4..1e-2.") from None
        if not param.low <= low <= high <= param.high:
            raise OptionError(f"{wanted} does not lie within {param}", where, "Narrow it to a part of that range.")
        return replace(param, low=low, high=high, default=min(max(param.default, low), high))
    raw = wanted if isinstance(wanted, list | tuple) else wanted.split(",") if isinstance(wanted, str) else [wanted]
    values = tuple(as_value(param, one, where) for one in raw)
    return replace(param, values=values, default=param.default if param.default in values else values[0])


def as_value(param: Param, text: Any, where: str) -> Any:
    """`text` as a value of `param`, by what it prints as; raises OptionError with the nearest value."""
    if param.values:
        for value in param.values:
            if str(value).lower() == str(text).strip().lower() or value == text:
                return value
        if not all(isinstance(value, int | float) for value in param.values):
            raise OptionError(f"{text!r} is not a value of {param.name}", where, near(str(text), map(str, param.values)))
    try:
        number = float(text)
    except (TypeError, ValueError):
        raise OptionError(f"{text!r} is no number", where, f"{param.name} is {param}.") from None
    if param.values and number <= 0 and number not in param.values:
        raise OptionError(f"{text} makes no sense as {param.name}", where, f"Give one of {param}, or another positive number.")
    if not param.values and not param.low <= number <= param.high and not (number > 0 and param.whole):
        raise OptionError(f"{text} lies outside {param}", where, f"{param.meaning or param.name}: choose a value inside.")
    whole = param.whole or (bool(param.values) and all(isinstance(value, int) for value in param.values))
    if whole and number != int(number):
        raise OptionError(f"{text} is not a whole number", where, f"{param.name} is {param}.")
    return int(number) if whole else number


def from_signature(function: Any, prefix: str = "") -> Space:
    """The Space of a callable's annotated parameters, named 'prefix.parameter'. Annotated[int | None, …] keeps its range."""
    hints = get_type_hints(function, include_extras=True)
    space = Space()
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        offers = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Range | Choice)]
        if offers:
            full = f"{prefix}.{name}" if prefix else name
            space[full] = param_of(full, offers[0], parameter.default, whole=int in plain_types(hint))
    return space


def plain_types(hint: Any) -> Iterable[Any]:
    base = get_args(hint)[0]
    return get_args(base) if get_origin(base) is not None and not isinstance(base, type) else (base,)


def param_of(name: str, offer: Range | Choice, default: Any, whole: bool = False) -> Param:
    if isinstance(offer, Choice):
        return Param(name, default, offer.meaning, values=offer.values)
    return Param(name, default, offer.meaning, low=offer.low, high=offer.high, log=offer.log, step=offer.step, whole=whole)
