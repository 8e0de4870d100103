"""A user's own profiles: where they are found, how they inherit, and what is said of those that can not be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tumpline.errors import InputError
from tumpline.sites.files import catalogue_name, profile_folders
from tumpline.sites.load import list_sites, load_site, module_packages, profiles_digest

PLATFORM = '[platform]\nos = "linux"\ntags = ["linux_x86_64"]\n'


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(name: str, *folders: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_site(name, folders)
    return caught.value


class TestFolders:
    def test_order(self, tmp_path: Path) -> None:
        environ = {"TUMPLINE_SITES": os.pathsep.join(["one", "", str(tmp_path)])}
        assert profile_folders(environ, Path("config")) == (Path("one"), tmp_path, Path("config/sites"))

    def test_none_named(self) -> None:
        assert profile_folders({}, Path("config")) == (Path("config/sites"),)

    def test_the_first_folder_wins_over_the_next_and_over_shipped(self, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            write(tmp_path / folder, "narval", f'title = "{folder}"\n{PLATFORM}')
        site = load_site("narval", (tmp_path / "missing", tmp_path / "a", tmp_path / "b"))
        assert (site.title, site.origin) == ("a", str(tmp_path / "a" / "narval.toml"))
        assert site.wheelhouse is None

    def test_listed_with_the_shipped_ones(self, tmp_path: Path) -> None:
        write(tmp_path, "my-lab", PLATFORM)
        write(tmp_path, "here", PLATFORM)
        write(tmp_path, ".hidden", PLATFORM)
        (tmp_path / "folder.toml").mkdir()
        names = [site.name for site in list_sites((tmp_path,))]
        assert "my-lab" in names
        assert "narval" in names
        assert not {"here", ".hidden", "folder", "alliance", "alliance-modules", "numpy-api"} & set(names)

    def test_all_faults_of_all_profiles_are_told(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            write(tmp_path, name, f"colour = 1\n{PLATFORM}")
        with pytest.raises(InputError) as caught:
            list_sites((tmp_path,))
        assert [problem.where for problem in caught.value.problems] == [str(tmp_path / f"{n}.toml") for n in "ab"]


class TestCatalogueName:
    """Read without parsing the whole profile, and the same as that says."""

    def test_of_the_shipped(self) -> None:
        for site in list_sites():
            assert catalogue_name(site.name) == site.catalogue

    @pytest.mark.parametrize(
        "own",
        [
            "",
            'catalogue = "own"\n',
            'wheelhouse = "/w"\n',
            'extends = "narval"\n',
            'extends = "narval" # as it is\ncatalogue="own"\n',
            'extends = "base"\n',
            'extends = "base"\ncatalogue = "own"\n',
            '"catalogue" = "quoted"\n',
            "catalogue = 'literal'\n",
            'title = """\\\n[catalogue] = "no""""\ncatalogue = "yes"\n',
            'cpu-levels = [\n"x86-64-v3",\n]\r\ncatalogue = "own"\n',
            'cpu-levels = ["x86-64-v3", "x86-64-v4"]\ncatalogue = "\\u006fwn"\n',
        ],
    )
    def test_of_ones_own(self, tmp_path: Path, own: str) -> None:
        write(tmp_path, "base", f'wheelhouse = "/base"\n{PLATFORM}')
        write(tmp_path, "lab", f"{own}{PLATFORM}")
        assert catalogue_name("lab", (tmp_path,)) == load_site("lab", (tmp_path,)).catalogue

    @pytest.mark.parametrize("own", ['extends = "nowhere"\n', 'extends = "lab"\n', "catalogue\n", "extends = 1\n"])
    def test_refused(self, tmp_path: Path, own: str) -> None:
        write(tmp_path, "lab", f"{own}{PLATFORM}")
        with pytest.raises(InputError) as caught:
            catalogue_name("lab", (tmp_path,))
        assert caught.value.problems == refused("lab", tmp_path).problems


class TestUnknown:
    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("narvall", "narval"),
            ("trilium", "trillium"),
            ("zzz", "choose one of: fir, "),
            ("", "choose one of"),
            ("..", "choose one of"),
            ("../sites/data/narval", "choose one of"),
            ("a/narval", "narval"),
            ("a\\narval", "narval"),
            ("narval\0", "narval"),
            ("-narval", "narval"),
            ("x" * 5000, "choose one of"),
            ("alliance-modules", "choose one of"),
            ("numpy-api", "choose one of"),
        ],
    )
    def test_name(self, name: str, hint: str, tmp_path: Path) -> None:
        error = refused(name, tmp_path)
        assert error.code == "unknown-site"
        assert hint in error.problems[0].hint
        assert len(str(error)) < 200
        assert str(error).isprintable()

    def test_a_profile_outside_the_folders_is_not_found(self, tmp_path: Path) -> None:
        write(tmp_path, "secret", PLATFORM)
        assert refused("../secret", tmp_path / "sites").code == "unknown-site"


class TestInheritance:
    def test_a_key_is_replaced_and_a_table_added_to(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            "lake",
            """
            extends = "narval"
            title = "Lake"
            [environments.2030]
            pythons = ["3.18.1"]
            layers = { x86-64-v3 = ["2030"] }
            [quotas.home]
            files = 10
            [dummies]
            cmake = "cmake"
            """,
        )
        site, base = load_site("lake", (tmp_path,)), load_site("narval")
        assert (site.name, site.title, site.login_host) == ("lake", "Lake", base.login_host)
        assert [environment.name for environment in site.environments] == ["2023", "2026", "2030"]
        assert site.environments[:2] == base.environments
        assert base.quotas is not None
        assert site.quotas is not None
        assert (site.quotas["home"].space, site.quotas["home"].files) == (None, 10)
        assert site.quotas["scratch"] == base.quotas["scratch"]
        assert {dummy.name for dummy in site.dummies} == {dummy.name for dummy in base.dummies} | {"cmake"}
        assert site.origin == str(tmp_path / "lake.toml")
        assert module_packages(site) == module_packages(base)

    def test_ones_own_name_is_that_of_the_next_folder_and_then_the_shipped(self, tmp_path: Path) -> None:
        write(tmp_path / "a", "fir", 'extends = "fir"\ntitle = "A"\n')
        write(tmp_path / "b", "fir", 'extends = "fir"\nscheduler = "pbs"\n')
        site = load_site("fir", (tmp_path / "a", tmp_path / "b"))
        assert (site.title, site.scheduler, site.login_host) == ("A", "pbs", "fir.alliancecan.ca")

    @pytest.mark.parametrize(
        ("own", "inferred"),
        [
            ("", {"default-environment", "cpu-levels"}),
            ('cpu-levels = ["x86-64-v4"]', {"default-environment"}),
            ('default-environment = "2026"', {"cpu-levels"}),
            ('cpu-levels = ["x86-64-v4"]\ninferred = ["cpu-levels"]', {"default-environment", "cpu-levels"}),
            ('inferred = ["title"]\ntitle = "x"', {"default-environment", "cpu-levels", "title"}),
        ],
    )
    def test_a_stated_fact_is_no_guess(self, tmp_path: Path, own: str, inferred: set[str]) -> None:
        write(tmp_path, "lake", f'extends = "fir"\n{own}\n')
        assert load_site("lake", (tmp_path,)).inferred - {"jobs.gpus", "jobs.shared-folder"} == inferred

    def test_a_guess_within_a_table(self, tmp_path: Path) -> None:
        environment = '[environments.2023]\npythons = ["3.11.5"]\nlayers = { x86-64-v3 = ["a"] }\n'
        write(tmp_path, "lake", f'extends = "narval"\n{environment}')
        write(tmp_path, "pond", f'extends = "narval"\n{environment.replace("2023", "2030")}')
        key = "environments.2023.default-python"
        assert key not in load_site("lake", (tmp_path,)).inferred
        assert key in load_site("pond", (tmp_path,)).inferred

    def test_relative_folders_are_from_the_file_that_names_them(self, tmp_path: Path) -> None:
        write(tmp_path / "base", "base", f'wheelhouse = "../wheels"\n{PLATFORM}')
        write(tmp_path / "own", "own", 'extends = "base"\n')
        site = load_site("own", (tmp_path / "own", tmp_path / "base"))
        assert site.wheelhouse == str((tmp_path / "wheels").resolve())

    @pytest.mark.parametrize(
        "files",
        [
            {"a": "a"},
            {"a": "b", "b": "a"},
            {"a": "b", "b": "c", "c": "b"},
        ],
    )
    def test_a_circle(self, tmp_path: Path, files: dict[str, str]) -> None:
        for name, base in files.items():
            write(tmp_path, name, f'extends = "{base}"\n')
        error = refused("a", tmp_path)
        assert error.code == "bad-profile"
        assert "extends itself" in str(error)
        assert error.problems[0].where.startswith(str(tmp_path))

    @pytest.mark.parametrize(
        ("value", "code"), [('"nowhere"', "unknown-site"), ('"../narval"', "unknown-site"), ("3", "bad-profile")]
    )
    def test_bad_base(self, tmp_path: Path, value: str, code: str) -> None:
        path = write(tmp_path, "a", f"extends = {value}\n")
        error = refused("a", tmp_path)
        assert error.code == code
        assert str(path) in error.problems[0].where

    def test_the_file_at_fault_is_named(self, tmp_path: Path) -> None:
        base = write(tmp_path, "base", f"manylinux = 3\n{PLATFORM}")
        own = write(tmp_path, "own", 'extends = "base"\ntitle = 4\n')
        assert {problem.where for problem in refused("own", tmp_path).problems} == {str(base), str(own)}


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "where", "words"),
        [
            (b'title = "x\n', ":1", "not valid TOML"),
            (b"\n\na = \n", ":3", "not valid TOML"),
            (b"a = 1\na = 2\n", ":2", "not valid TOML"),
            (b'title = "\xff"\n', "", "not UTF-8"),
            (b"a = " + b"[" * 5000, "", "nested too deeply"),
            (b"#" * (4 * 2**20 + 1), "", "larger than 4 MiB"),
        ],
    )
    def test_not_toml(self, tmp_path: Path, content: bytes, where: str, words: str) -> None:
        path = tmp_path / "a.toml"
        path.write_bytes(content)
        error = refused("a", tmp_path)
        assert (error.code, error.problems[0].where) == ("bad-profile", f"{path}{where}")
        assert words in str(error)

    def test_a_byte_order_mark_is_ignored(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + PLATFORM.encode())
        assert load_site("a", (tmp_path,)).platform.tags == ("linux_x86_64",)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, tmp_path: Path) -> None:
        write(tmp_path, "a", PLATFORM).chmod(0)
        assert "can not be read" in str(refused("a", tmp_path))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
    def test_a_pipe_is_no_profile(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.toml")
        assert refused("a", tmp_path).code == "unknown-site"


class TestModules:
    TEXT = """
        [[modules]]
        environment = "2023"
        module = "arrow"
        version = "17.0.0"
        pythons = ["3.11", "3.12"]
        provides = { PyArrow = "17.0.0" }
        """

    def test_written_in_the_profile(self, tmp_path: Path) -> None:
        write(tmp_path, "a", PLATFORM + self.TEXT)
        rows = module_packages(load_site("a", (tmp_path,)))
        assert [(row.module, row.module_version, row.python, row.name, row.version) for row in rows] == [
            ("arrow", "17.0.0", "3.11", "pyarrow", "17.0.0"),
            ("arrow", "17.0.0", "3.12", "pyarrow", "17.0.0"),
        ]

    def test_beside_the_profile_and_added_to_inherited_ones(self, tmp_path: Path) -> None:
        write(tmp_path / "tables", "more", self.TEXT.replace("17.0.0", "99.0.0"))
        write(tmp_path, "a", f'module-tables = ["tables/more.toml"]\n{PLATFORM}')
        write(tmp_path, "b", 'extends = "a"\n' + self.TEXT)
        versions = {row.module_version for row in module_packages(load_site("b", (tmp_path,)))}
        assert versions == {"17.0.0", "99.0.0"}

    def test_a_missing_table(self, tmp_path: Path) -> None:
        write(tmp_path, "a", f'module-tables = ["none.toml"]\n{PLATFORM}')
        site = load_site("a", (tmp_path,))
        with pytest.raises(InputError) as caught:
            module_packages(site)
        assert (caught.value.code, caught.value.problems[0].where) == ("bad-profile", str(tmp_path / "none.toml"))

    def test_a_table_with_faults(self, tmp_path: Path) -> None:
        table = write(tmp_path / "tables", "more", self.TEXT.replace('"17.0.0"', '"x y"'))
        write(tmp_path, "a", f'module-tables = ["tables/more.toml"]\n{PLATFORM}')
        site = load_site("a", (tmp_path,))
        with pytest.raises(InputError) as caught:
            module_packages(site)
        assert {problem.where for problem in caught.value.problems} == {str(table)}

    def test_listing_sites_reads_no_table(self, tmp_path: Path) -> None:
        write(tmp_path, "a", f'module-tables = ["none.toml"]\n{PLATFORM}')
        assert "a" in [site.name for site in list_sites((tmp_path,))]


class TestDigest:
    def test_of_the_shipped(self) -> None:
        site = load_site("narval")
        assert profiles_digest(site) == profiles_digest(site)
        assert profiles_digest(site) != profiles_digest(load_site("linux")), "narval has module tables"

    def test_any_profile_counts(self, tmp_path: Path) -> None:
        site = load_site("linux")
        seen = {profiles_digest(site, (tmp_path,))}
        for name, text in (("a", PLATFORM), ("a", PLATFORM + "# "), ("b", PLATFORM), ("bad", "this is no TOML")):
            write(tmp_path, name, text)
            seen.add(profiles_digest(site, (tmp_path,)))
        assert len(seen) == 5
        (tmp_path / "b.toml").rename(tmp_path / "c.toml")
        assert profiles_digest(site, (tmp_path,)) not in seen, "names count"

    def test_a_module_table_counts(self, tmp_path: Path) -> None:
        write(tmp_path / "tables", "mine", "one")
        write(tmp_path, "lab", f'module-tables = ["tables/mine.toml"]\n{PLATFORM}')
        site = load_site("lab", (tmp_path,))
        before = profiles_digest(site, (tmp_path,))
        write(tmp_path / "tables", "mine", "two")
        assert profiles_digest(site, (tmp_path,)) != before

    def test_what_can_not_be_read_is_left_to_whoever_needs_it(self, tmp_path: Path) -> None:
        (tmp_path / "folder.toml").mkdir()
        site = load_site("linux")
        assert profiles_digest(site, (tmp_path, tmp_path / "missing")) != profiles_digest(site)
