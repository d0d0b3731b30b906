"""Who enters when time is short."""

from __future__ import annotations

from typing import ClassVar

import pytest

import bakeoff
from bakeoff.errors import OptionError
from bakeoff.options import Options
from bakeoff.slate import FEEDS, check_slate, those_fed
from bakeoff.train.contender import Contender, Neural, Plain, contenders


class Known:
    name: ClassVar[str] = "known"
    group: ClassVar[str] = "conv"
    well_known, variant_of = True, None


class Other(Known):
    well_known = False


class Variant(Other):
    variant_of = "known"


def slate_of(known: int, others: int, variants: int) -> dict[str, Contender]:
    """Networks of three sorts by name, and one baseline."""
    found: dict[str, Contender] = {"majority": contenders()["majority"]}
    for sort, number in ((Known, known), (Other, others), (Variant, variants)):
        found |= {f"{sort.__name__.lower()} {k}": Neural(sort) for k in range(number)}     # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(("share", "enter"), [
    (0.1, "known"), (4.9, "known"), (5.0, "known other"), (8.9, "known other"), (9.0, "known other variant")])
def test_who_enters_is_who_can_be_fed_the_well_known_always(share: float, enter: str) -> None:
    slate = slate_of(2, 3, 4)
    fed, why = those_fed(slate, 600.0, share * FEEDS, None)
    assert fed == {name for name in slate if name.split()[0] in (*enter.split(), "majority")}
    assert why.startswith("in 10m ")
    assert why[-1] not in ".!"


def test_the_reason_says_how_much_time_is_enough_for_all() -> None:
    slate = slate_of(1, 1, 1)
    _, why = those_fed(slate, 60.0, 2 * FEEDS, None)
    assert "1m 30s" in why
    assert those_fed(slate, 90.0, 3 * FEEDS, None)[0] == set(slate)


def test_a_plan_that_stands_already_has_decided() -> None:
    slate = slate_of(2, 1, 1)
    assert those_fed(slate, 60.0, 1.0, ["variant 0", "gone"])[0] == {"majority", "variant 0"}
    assert those_fed(slate, 60.0, 9e9, ["known 1"])[0] == {"majority", "known 1"}


def test_every_variant_names_a_family_and_the_well_known_are_none() -> None:
    families = {name: one.family for name, one in contenders().items() if isinstance(one, Neural)}
    for name, family in families.items():
        assert family.variant_of is None or (family.variant_of in families and family.variant_of != name and not family.well_known), name


def test_counts_let_everybody_in(tmp_path, monkeypatch) -> None:
    """Without a clock nobody is left out for time; with one of minutes only the well known enter, with one of seconds one of each group."""
    from bakeoff.session import Session

    def stop(self: Session) -> None:
        raise InterruptedError(",".join(self.slate))

    monkeypatch.setattr(Session, "make_plan", stop)
    names = []
    budgets = ({"trials": 1, "examples": 100}, {"budget": "5m"}, {"budget": "5m", "slate": "all"}, {"budget": "60s"},
               {"budget": "5m", "slate": "auto,mgu"}, {"budget": "60s", "slate": "quick,mgu"})
    for number, options in enumerate(budgets):
        with pytest.raises(InterruptedError) as stopped:
            bakeoff.run("sample:adding", jobs=1, out=tmp_path / str(number), **options)
        names.append({name for name in str(stopped.value).split(",") if not isinstance(contenders()[name], Plain)})
    known = {name for name, one in contenders().items() if isinstance(one, Neural) and one.family.well_known}
    assert names[0] == names[2] >= names[1]
    assert names[1] == names[0] & known
    groups = [contenders()[name].group for name in names[3]]
    assert names[3] < names[1]
    assert sorted(groups) == sorted({contenders()[name].group for name in names[1]}), "one of each"
    assert names[4] == names[1] | {"mgu"}, "who is named enters beside them"
    assert names[5] - {"mgu"} < names[0] > names[5] >= {"mgu"}


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    check_slate(Options(slate="auto"), contenders())
    with pytest.raises(OptionError, match="rocket"):
        check_slate(Options(slate="gru,rockt"), contenders())
    check_slate(Options(slate="all,gru"), contenders())
    with pytest.raises(OptionError, match="two ways"):
        check_slate(Options(slate="all,gru,quick"), contenders())
