"""The file: the same bytes for the same lock, nothing lost on the way back, and every bad lock told apart."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.lock.samples import SAMPLE, indexed, package, pin
from tests.lock.strategies import locks
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.lock import Lock
from tumpline.lock.file import parse_lock, read_lock, render_lock, write_lock

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).resolve().parents[2]


def sealed(body: str) -> str:
    """Give a changed lock the digest that it would have had, as somebody who means ill would."""
    body = body.rstrip()
    return f'{body}\n\n[integrity]\nsha256 = "{hashlib.sha256(body.encode()).hexdigest()}"\n'


def changed(old: str, new: str) -> str:
    body, _, _ = render_lock(SAMPLE).partition("\n[integrity]")
    assert body.count(old) >= 1
    return sealed(body.replace(old, new, 1))


def test_the_golden_file() -> None:
    assert render_lock(SAMPLE) == (GOLDEN / "small.lock").read_text(encoding="utf-8")


def test_the_golden_file_is_read() -> None:
    assert read_lock(GOLDEN / "small.lock") == SAMPLE


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(locks())
def test_nothing_is_lost(lock: Lock) -> None:
    text = render_lock(lock)
    assert parse_lock(text, "a lock") == lock
    assert render_lock(parse_lock(text, "a lock")) == text
    # The digest is not part of TOML's own reading, so the text must be TOML by itself.
    assert tomllib.loads(text)["lock-version"] == "1"


def test_order_does_not_matter() -> None:
    shuffled = replace(SAMPLE, packages=tuple(replace(row, pins=row.pins[::-1]) for row in reversed(SAMPLE.packages)))
    assert render_lock(shuffled) == render_lock(SAMPLE)


def test_bytes_do_not_depend_on_hashing() -> None:
    code = (
        "from tests.lock.samples import SAMPLE; from tumpline.lock.file import render_lock; print(render_lock(SAMPLE))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("4711", "America/Toronto"))
    }
    assert outputs == {f"{render_lock(SAMPLE)}\n".replace("\n", os.linesep).encode()}


def test_no_address_and_no_absolute_path() -> None:
    text = render_lock(SAMPLE)
    assert "://" not in text
    assert '"/' not in text


def test_equal_pins_are_written_once() -> None:
    text = render_lock(SAMPLE)
    assert text.count('targets = ["narval", "fir"]\nsource = "pypi"\nindex = "pypi"\nfile = "requests-') == 1


def test_a_new_version_changes_few_lines() -> None:
    packages = list(SAMPLE.packages)
    packages[0] = package(
        "colorama", "0.4.7", pin("laptop", "0.4.7", indexed("colorama-0.4.7-py2.py3-none-any.whl", "d5", 25_336))
    )
    before = render_lock(SAMPLE).splitlines()
    after = render_lock(replace(SAMPLE, packages=tuple(packages))).splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [old.partition(" ")[0] for old, _ in differing] == ["version", "file", "sha256", "size", "sha256"]


def test_long_arrays_have_a_line_for_each_item() -> None:
    modules = tuple(f"arrow/{version}.0.0" for version in range(14, 29))
    lock = replace(SAMPLE, targets=(replace(SAMPLE.targets[0], modules=modules),), packages=())
    text = render_lock(lock)
    assert '\nmodules = [\n    "arrow/14.0.0",\n    "arrow/15.0.0",\n' in text
    assert parse_lock(text, "a lock") == lock


def test_write_and_read(tmp_path: Path) -> None:
    path = tmp_path / "project" / "tumpline.lock"
    write_lock(path, SAMPLE)
    assert path.read_bytes() == render_lock(SAMPLE).encode()
    assert read_lock(path) == SAMPLE
    assert list(path.parent.iterdir()) == [path]


def test_a_lock_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "tumpline.lock"
    write_lock(path, SAMPLE)
    hostile = package("colorama", "1", pin("laptop", "1", indexed("..\\colorama-1-py3-none-any.whl", "d4")))
    with pytest.raises(InputError) as caught:
        write_lock(path, replace(SAMPLE, packages=(hostile,)))
    assert caught.value.code == "lock-damaged"
    assert read_lock(path) == SAMPLE


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: text.rstrip("\n"), id="no last line end"),
        pytest.param(lambda text: f"{text}\n\n", id="empty lines at the end"),
    ],
)
def test_what_version_control_and_editors_do_is_no_edit(edit: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "tumpline.lock"
    path.write_bytes(edit(render_lock(SAMPLE)).encode())
    assert read_lock(path) == SAMPLE


def _cut(fraction: float) -> str:
    text = render_lock(SAMPLE)
    return text[: int(len(text) * fraction)]


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("", "lock-damaged", "lock-version"),
        ("garbage", "lock-damaged", "lock-version"),
        (_cut(0.5), "lock-damaged", "cut off"),
        (_cut(0.01), "lock-damaged", "lock-version"),
        (render_lock(SAMPLE)[:-10], "lock-damaged", "cut off"),
        (render_lock(SAMPLE).replace("2.2.2", "2.2.3", 1), "lock-edited", "digest"),
        (render_lock(SAMPLE).replace("# Do not edit", "# Edit", 1), "lock-edited", "digest"),
        (render_lock(SAMPLE).replace('lock-version = "1"', 'lock-version = "2"'), "lock-too-new", "lock-version 1"),
        ('lock-version = "17.3"\nlayout = "new"\n', "lock-too-new", "lock-version 1"),
        (changed('lock-version = "1"', 'lock-version = "0"'), "lock-damaged", "lock-version 0"),
        (f"<<<<<<< HEAD\n{render_lock(SAMPLE)}", "lock-damaged", "merge conflict"),
        (changed("[[package]]", "[[package"), "lock-damaged", "TOML"),
        (changed("size = 25335", f"size = {'9' * 5000}"), "lock-damaged", "TOML"),
        (changed("size = 25335", f"size = {'[' * 50_000}"), "lock-damaged", "TOML"),
    ],
)
def test_bad_locks(text: str, code: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "tumpline.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_lock(path)
    problem = caught.value.problems[0]
    assert problem.code == code
    assert part in f"{problem.message} {problem.why}"
    assert problem.where == str(path)
    assert "tumpline" in problem.hint
    assert caught.value.exit_status == 2


def test_every_place_to_cut_is_told(tmp_path: Path) -> None:
    text = render_lock(SAMPLE)
    for end in range(0, len(text) - 2, 97):
        with pytest.raises(InputError) as caught:
            parse_lock(text[:end], "a lock")
        assert caught.value.code == "lock-damaged"


def test_no_lock(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_lock(tmp_path / "tumpline.lock")
    assert (caught.value.code, caught.value.exit_status) == ("no-lock", 2)
    assert caught.value.problems[0].hint == "make one: tumpline lock"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        read_lock(tmp_path)
    assert (caught.value.code, caught.value.exit_status) == ("cannot-read", 4)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "tumpline.lock"
    path.write_bytes(b"lock-version = \xff")
    with pytest.raises(InputError) as caught:
        read_lock(path)
    assert caught.value.code == "lock-damaged"
    assert "UTF-8" in caught.value.problems[0].why


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "tumpline.lock"
    with path.open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(InputError) as caught:
        read_lock(path)
    assert caught.value.code == "lock-damaged"
    assert "32 MiB" in caught.value.problems[0].why


NUMPY = "numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'file = "{NUMPY}"', f'file = "../{NUMPY}"', "package[1].pin[0].file is not a plain file name"),
        (f'file = "{NUMPY}"', f'file = "C:\\\\{NUMPY}"', "package[1].pin[0].file is not a plain file name"),
        (f'file = "{NUMPY}"', 'file = "evil.sh"', "package[1].pin[0].file is not a plain file name"),
        (f'file = "{NUMPY}"', 'file = "numpy.whl"', "package[1].pin[0].file is not the name of a wheel"),
        (f'file = "{NUMPY}"', 'file = "evil-1-py3-none-any.whl"', "file is a wheel of another package than numpy"),
        ('layer = "gentoo2023/', 'layer = "../', "package[1].pin[0].layer is not a relative path"),
        ('layer = "gentoo2023/', 'layer = "/etc/', "package[1].pin[0].layer is not a relative path"),
        ('layers = ["', 'layers = ["a//', "target[0].layers[0] is not a relative path"),
        ('record = "a1', 'record = "A1', "package[1].pin[0].record is not a sha256"),
        ('sha256 = "d4', 'sha256 = "d', "package[0].pin[0].sha256 is not a sha256"),
        ("size = 25335", "size = -1", "package[0].pin[0].size is not a size in bytes"),
        ("size = 25335", "size = true", "package[0].pin[0].size is not a size in bytes"),
        ("size = 25335", 'size = "1"', "package[0].pin[0].size is not a size in bytes"),
        ('name = "numpy"', 'name = "NumPy"', "package[1].name is not a normalised project name"),
        ('name = "numpy"', 'title = "numpy"', "package[1].name is missing"),
        ('version = "0.4.6"', 'version = "latest"', "package[0].version is not a PEP 440 version"),
        ('version = "0.4.6"', 'version = " 0.4.6"', "package[0].version is not a PEP 440 version"),
        ('version = "0.4.6"', "version = 4", "package[0].version is not a string"),
        ('source = "pypi"', 'source = "conda"', "package[0].pin[0].source is none of wheelhouse, module, pypi, path"),
        ('source = "pypi"', 'source = "pypi"\nbuild = true', "package[0].pin[0].build does not agree"),
        ('source = "pypi"', 'source = "pypi"\nbuild = "yes"', "package[0].pin[0].build is neither true nor false"),
        ('source = "pypi"\n', "", "package[0].pin[0].source is missing"),
        ('policy = "mixed"', 'policy = "any"', "target[0].policy is none of wheelhouse, pypi, mixed"),
        ('policy = "mixed"\n', "", "target[0].policy is missing"),
        ('grade = "listed"', 'grade = "guessed"', "target[1].grade is none of scanned, listed"),
        ('targets = ["laptop"]', 'targets = ["desktop"]', "package[0].pin[0].targets names an unknown target"),
        ('targets = ["laptop"]', "targets = []", "package[0].pin[0].targets names no target"),
        ('targets = ["laptop"]', 'targets = "laptop"', "package[0].pin[0].targets is not an array"),
        (
            'targets = ["fir"]',
            'targets = ["narval"]',
            "package[1].pin[1].targets names a target that is pinned already",
        ),
        ('[[target]]\nname = "fir"', '[[target]]\nname = "narval"', "target[1].name is there twice"),
        ('[[package]]\nname = "numpy"', '[[package]]\nname = "colorama"', "package[1].name is there twice"),
        ('name = "narval"', 'name = "../.."', "target[0].name is not a plain name"),
        ('catalogue-date = "2026-11-20"', 'catalogue-date = "today"', "target[0].catalogue-date is not a day"),
        ('modules = ["arrow/17.0.0"]', 'modules = ["-x"]', "target[0].modules[0] is not a relative path"),
        ('requires-python = ">=3.11"', 'requires-python = "3.11"', "requires-python is not a PEP 440 specifier"),
        ("roots = [", 'resolution = "newest"\nroots = [', "resolution is none of highest, lowest, lowest-direct"),
        ("roots = [", 'exclude-newer = "2026-02-01"\nroots = [', "exclude-newer is not a moment"),
        ('approximate = "', 'approximate = "\\u001b[2J', "approximate is not text without control characters"),
        ('tool = "tumpline"', 'tool = "tumpline"\nextra = 1', "extra is not a known key"),
        ('source = "pypi"', 'source = "pypi"\nurl = "x"', "package[0].pin[0].url is not a known key"),
        ('inputs = "', 'inputs = 7 # "', "inputs is not a string"),
    ],
)
def test_hostile_content_is_refused_by_key_path(old: str, new: str, message: str) -> None:
    with pytest.raises(TumplineError) as caught:
        parse_lock(changed(old, new), "a lock")
    assert {problem.code for problem in caught.value.problems} == {"lock-damaged"}
    assert any(message in problem.message for problem in caught.value.problems), str(caught.value)
    assert all(problem.where == "a lock" and problem.hint for problem in caught.value.problems)
    assert caught.value.exit_status == 2


VCS = f'source = "vcs"\nurl = "https://example.org/lib"\ncommit = "{"ab" * 20}"\nbuild = true'
URL = f'source = "url"\nurl = "https://example.org/c-1.zip"\nfile = "c-1.zip"\nsha256 = "{"ab" * 32}"\nbuild = true'
PATH = f'source = "path"\npath = "../c-1-py3-none-any.whl"\nsha256 = "{"ab" * 32}"\nrecord = "{"cd" * 32}"'


def addressed(pin: str) -> str:
    """A lock whose only pin is this."""
    head = 'lock-version = "1"\ninputs = "ab"\nroots = []\n[[target]]\nname = "a"\nsite = "linux"\npython = "3.11"\n'
    head += 'policy = "mixed"\nos = "linux"\nmachine = "x86_64"\n'
    return sealed(f'{head}[[package]]\nname = "c"\nversion = "1"\n[[package.pin]]\ntargets = ["a"]\n{pin}\n')


@pytest.mark.parametrize(
    ("pin", "old", "new", "message"),
    [
        (VCS, "", "", ""),
        (URL, "", "", ""),
        (PATH, "", "", ""),
        (VCS, "https://example.org/lib", "ext::sh -c x", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "--upload-pack=x", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "https://-x/lib", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "ssh://-oProxyCommand=x/lib", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "ssh://-o@example.org/lib", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "https://me:pw@example.org/lib", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "file:///etc", "url is not an https or ssh address"),
        (VCS, "https://example.org/lib", "http://example.org/lib", "url is not an https or ssh address"),
        (VCS, 'url = "https://example.org/lib"\n', "", "url and path: there must be one of them"),
        (VCS, "url =", 'path = "../x"\nurl =', "url and path: there must be one of them"),
        (VCS, "url =", 'reference = "--x"\nurl =', "reference is not the name of a branch"),
        (VCS, "url =", 'reference = "a..b"\nurl =', "reference is not the name of a branch"),
        (VCS, "url =", 'subdirectory = "../x"\nurl =', "subdirectory is not a relative path"),
        (VCS, 'commit = "ab', 'commit = "AB', "commit is not a commit"),
        (VCS, 'commit = "ab', 'commit = "main', "commit is not a commit"),
        (VCS, "build = true", "", "build does not agree"),
        (URL, "https://example.org", "https://me@example.org", "url is not an http or https address"),
        (URL, "https://example.org", "file:///", "url is not an http or https address"),
        (URL, 'sha256 = "ab', 'sha256 = "a', "sha256 is not a sha256"),
        (URL, 'file = "c-1.zip"', 'file = "../c-1.zip"', "file is not a plain file name"),
        (URL, 'file = "c-1.zip"', 'file = "d-1-py3-none-any.whl"', "file is a wheel of another package than c"),
        (PATH, '"../c-1', '"/c-1', "path is not a relative path into this folder or one beside it"),
        (PATH, '"../c-1', '"../../c-1', "path is not a relative path into this folder or one beside it"),
        (PATH, '"../c-1', '"x/../../c-1', "path is not a relative path into this folder or one beside it"),
        (PATH, '"../c-1', '"../d-1', "path is a wheel of another package than c"),
        (PATH, f'sha256 = "{"ab" * 32}"\n', "", "sha256 is missing"),
        (PATH, f'record = "{"cd" * 32}"', "", "record is missing"),
    ],
)
def test_hostile_addresses(pin: str, old: str, new: str, message: str) -> None:
    assert old in pin
    text = addressed(pin.replace(old, new, 1))
    if not message:
        assert parse_lock(text, "a lock").packages[0].pins
        return
    with pytest.raises(TumplineError) as caught:
        parse_lock(text, "a lock")
    assert any(message in problem.message for problem in caught.value.problems), str(caught.value)


@pytest.mark.parametrize("value", ["3", "[1]", "{ name = 'narval' }"])
def test_targets_that_are_no_tables(value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_lock(sealed(f'lock-version = "1"\ninputs = "ab"\ntarget = {value}\n'), "a lock")
    assert [problem.message for problem in caught.value.problems] == ["target is not an array of tables"]


def test_all_complaints_at_once_but_not_thousands() -> None:
    body = render_lock(SAMPLE).partition("\n[integrity]")[0]
    with pytest.raises(InputError) as caught:
        parse_lock(sealed(body.replace("sha256 = ", "sha255 = ").replace("size =", "length =")), "a lock")
    assert 5 < len(caught.value.problems) <= 20


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tumpline.lock")
    with pytest.raises(EnvironmentFailure) as caught:
        read_lock(tmp_path / "tumpline.lock")
    assert (caught.value.code, caught.value.problems[0].why) == ("cannot-read", "it is not a file")
