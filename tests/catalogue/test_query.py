"""Searching a catalogue, and what is near to what it does not have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tumpline.catalogue.content import Content, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.near import Near, module_offers, near
from tumpline.catalogue.query import Terms, parse_ask, search
from tumpline.catalogue.shipped import open_shipped
from tumpline.catalogue.store import Catalogue, open_catalogue
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import InputError
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name, normalise

PURE = "py3-none-any"
LAYERS = ("2023/v4", "2023/v3", "generic", "2026/v4")
ENVIRONMENTS = {"2023/v4": "2023", "2023/v3": "2023", "2026/v4": "2026"}


def wheel(spelling: str, version: str, layer: str = "generic", tags: str = PURE) -> WheelRow:
    return WheelRow(normalise(spelling), version, layer, tags, "", spelling, (), 1, 1)


def compiled(minor: str) -> str:
    tag = f"cp{minor.replace('.', '')}"
    return f"{tag}-{tag}-linux_x86_64"


WHEELS = (
    wheel("PyYAML", "6.0+computecanada"),
    wheel("numpy", "2.3.0+computecanada", "2026/v4", compiled("3.14")),
    wheel("numpy", "2.2.2+computecanada", "2023/v3", compiled("3.11")),
    wheel("numpy", "2.2.2+computecanada", "2023/v4", compiled("3.11")),
    wheel("numpy", "2.2.2+computecanada", "2023/v3", compiled("3.12")),
    wheel("numpy", "1.26.4+computecanada", "2023/v3", compiled("3.10")),
    wheel("netCDF4", "1.10+computecanada"),
    wheel("netCDF4", "1.9+computecanada"),
    wheel("h5netcdf", "1.0+computecanada"),
    wheel("early", "1.0rc1+computecanada"),
    wheel("both", "2.0rc1+computecanada"),
    wheel("both", "1.0+computecanada"),
    wheel("same", "1.0.0+computecanada", "2023/v3"),
    wheel("same", "1.0+computecanada", "2023/v4"),
    wheel("same", "0.9+computecanada"),
    wheel("odd", "not-a-version"),
)
MODULES = tuple(
    ModulePackage(environment, "arrow", version, python, Name("pyarrow"), version)
    for environment, version, python in (
        ("2023", "17.0.0", "3.11"),
        ("2023", "17.0.0", "3.12"),
        ("2023", "9.0.0", "3.10"),
        ("2026", "25.0.1", "3.14"),
    )
)
CONTENT = Content(
    "lake", "scanned", "2026-01-01", "tests", (), LAYERS, WHEELS, (Dummy(Name("pyarrow"), "arrow"),), MODULES, ()
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    path = tmp_path / "c.sqlite"
    write_catalogue(path, CONTENT, encode(CONTENT))
    with open_catalogue(path) as opened:
        yield opened


def found(catalogue: Catalogue, *asks: str, terms: Terms = Terms()) -> dict[str, list[str]]:  # noqa: B008 - a value
    return {
        each.name: [row.version.partition("+")[0] for row in each.wheels]
        for each in search(catalogue, [parse_ask(ask) for ask in asks], terms)
    }


class TestAsks:
    @pytest.mark.parametrize(
        ("text", "name", "specifier"),
        [
            ("PyYAML", "pyyaml", ""),
            ("bio.num_716", "bio-num-716", ""),
            (" *CDF* ", "*cdf*", ""),
            ("numpy<2", "numpy", "<2"),
            ("numpy >=1.20, <2", "numpy", ">=1.20, <2"),
            ("numpy (>=1.20)", "numpy", ">=1.20"),
            ("torch[opt,dev]==2.6", "torch", "==2.6"),
            ('torch==2.6; python_version > "3"', "torch", "==2.6"),
            ("jaxlib==0.4.20+cuda12.computecanada", "jaxlib", "==0.4.20"),
            ("numpy>=1+computecanada,<1", "numpy", ">=1,<1"),
            ("jaxlib>=0.4+cuda12-x.1_a, !=0.5+computecanada ; x", "jaxlib", ">=0.4, !=0.5"),
            ("numpy (==1.2+computecanada)", "numpy", "==1.2"),
            ("numpy+computecanada", "numpy", ""),
            ("numpy>=1.21.*", "numpy", ">=1.21"),
            ("numpy==1.21.*", "numpy", "==1.21.*"),
        ],
    )
    def test_read(self, text: str, name: str, specifier: str) -> None:
        ask = parse_ask(text)
        assert (ask.name, ask.specifier) == (name, specifier)

    @pytest.mark.parametrize(
        "text", ["", "-x", "numpy<", "a b", "numpy===", "numpy==1+", "numpy==1+!", "x" * 501, "\x00", "numpy==1.*.2"]
    )
    def test_refused(self, text: str) -> None:
        with pytest.raises(InputError) as caught:
            parse_ask(text)
        assert caught.value.code == "bad-search"


class TestSearch:
    def test_a_name_by_any_spelling(self, catalogue: Catalogue) -> None:
        for spelling in ("pyyaml", "PyYAML", "PYYAML"):
            assert found(catalogue, spelling) == {"pyyaml": ["6.0"]}

    def test_patterns(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "*cdf*") == {"h5netcdf": ["1.0"], "netcdf4": ["1.10"]}
        assert found(catalogue, "net?df4") == {"netcdf4": ["1.10"]}
        assert found(catalogue, "*nothing*") == {}

    def test_the_latest_is_not_that_of_the_alphabet(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "netcdf4") == {"netcdf4": ["1.10"]}
        assert found(catalogue, "netcdf4", terms=Terms(latest=False)) == {"netcdf4": ["1.10", "1.9"]}

    def test_the_latest_that_fits(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "numpy", terms=Terms(("3.12",))) == {"numpy": ["2.2.2"]}
        assert found(catalogue, "numpy", terms=Terms(("3.10",))) == {"numpy": ["1.26.4"]}
        assert found(catalogue, "numpy", terms=Terms(layers=("2023/v4", "generic"))) == {"numpy": ["2.2.2"]}
        assert found(catalogue, "numpy", terms=Terms(("3.13",))) == {}

    def test_all_wheels_of_the_latest(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "numpy<2.3") == {"numpy": ["2.2.2"] * 3}

    def test_one_version_in_two_spellings(self, catalogue: Catalogue) -> None:
        assert sorted(found(catalogue, "same")["same"]) == ["1.0", "1.0.0"]

    def test_several_asks_of_one_name(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "numpy<2", "NumPy>=2.3", terms=Terms(latest=False)) == {"numpy": ["2.3.0", "1.26.4"]}

    def test_a_name_counts_more_than_a_pattern(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "n*", "numpy<2") == {"netcdf4": ["1.10"], "numpy": ["1.26.4"]}
        assert found(catalogue, "numpy>90", "n*") == {"netcdf4": ["1.10"]}

    def test_pre_releases(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "both", "early") == {"both": ["1.0"], "early": ["1.0rc1"]}
        assert found(catalogue, "both", "early", terms=Terms(prereleases=False)) == {"both": ["1.0"]}
        assert found(catalogue, "both", terms=Terms(prereleases=True)) == {"both": ["2.0rc1"]}
        assert found(catalogue, "both<3", terms=Terms(prereleases=False)) == {"both": ["1.0"]}
        assert found(catalogue, "both>=2.0rc1", terms=Terms(prereleases=False)) == {"both": ["2.0rc1"]}

    def test_everything(self, catalogue: Catalogue) -> None:
        assert sum(map(len, found(catalogue, terms=Terms(latest=False, prereleases=True)).values())) == len(WHEELS)

    def test_what_is_no_version(self, catalogue: Catalogue) -> None:
        assert found(catalogue, "odd") == {"odd": ["not-a-version"]}
        assert found(catalogue, "odd>=0") == {}

    def test_a_list_knows_pythons_and_no_layers(self, tmp_path: Path) -> None:
        row = WheelRow(Name("a"), "1", spelling="a", pythons=("3.11", "3.12"))
        content = CONTENT._replace(grade="listed", layers=(), wheels=[row])
        write_catalogue(tmp_path / "l.sqlite", content, encode(content))
        with open_catalogue(tmp_path / "l.sqlite") as catalogue:
            assert found(catalogue, "a", terms=Terms(("3.12",), ("2023/v4",))) == {"a": ["1"]}
            assert found(catalogue, "a", terms=Terms(("3.13",))) == {}


class TestNear:
    def near(self, catalogue: Catalogue, ask: str, terms: Terms = Terms()) -> dict[str, tuple[str, ...]]:  # noqa: B008
        return dict(near(catalogue, parse_ask(ask), terms, ENVIRONMENTS))

    def test_another_version(self, catalogue: Catalogue) -> None:
        assert self.near(catalogue, "netcdf4<1") == {"version": ("1.10", "1.9")}

    def test_another_python(self, catalogue: Catalogue) -> None:
        here = ("2023/v4", "2023/v3", "generic")
        assert self.near(catalogue, "numpy", Terms(("3.13",), here)) == {"python": ("3.12", "3.11", "3.10")}

    def test_another_software_environment(self, catalogue: Catalogue) -> None:
        here = ("2023/v4", "2023/v3", "generic")
        assert self.near(catalogue, "numpy", Terms(("3.14",), here))["environment"] == ("2026",)

    def test_another_layer(self, catalogue: Catalogue) -> None:
        assert self.near(catalogue, "numpy", Terms(("3.12",), ("2023/v4",)))["layer"] == ("2023/v3",)

    def test_a_module(self, catalogue: Catalogue) -> None:
        assert self.near(catalogue, "pyarrow>20,<26") == {"module": ("arrow/25.0.1",)}
        assert self.near(catalogue, "pyarrow")["module"] == ("arrow/25.0.1", "arrow/17.0.0", "arrow/9.0.0")

    def test_another_spelling(self, catalogue: Catalogue) -> None:
        assert self.near(catalogue, "pyyalm") == {"spelling": ("pyyaml",)}
        assert self.near(catalogue, "pyarow") == {"spelling": ("pyarrow",)}
        assert self.near(catalogue, "netcdf")["spelling"][:1] == ("netcdf4",)
        assert self.near(catalogue, "*qqq*") == {}

    def test_is_data(self, catalogue: Catalogue) -> None:
        assert near(catalogue, parse_ask("netcdf4<1"), Terms(), {}) == (Near("version", ("1.10", "1.9")),)


def test_modules(catalogue: Catalogue) -> None:
    offers = module_offers(catalogue, parse_ask("PyArrow<20"))
    assert [(offer.environment, offer.module, offer.pythons) for offer in offers] == [
        ("2023", "arrow/17.0.0", ("3.11", "3.12")),
        ("2023", "arrow/9.0.0", ("3.10",)),
    ]


def test_every_row_of_the_lists_is_found_by_each_spelling(shared: Path, tmp_path: Path) -> None:
    terms = Terms(latest=False, prereleases=True)
    with open_shipped(tmp_path) as catalogue:
        for file in sorted((shared / "facts" / "wheel_lists").glob("*_2026-05-17.tsv")):
            python = file.name.removeprefix("Wheels").partition("_")[0]
            for line in file.read_text(encoding="utf-8").splitlines():
                spellings, _, versions = line.partition("\t")
                listed = {version.strip() for version in versions.split(",")}
                for spelling in spellings.split(","):
                    asks = [parse_ask(spelling.strip())]
                    if catalogue.dummy(Name(asks[0].name)):
                        continue
                    rows = {
                        row.version
                        for each in search(catalogue, asks, terms._replace(pythons=(python,)))
                        for row in each.wheels
                    }
                    # What is spelled otherwise has a row of its own.
                    assert {normal(version) for version in listed} <= rows, (spelling, python)


def normal(version: str) -> str:
    from packaging.version import Version

    return str(Version(version))


def test_names_are_found_without_importing_what_is_slow() -> None:
    program = (
        "import sys; from tumpline.catalogue.query import parse_ask, Terms, search; parse_ask('numpy');"
        "print(sorted({'packaging', 'rich', 'tabulate', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
