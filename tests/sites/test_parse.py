"""From keys to values: the defaults, the units, and what is said of keys that can not be used."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tumpline.errors import InputError, Problem
from tumpline.sites import Dummy, ModulePackage, Platform, Quota, Site
from tumpline.sites.parse import parse_modules, parse_site
from tumpline.values import Name

FILE = Path("/profiles/lab.toml")
BARE = "platform = { tags = ['linux_x86_64'] }\n"


def parse(text: str, *, platform: str = BARE) -> Site:
    values = tomllib.loads(platform + text)
    return parse_site("lab", values, dict.fromkeys(["", *values], FILE))


def problems(text: str, *, platform: str = BARE) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        parse(text, platform=platform)
    assert caught.value.exit_status == 2
    return list(caught.value.problems)


def complaints(text: str, *, platform: str = BARE) -> list[str]:
    return [problem.message for problem in problems(text, platform=platform)]


def test_defaults() -> None:
    assert parse("") == Site("lab", "lab", "cluster", Platform("linux", "x86_64", ("linux_x86_64",)), origin=str(FILE))


def test_everything() -> None:
    site = parse(
        """
        title = "Laboratoire du Québec"
        kind = "cluster"
        scheduler = "slurm"
        login-host = "robot@lab.example.ca"
        catalogue = "lab"
        wheelhouse = "/srv/wheels"
        local-tag = "lab.2026"
        manylinux = false
        cpu-levels = ["v4", "v3"]
        compute-internet = "proxy"
        job-storage = "memory"
        home-writable-in-jobs = false
        build-in = "login-node"
        default-environment = "b"
        module-tables = ["tables/one.toml"]
        inferred = ["cpu-levels", "quotas.home"]
        [environments.a]
        pythons = ["3.11.5", "3.12.4"]
        [environments.a.layers]
        v4 = ["a/v4", "generic"]
        v3 = []
        [environments.b]
        pythons = ["3.14.7", "3.13.1"]
        default-python = "3.13.1"
        layers = { v4 = ["b"], v3 = ["b"] }
        [quotas]
        home = { space = "50 GB", files = 500_000 }
        scratch = { files = 0 }
        project = { space = "2 MB" }
        group = {}
        [dummies]
        Open_CV = "opencv"
        """
    )
    assert (site.title, site.login_host, site.local_tag) == (
        "Laboratoire du Québec",
        "robot@lab.example.ca",
        "lab.2026",
    )
    assert (site.cpu_levels, site.compute_internet, site.job_storage) == (("v4", "v3"), "proxy", "memory")
    assert (site.home_writable_in_jobs, site.build_in, site.manylinux) == (False, "login-node", False)
    first, second = site.environments
    assert (first.name, first.pythons, first.default_python) == ("a", ("3.11.5", "3.12.4"), "3.11.5")
    assert first.layers == {"v4": ("a/v4", "generic"), "v3": ()}
    assert (second.name, second.default_python, site.default_environment) == ("b", "3.13.1", "b")
    assert site.environment("b") is second
    assert site.environment("c") is None
    assert site.quotas == {
        "home": Quota(50 * 10**9, 500_000),
        "scratch": Quota(None, 0),
        "project": Quota(2 * 10**6, None),
        "group": Quota(None, None),
    }
    assert site.dummies == (Dummy(Name("open-cv"), "opencv"),)
    assert site.module_tables == ("/profiles/tables/one.toml",)
    assert site.inferred == {"cpu-levels", "quotas.home"}


@pytest.mark.parametrize(
    ("platform", "tags"),
    [
        ("glibc = '2.6'", ["manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"]),
        ("glibc = '2.5'\ntags = ['linux_x86_64']", ["manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]),
        # manylinux is younger than the first glibc of other processors.
        (
            "glibc = '2.18'\nmachine = 'aarch64'",
            ["manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
        ),
        ("os = 'macos'\nmachine = 'arm64'\nmacos = '11.0'", ["macosx_11_0_arm64", "macosx_11_0_universal2"]),
        ("os = 'windows'\ntags = ['win_amd64', 'win_amd64']", ["win_amd64"]),
    ],
)
def test_tags(platform: str, tags: list[str]) -> None:
    found = parse("", platform=f"[platform]\n{platform}\n").platform.tags
    assert list(found[: len(tags)]) == tags
    assert len(set(found)) == len(found)
    assert found[len(tags) :] == () or "macos" in platform


COMPLAINTS = [
    # (what the profile says, what is said of it)
    ("title = 1", "title: expected a string, found a number"),
    ("title = -1", "title: expected a string, found a negative number"),
    ("title = 1.5", "title: expected a string, found a fraction"),
    ("title = true", "title: expected a string, found true or false"),
    ("title = []", "title: expected a string, found an array"),
    ("title = {}", "title: expected a string, found a table"),
    ("title = 2026-01-01", "title: expected a string, found a date or time"),
    (r'title = "\u001b[2J"', r'title: "\u001b[2J" has characters that can not be shown'),
    ("kind = 'laptop'", 'kind: expected one of cluster, machine, found "laptop"'),
    ("compute-internet = 'some'", 'compute-internet: expected one of none, proxy, full, found "some"'),
    ("job-storage = ''", 'job-storage: expected one of disk, memory, found ""'),
    ("build-in = 'home'", 'build-in: expected one of in-job, login-node, found "home"'),
    ("manylinux = 'no'", "manylinux: expected true or false, found a string"),
    ("home-writable-in-jobs = 1", "home-writable-in-jobs: expected true or false, found a number"),
    ("cpu-levels = 'x86-64-v3'", "cpu-levels: expected an array of strings"),
    ("cpu-levels = [3]", "cpu-levels: expected an array of strings"),
    ("cpu-levels = ['../v3']", 'cpu-levels: "../v3" is not a name of letters, digits, dots, dashes and underscores'),
    ("login-host = '-oProxyCommand=sh'", 'login-host: "-oProxyCommand=sh" is not the name of a host'),
    ("login-host = 'a b'", 'login-host: "a b" is not the name of a host'),
    ("local-tag = 'Lab'", 'local-tag: "Lab" is not the local part of a version, such as computecanada'),
    ("catalogue = '../x'", 'catalogue: "../x" is not a name of letters, digits, dots, dashes and underscores'),
    ("default-environment = 'x'", "default-environment: 'x' is not one of the environments"),
    ("module-tables = ['../x.toml']", 'module-tables: "../x.toml" is not a file beside the profile or below it'),
    ("module-tables = ['/x.toml']", 'module-tables: "/x.toml" is not a file beside the profile or below it'),
    ("inferred = ['colour']", "inferred: 'colour' is not a key of a profile"),
    ("environments = 1", "environments: expected a table, found a number"),
    ("quotas = []", "quotas: expected a table, found an array"),
    ("quotas.home = '50 GB'", "quotas.home: expected a table, found a string"),
    ("quotas.home.space = '50GB'", 'quotas.home.space: "50GB" is not a size such as "50 GB"'),
    ("quotas.home.space = '² GB'", r'quotas.home.space: "\u00b2 GB" is not a size such as "50 GB"'),
    ("quotas.home.space = 50", "quotas.home.space: expected a string, found a number"),
    ("quotas.home.files = 1.5", "quotas.home.files: expected a whole number, found a fraction"),
    ("quotas.home.files = true", "quotas.home.files: expected a whole number, found true or false"),
    ("quotas.home.files = -1", "quotas.home.files: expected a whole number, found a negative number"),
    ("quotas.home.inodes = 1", "quotas.home.inodes: there is no such key"),
    ("quotas.'a/b' = {}", 'quotas."a/b": "a/b" is not a name of letters, digits, dots, dashes and underscores'),
    ("dummies.pyarrow = 1", "dummies.pyarrow: expected a string, found a number"),
    ("dummies.'py arrow' = 'arrow'", 'dummies."py arrow": "py arrow" is not the name of a Python package'),
    ("modules = 1", "modules: expected an array of tables"),
    ("modules = [1]", "modules: expected an array of tables"),
    ("'\\u0000' = 1", r'"\\u0000": there is no such key'),
]


@pytest.mark.parametrize(("text", "message"), COMPLAINTS)
def test_complaints(text: str, message: str) -> None:
    found = problems(f"{text}\n")
    assert [problem.message for problem in found] == [message]
    assert (found[0].code, found[0].where) == ("bad-profile", str(FILE))
    assert found[0].hint
    assert found[0].message.isprintable()


ENVIRONMENT = "default-environment = 'x'\n[environments.x]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "environments.x.pythons: there is none"),
        ("pythons = '3.11.5'", "environments.x.pythons: expected an array of strings"),
        ("pythons = ['3.11.5', '3.12']", 'environments.x.pythons: "3.12" is not an exact version such as 3.11.5'),
        ("pythons = ['3.11.5']\ndefault-python = '3.12.1'", "3.12.1 is not one of the Pythons"),
        ("pythons = ['3.11.5']\ndefault-pythn = '3.11.5'", "environments.x.default-pythn: there is no such key"),
        ("pythons = ['3.11.5']\nlayers = []", "environments.x.layers: expected a table, found an array"),
        ("pythons = ['3.11.5']\nlayers.v3 = 'a'", "environments.x.layers.v3: expected an array of strings"),
        *(
            (f"pythons = ['3.11.5']\nlayers.v3 = ['{layer}']", "is not a folder below the wheelhouse")
            for layer in ("..", "a/../b", "/a", "a//b", "a/", "", "-a", ".a", "a b", "a\\\\b")
        ),
    ],
)
def test_complaints_about_an_environment(text: str, message: str) -> None:
    found = complaints(f"{ENVIRONMENT}{text}\n")
    assert any(message in each for each in found)
    assert all(each.startswith("environments.x.") for each in found)


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("", "platform: is missing"),
        ("platform = 1", "platform: expected a table, found a number"),
        ("[platform]\nos = 'beos'\ntags = ['x']", 'platform.os: expected one of linux, macos, windows, found "beos"'),
        ("[platform]\nos = 'linux'", "platform.tags: the site takes no platform tag"),
        ("[platform]\ntags = ['../x']", "is not a platform tag"),
        ("[platform]\nmachine = 'x 86'\ntags = ['x']", "is not a word such as x86_64"),
        ("[platform]\nmacos = '14.0'\ntags = ['x']", "platform.macos: there is no such key"),
        ("[platform]\nos = 'macos'\nglibc = '2.28'\ntags = ['x']", "platform.glibc: there is no such key"),
        *(
            (f"[platform]\nglibc = '{version}'\ntags = ['x']", "is not a version of glibc")
            for version in ("2", "2.28.1", "two", "2.999999999", "99.1", "2.-1", "2.٣")
        ),
        *(
            (f"[platform]\nos = 'macos'\nmacos = '{version}'\ntags = ['x']", "is not a version of macOS")
            for version in ("14", "9.9", "999999999.0", "14.x")
        ),
    ],
)
def test_complaints_about_the_platform(platform: str, message: str) -> None:
    found = complaints("", platform=f"{platform}\n")
    assert any(message in each for each in found)


def test_a_site_that_refuses_manylinux_takes_none() -> None:
    found = complaints("manylinux = false\n", platform="platform.glibc = '2.28'\n")
    assert found == ["manylinux: is false, but the platform takes manylinux or musllinux tags"]


def test_every_cpu_level_has_layers() -> None:
    text = "cpu-levels = ['v4', 'v3']\ndefault-environment = 'x'\n"
    environment = "[environments.x]\npythons = ['3.11.5']\nlayers.v4 = ['generic']\n"
    assert complaints(f"{text}wheelhouse = '/w'\n{environment}") == [
        "environments: x has no layers for the CPU level v3"
    ]
    assert parse(f"{text}{environment}").wheelhouse is None


def test_environments_need_a_default() -> None:
    assert complaints("[environments.x]\npythons = ['3.11.5']\n") == [
        "default-environment: '' is not one of the environments"
    ]


def test_all_complaints_come_at_once() -> None:
    text = """
    title = 1
    nonsense = 1
    manylinux = 1
    [quotas.home]
    space = "much"
    files = "many"
    [environments.x]
    pythons = ["3"]
    [[modules]]
    version = 1
    """
    assert {message.partition(":")[0] for message in complaints(text)} == {
        "title",
        "nonsense",
        "manylinux",
        "quotas.home.space",
        "quotas.home.files",
        "environments.x.pythons",
        "default-environment",
        "modules[0].environment",
        "modules[0].module",
        "modules[0].version",
        "modules[0].pythons",
        "modules[0].provides",
    }


def test_a_damaged_profile_does_not_flood_the_terminal() -> None:
    assert len(problems("".join(f"key{number} = 1\n" for number in range(500)))) == 20


def test_a_long_value_is_shortened() -> None:
    assert len(complaints(f"kind = '{'x' * 5000}'\n")[0]) < 200


def test_the_nearest_key() -> None:
    assert problems("compute-internt = 'none'\n")[0].hint == "did you mean compute-internet?"


ROW = {"environment": "2023", "module": "arrow", "version": "17.0.0", "pythons": ["3.10", "3.11"]}


def test_modules() -> None:
    rows = parse_modules({"modules": [{**ROW, "provides": {"PyArrow": "17.0.0", "x": "1"}}]}, "table")
    assert rows == (
        ModulePackage("2023", "arrow", "17.0.0", "3.10", Name("pyarrow"), "17.0.0"),
        ModulePackage("2023", "arrow", "17.0.0", "3.10", Name("x"), "1"),
        ModulePackage("2023", "arrow", "17.0.0", "3.11", Name("pyarrow"), "17.0.0"),
        ModulePackage("2023", "arrow", "17.0.0", "3.11", Name("x"), "1"),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pythons": ["3.11.5"]}, 'modules[1].pythons: "3.11.5" is not a minor version such as 3.11'),
        ({"pythons": [3.11]}, "modules[1].pythons: expected an array of strings"),
        ({"provides": {"pyarrow": "17-dev-x"}}, "modules[1].provides.pyarrow: '17-dev-x' is not a version"),
        ({"provides": {"pyarrow": ""}}, "modules[1].provides.pyarrow: '' is not a version"),
        ({"provides": {"pyarrow": 17}}, "modules[1].provides.pyarrow: expected a string, found a number"),
        ({"provides": []}, "modules[1].provides: expected a table, found an array"),
        (
            {"module": "arrow; rm"},
            'modules[1].module: "arrow; rm" is not a name of letters, digits, dots, dashes and underscores',
        ),
        ({"python": "3.11"}, "modules[1].python: there is no such key"),
    ],
)
def test_complaints_about_modules(change: dict[str, object], message: str) -> None:
    good: dict[str, object] = {**ROW, "provides": {"pyarrow": "17.0.0"}}
    with pytest.raises(InputError) as caught:
        parse_modules({"modules": [good, {**good, **change}]}, "table.toml")
    assert [(problem.message, problem.where) for problem in caught.value.problems] == [(message, "table.toml")]
