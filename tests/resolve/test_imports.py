"""Judging foreign lists: what was asked for, what others need, what modules had brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tumpline.catalogue import Wheel
from tumpline.errors import EnvironmentFailure
from tumpline.project.foreign.read import read_foreign
from tumpline.project.pins import PinStyle, pinned
from tumpline.resolve.import_modules import ModuleKnowledge
from tumpline.resolve.import_needs import ImportNeeds
from tumpline.resolve.import_plan import ImportPlan, plan_import
from tumpline.resolve.imports import Judgement, Maker, judge
from tumpline.resolve.target import Target
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name, parse_requirement

STACK = {f"part-{number}": f"1.{number}" for number in range(30)}

MODULES = (
    *(ModulePackage("2023", "arrow", version, "3.11", Name("pyarrow"), version) for version in ("17.0.0", "23.0.1")),
    ModulePackage("2023", "arrow", "25.0.0", "3.14", Name("pyarrow"), "25.0.0"),
    ModulePackage("2023", "opencv", "4.10.0", "3.11", Name("opencv-python"), "4.10.0"),
    ModulePackage("2023", "opencv", "4.10.0", "3.11", Name("opencv-python-headless"), "4.10.0"),
    *(ModulePackage("2023", "ipykernel", "2026a", "3.11", Name(name), "9.0") for name in ("few", "fewer", "fewest")),
    *(ModulePackage("2023", "scipy-stack", "2026a", "3.11", Name(name), version) for name, version in STACK.items()),
    ModulePackage("2023", "scipy-stack", "2026a", "3.11", Name("numpy"), "2.4.2"),
)
DUMMIES = {Name("pyarrow"): "arrow", Name("opencv-python"): "opencv", Name("opencv-python-headless"): "opencv"}
WHEELS = frozenset({"numpy", "pandas"})


class Told(ImportNeeds):
    """Needs as they are told to it; `unknown` are names of whose needs nothing is known."""

    def __init__(self, needs: Mapping[str, str], unknown: Iterable[str] = ()) -> None:
        self._needs = needs
        self._nothing = frozenset(map(Name, unknown))

    def edges(
        self, pins: Mapping[Name, str], extras: Mapping[Name, Iterable[str]]
    ) -> tuple[dict[Name, frozenset[Name]], frozenset[Name]]:
        found = {name: frozenset(map(Name, self._needs.get(name, "").split())) for name in pins}
        return found, self._nothing & set(pins)


class Site:
    """The modules, dummies and wheels above, as a catalogue answers for them."""

    def wheels(self, name: Name) -> tuple[Wheel, ...]:
        return (Wheel(name, "1.0"),) if name in WHEELS else ()

    def dummy(self, name: Name) -> Dummy | None:
        return Dummy(name, DUMMIES[name]) if name in DUMMIES else None

    def modules_for(self, name: Name) -> tuple[ModulePackage, ...]:
        return tuple(row for row in MODULES if row.name == name)


def target(name: str = "narval", *modules: str, python: str = "3.11.5") -> Target:
    return Target(name, None, python, "mixed", environment="2023", modules=modules)  # type: ignore[arg-type]


def knowledge(*targets: Target) -> ModuleKnowledge:
    return ModuleKnowledge(targets, [Site()] * len(targets), MODULES)  # type: ignore[list-item]


def judged(
    tmp_path: Path,
    text: str,
    needs: Mapping[str, str] | None = None,
    *,
    name: str = "old.txt",
    present: Iterable[str] = (),
    made_by: Maker | None = None,
    unknown: Iterable[str] = (),
) -> Judgement:
    (tmp_path / name).write_text(text)
    found = read_foreign(tmp_path / name, {})
    told = Told(needs or {}, unknown)
    return judge(found, knowledge(target()), told, [Name(one) for one in present], made_by)


def verdicts(judgement: Judgement) -> dict[str, str]:
    assert all(verdict.row.name for verdict in judgement.verdicts)
    return {verdict.row.name or "": verdict.kind for verdict in judgement.verdicts}


def plan(
    judgement: Judgement, *targets: Target, style: PinStyle = "tilde", keep_all: bool = False, constrained: str = ""
) -> ImportPlan:
    return plan_import(
        [judgement],
        knowledge(*targets),
        targets,
        style=style,
        keep_all=keep_all,
        constrained=[Name(one) for one in constrained.split()],
    )


def asked(planned: ImportPlan) -> list[str]:
    return [str(one.requirement) for one in planned.additions]


FREEZE = "\n".join(f"{name}==1.0" for name in "abcdefgh")
CHAIN = {"a": "b c", "b": "d e", "c": "f", "f": "g"}


def test_of_a_freeze_what_nothing_else_needs_is_asked_for(tmp_path: Path) -> None:
    judgement = judged(tmp_path, FREEZE, CHAIN)
    assert judgement.made_by == "program"
    assert [name for name, kind in verdicts(judgement).items() if kind == "kept"] == ["a", "h"]
    by = {verdict.row.name: verdict.by for verdict in judgement.verdicts}
    assert by[Name("d")] == ("b",)
    assert [wanted.name for wanted in judgement.needed] == ["b", "c", "d", "e", "f", "g"]


def test_of_a_circle_one_is_kept(tmp_path: Path) -> None:
    judgement = judged(tmp_path, FREEZE, CHAIN | {"g": "a", "d": "b"})
    assert [name for name, kind in verdicts(judgement).items() if kind == "kept"] == ["a", "h"]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (FREEZE, CHAIN | {"a": "b c x1 x2 x3", "b": "d e x4"}),  # half of what is needed is not there
        ("\n".join(reversed(FREEZE.splitlines())), CHAIN),  # programs sort
        (FREEZE.replace("b==1.0", "b").replace("e==1.0", "e>1"), CHAIN),  # and pin
        (FREEZE, {"a": "b c"}),  # too little is known of it
        ("a==1.0\nb==1.0\nc==1.0\n", {"a": "b c"}),
    ],
)
def test_a_list_that_a_person_wrote_is_taken_at_its_word(tmp_path: Path, text: str, needs: Mapping[str, str]) -> None:
    judgement = judged(tmp_path, text, needs)
    assert judgement.made_by == "person"
    assert set(verdicts(judgement).values()) == {"kept"}


def test_who_made_a_list_can_be_said(tmp_path: Path) -> None:
    assert set(verdicts(judged(tmp_path, FREEZE, CHAIN, made_by="person")).values()) == {"kept"}
    kept = verdicts(judged(tmp_path, "b==1\na==1\n", {"a": "b"}, made_by="program"))
    assert kept == {"b": "transitive", "a": "kept"}


def test_what_was_edited_by_hand_in_a_freeze_is_asked_for(tmp_path: Path) -> None:
    rows = [f"{name}==1.0" for name in "abcdefghijklm"]
    text = "\n".join(rows).replace("d==1.0", "d[extra]>=1")
    judgement = judged(tmp_path, text, CHAIN)
    assert judgement.made_by == "program"
    assert verdicts(judgement)["d"] == "kept"
    assert verdicts(judgement)["e"] == "transitive"


def test_what_lists_of_all_hold_is_padding(tmp_path: Path) -> None:
    text = "Package Version\n------- -------\na 1.0\npip 24\npkg_resources 0.0.0\nsetuptools 65\nwheel 1\n"
    judgement = judged(tmp_path, text)
    kinds = {verdict.row.name: verdict.kind for verdict in judgement.verdicts if verdict.row.name}
    assert kinds == {
        "a": "kept",
        "pip": "padding",
        "pkg-resources": "padding",
        "setuptools": "padding",
        "wheel": "padding",
    }
    assert verdicts(judged(tmp_path, "setuptools<81\npip>=23\n")) == {"setuptools": "kept", "pip": "padding"}


def test_a_name_counts_once(tmp_path: Path) -> None:
    text = (
        "Some_Name==1.0\nsome-name==1.0\nsome.name[x]>=0.5\nother==1\nOther==2\nmarked ; python_version < '3'\nmarked\n"
    )
    judgement = judged(tmp_path, text)
    assert [verdict.kind for verdict in judgement.verdicts] == [
        *("kept", "repeated", "repeated", "kept", "repeated", "kept", "kept")
    ]
    assert "no version is taken" in judgement.verdicts[4].why
    kept = [str(wanted.requirement) for wanted in judgement.kept]
    assert kept == ["Some_Name[x]==1.0,>=0.5", "other", 'marked; python_version < "3"', "marked"]


def test_an_address_decides(tmp_path: Path) -> None:
    text = "x @ https://example.org/x-1-py3-none-any.whl\nx==2\ny==1\ny @ https://example.org/y-1-py3-none-any.whl\n"
    judgement = judged(tmp_path, text)
    assert [verdict.why for verdict in judgement.verdicts if verdict.kind == "repeated"] == [
        "the address of old.txt:1 decides",
        "its address decides, in the place of old.txt:3",
    ]
    assert [bool(wanted.requirement.url) for wanted in judgement.kept] == [True, True]


def test_what_stands_at_an_address_is_kept(tmp_path: Path) -> None:
    """Nothing would find it again by its name."""
    text = FREEZE.replace("d==1.0", "d @ git+https://example.org/d@abc")
    assert verdicts(judged(tmp_path, text, CHAIN))["d"] == "kept"


def test_what_the_project_has_already(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "a==1\nb\n", present=["a"])
    assert verdicts(judgement) == {"a": "present", "b": "kept"}
    assert asked(plan(judgement)) == ["b"]


def test_a_module_written_as_a_package(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "scipy-stack\narrow\nnumpy\n")
    assert verdicts(judgement) == {"scipy-stack": "module", "arrow": "module", "numpy": "kept"}
    assert all(verdict.hint for verdict in judgement.verdicts if verdict.kind == "module")


def test_a_freeze_with_modules_loaded(tmp_path: Path) -> None:
    built = "file:///tmp/ebuser/avx512"
    text = (
        "a==1.0+computecanada\n"
        "b==1.0+computecanada\n"
        f"numpy @ {built}/scipystack/2026a/x/numpy-2.4.2-cp311-cp311-linux_x86_64.whl\n"
        f"opencv-python @ {built}/OpenCV/4.10.0/x\n"
        f"opencv-python-headless @ {built}/OpenCV/4.10.0/x\n"
        f"part-3 @ {built}/scipystack/2026a/x/part_3-1.3\n"
        f"pyarrow @ {built}/Arrow/17.0.0/x/python\n"
        f"unheard-of @ {built}/what/1/x\n"
    )
    judgement = judged(tmp_path, text, {"a": "b pyarrow"})
    assert verdicts(judgement) == {
        "a": "kept",
        "b": "transitive",
        "numpy": "padding",
        "opencv-python": "kept",
        "opencv-python-headless": "module",
        "part-3": "padding",
        "pyarrow": "module",
        "unheard-of": "padding",
    }
    planned = plan(judgement, target(), target("laptop", python="3.14.2"))
    assert asked(planned) == ["a~=1.0.0", "opencv-python~=4.10.0"]
    assert planned.modules["narval"] == ("opencv/4.10.0", "arrow/17.0.0")


def test_a_stack_is_known_by_its_versions(tmp_path: Path) -> None:
    rows = [f"{name} {version}" for name, version in STACK.items()]
    table = "Package Version\n------- -------\n" + "\n".join(["a 1.0+computecanada", *rows, "six 1.16.0"])
    kinds = {v.row.name: v.kind for v in judged(tmp_path, table).verdicts if v.row.name}
    assert {kinds[Name(name)] for name in STACK} == {"padding"}
    assert (kinds[Name("a")], kinds[Name("six")]) == ("kept", "padding")
    other = table.replace(" 1.1", " 7.1").replace(" 1.2", " 7.2")  # eight are left
    assert set(judged(tmp_path, other).modules.values()) == set()
    less = table.replace(" 1.1", " 7.1").replace(" 1.2\n", " 7\n").replace(" 1.3\n", " 7\n")
    less = less.replace(" 1.20\n", " 7\n").replace(" 1.21\n", " 7\n")  # fewer than half
    assert set(judged(tmp_path, less).modules.values()) == set()
    few = "Package Version\n------- -------\na 1.0+computecanada\nfew 9.0\nfewer 9.0\nfewest 9.0\n"  # an accident
    assert set(judged(tmp_path, few).modules.values()) == set()
    elsewhere = table.replace("+computecanada", "")
    kinds = {v.row.name: v.kind for v in judged(tmp_path, elsewhere).verdicts if v.row.name}
    assert set(kinds.values()) == {"kept"}


def test_compiled_files_say_themselves(tmp_path: Path) -> None:
    text = "a==1.0  # via -r requirements.in\nb==1.0  # via -r requirements.in, a\nc==1.0  # via b\n"
    judgement = judged(tmp_path, text, {"a": "b", "b": "c"})
    assert verdicts(judgement) == {"a": "kept", "b": "kept", "c": "transitive"}


def test_locks_say_themselves(tmp_path: Path) -> None:
    one = '[[packages]]\nname = "a"\nversion = "1"\ndependencies = [{ name = "b" }]\n'
    text = f'{one}[[packages]]\nname = "b"\nversion = "2"\n'
    judgement = judged(tmp_path, text, name="pylock.toml")
    assert verdicts(judgement) == {"a": "kept", "b": "transitive"}


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    judgement = judged(tmp_path, FREEZE, CHAIN, unknown=["h"])
    assert judgement.unknown == ("h",)


@pytest.mark.parametrize(
    ("line", "style", "meant"),
    [
        ("x==2.31.0+computecanada", "tilde", "x~=2.31.0"),
        ("x==2.31.0+computecanada", "exact", "x==2.31.0"),
        ("x==2.31.0+computecanada", "none", "x"),
        ("x[y]==2.31 ; python_version > '3'", "tilde", 'x[y]~=2.31.0; python_version > "3"'),
        ("x>=2,<3", "tilde", "x<3,>=2"),
        ("x>=2,<3", "none", "x<3,>=2"),
        ("x==2.*", "exact", "x==2.*"),
        ("x==2.8.0+cu118", "tilde", "x==2.8.0+cu118"),
        ("x @ https://example.org/x-1-py3-none-any.whl", "tilde", "x @ https://example.org/x-1-py3-none-any.whl"),
    ],
)
def test_styles_of_pins(tmp_path: Path, line: str, style: PinStyle, meant: str) -> None:
    assert asked(plan(judged(tmp_path, line), style=style)) == [meant]


def test_a_pin_keeps_extras_and_marker() -> None:
    requirement = parse_requirement("x[b,a]==1.2.3; python_version > '3'")
    assert str(pinned(requirement, "1.2.3", "none")) == 'x[a,b]; python_version > "3"'


def test_pins_of_what_others_need_become_constraints(tmp_path: Path) -> None:
    planned = plan(judged(tmp_path, FREEZE, CHAIN), keep_all=True, constrained="d")
    assert asked(planned) == ["a~=1.0.0", "h~=1.0.0"]
    assert [str(one) for one in planned.constraints] == ["b==1.0", "c==1.0", "e==1.0", "f==1.0", "g==1.0"]
    assert plan(judged(tmp_path, FREEZE, CHAIN)).constraints == ()


@pytest.mark.parametrize(
    ("line", "style", "meant", "modules"),
    [
        ("pyarrow", "tilde", "pyarrow", ("arrow/23.0.1",)),
        ("pyarrow<20", "tilde", "pyarrow<20", ("arrow/17.0.0",)),
        ("pyarrow==17.0.0", "tilde", "pyarrow~=17.0.0", ("arrow/17.0.0",)),
        ("opencv-python==4.10.0.84", "tilde", "opencv-python~=4.10.0", ("opencv/4.10.0",)),
        ("opencv-python==4.10.0.84", "exact", "opencv-python==4.10.0.*", ("opencv/4.10.0",)),
        ("numpy==1.0", "tilde", "numpy~=1.0.0", ()),
    ],
)
def test_modules_are_proposed(tmp_path: Path, line: str, style: PinStyle, meant: str, modules: tuple[str, ...]) -> None:
    planned = plan(judged(tmp_path, line), target(), style=style)
    assert (asked(planned), planned.modules.get("narval", ())) == ([meant], modules)
    assert planned.notes == ()


def test_loaded_modules_stay(tmp_path: Path) -> None:
    planned = plan(judged(tmp_path, "pyarrow\nopencv-python\n"), target("narval", "gcc/12.3", "arrow/17.0.0"))
    assert planned.modules == {"narval": ("gcc/12.3", "arrow/17.0.0", "opencv/4.10.0")}


def test_where_no_module_fits_it_is_said(tmp_path: Path) -> None:
    planned = plan(judged(tmp_path, "pyarrow==9.0\n"), target())
    (note,) = planned.notes
    assert note.code == "no-module-fits"
    assert "23.0.1, 17.0.0" in note.why
    assert note.hint
    assert (asked(planned), planned.modules) == (["pyarrow~=9.0.0"], {})


def test_an_index_that_does_not_answer_stops_nothing() -> None:
    class Book:
        targets = (Target("x", None, "3.11.5", "mixed"),)  # type: ignore[arg-type]
        asked: tuple[Name, ...] = ()

        def prefetch(self, names: Iterable[Name]) -> None:
            pass

        def table(self, name: Name) -> None:
            self.asked += (name,)
            raise EnvironmentFailure.of("index-unreachable", "no")

    book = Book()
    needs = ImportNeeds(book, None)  # type: ignore[arg-type]
    found, unknown = needs.edges({Name("a"): "1", Name("b"): ""}, {})
    assert found == {"a": frozenset(), "b": frozenset()}
    assert unknown == {"a", "b"}
    assert book.asked == ("a",)
