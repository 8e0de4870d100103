from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tumpline.errors import InputError
from tumpline.project.options import RequirementsOptions
from tumpline.project.requirements import RequirementsFile, read_requirements
from tumpline.project.requirements_text import logical_lines


def reading(tmp_path: Path, content: str | bytes, **others: str) -> RequirementsFile:
    """Write requirements.txt, and other files with dots for double underscores, and read it."""
    file = tmp_path / "requirements.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    for name, text in others.items():
        other = tmp_path / name.replace("__", ".")
        other.parent.mkdir(exist_ok=True)
        other.write_text(text, encoding="utf-8")
    return read_requirements(file)


def shown(found: RequirementsFile) -> list[str]:
    return [str(declared.requirement) for declared in found.requirements]


READ = [
    ("numpy", ["numpy"]),
    ("numpy==1.26.4  # why", ["numpy==1.26.4"]),
    ("dm-env #==1.5 # satisfied elsewhere", ["dm-env"]),
    ("# all comment\n\n  \n\tscipy >= 1.0 , < 2\n", ["scipy<2,>=1.0"]),
    ("torch == 1.8.1", ["torch==1.8.1"]),
    ("umap_learn[plot]~=0.5 ; python_version < '3.12'", ['umap_learn[plot]~=0.5; python_version < "3.12"']),
    ("numpy==\\\n1.26.4\nscipy", ["numpy==1.26.4", "scipy"]),
    ("numpy \\\n# a comment ends the line\nscipy", ["numpy", "scipy"]),
    ("numpy==1.0\\", ["numpy==1.0"]),
    ("a\r\nb\rc\n", ["a", "b", "c"]),
    ("lib @ git+https://example.org/lib.git@8f42", ["lib @ git+https://example.org/lib.git@8f42"]),
    ("git+https://example.org/lib.git@main#egg=lib", ["lib @ git+https://example.org/lib.git@main"]),
    (
        "git+ssh://git@example.org/l.git#egg=lib[x]&subdirectory=s",
        ["lib[x] @ git+ssh://git@example.org/l.git#subdirectory=s"],
    ),
    ("-e git+https://example.org/lib.git#egg=lib", ["lib @ git+https://example.org/lib.git"]),
    ("-e 'lib @ git+https://example.org/lib'", ["lib @ git+https://example.org/lib"]),
    (
        "https://example.org/my_lib-1.0-py3-none-any.whl ; os_name == 'posix'",
        ['my-lib @ https://example.org/my_lib-1.0-py3-none-any.whl ; os_name == "posix"'],
    ),
    ("https://example.org/my-lib-1.0.tar.gz", ["my-lib @ https://example.org/my-lib-1.0.tar.gz"]),
    ("foo<=2, >=1", ["foo<=2,>=1"]),
    ("foo===1.0-weird", ["foo===1.0-weird"]),
    ("foo==1.*", ["foo==1.*"]),
]


@pytest.mark.parametrize(("text", "requirements"), READ)
def test_lines_that_are_read(tmp_path: Path, text: str, requirements: list[str]) -> None:
    found = reading(tmp_path, text)
    assert (shown(found), found.problems, found.notes) == (requirements, (), ())


# (line, code, words of the message, words of the reason, words of the remedy)
REFUSED = [
    ("pinyin --no-index", "option-after-requirement", "--no-index stands", "a line of its own", "remove --no-index"),
    ("numpy --find-links=/x", "option-after-requirement", "--find-links stands", "own", "remove --find-links"),
    ("numpy=1.26=py311_0", "bad-requirement", "'numpy=1.26=py311_0'", "conda", "write numpy==1.26"),
    ("numpy=1.26", "bad-requirement", "'numpy=1.26'", "conda", "write numpy==1.26"),
    ("numpy==1.26=py311_0", "bad-requirement", "is not a requirement", "conda", "write numpy==1.26"),
    ("pyzmq-26.2.1+computecanada", "bad-requirement", "pyzmq-26.2.1", "a dash", "write pyzmq==26.2.1"),
    ("a-b-1.0+torch29.computecanada", "bad-requirement", "a-b-1.0", "a dash", "write a-b==1.0"),
    ("torch-2.0+cu118", "bad-requirement", "torch-2.0", "a dash", "write torch==VERSION"),
    ("numpy 1.26.4", "bad-requirement", "'numpy 1.26.4'", "no operator", "write numpy==1.26.4"),
    ("numpy 1.26.4 py311_0 conda-forge", "bad-requirement", "numpy", "no operator", "write numpy==1.26.4"),
    ("pip install numpy", "bad-requirement", "'pip install numpy'", "a command", "only the requirement"),
    ("!pip install numpy", "bad-requirement", "pip install", "a command", "only the requirement"),
    ("numpy≥1.20", "bad-requirement", "numpy≥1.20", "typographic", ">="),
    ("'numpy',", "bad-requirement", "numpy", "quote", "remove the quotes"),
    ("  - numpy=1.2", "bad-requirement", "- numpy=1.2", "YAML", "one to a line"),
    ("dependencies:", "bad-requirement", "dependencies:", "YAML", "one to a line"),
    ("<!DOCTYPE html>", "bad-requirement", "DOCTYPE", "web site", "raw"),
    ("[project]", "bad-requirement", "[project]", "TOML", "requirements file"),
    ('name = "x"', "bad-requirement", "name", "TOML", "requirements file"),
    ("import numpy", "bad-requirement", "import", "Python code", "name of the package"),
    ("@EXPLICIT", "bad-requirement", "EXPLICIT", "conda", "one to a line"),
    ("foo>=1<2", "bad-requirement", "foo>=1<2", "no comma", "NAME>=1,<2"),
    ("foo==1.0;", "bad-requirement", "foo==1.0;", "marker", "write NAME"),
    ("foo==abc def", "bad-requirement", "foo==abc def", "", "write NAME"),
    ("foo[bar", "bad-requirement", "foo[bar", "", "write NAME"),
    ("foo @ ../bar", "bad-address", "'../bar'", "no scheme", "full address"),
    ("foo @ http://[1/x.zip", "bad-address", "http://[1/x.zip", "IPv6", "host"),
    ("foo @ git+ext::sh", "bad-address", "git+ext::sh", "protocol", "git+https"),
    ("foo @ file:///nowhere/foo-1.0.tar.gz", "missing-file", "foo is taken from", "not on this", "foo==VERSION"),
    ("foo @ file:///opt/conda/conda-bld/foo_1/work", "missing-file", "foo is taken", "conda builds", "foo==VERSION"),
    ("foo @ file:///croot/foo_1/work", "missing-file", "foo is taken", "conda builds", "foo==VERSION"),
    ("git+https://example.org/lib.git", "unnamed-requirement", "does not say the name", "", "NAME @ ADDRESS"),
    ("git+https://example.org/lib.git#egg=a%20b", "unnamed-requirement", "does not say", "", "NAME @ ADDRESS"),
    ("https://example.org/lib-x.whl", "unnamed-requirement", "does not say the name", "", "NAME @ ADDRESS"),
    ("./" + "a" * 3000, "missing-file", "no file or folder here", "looked for in", "correct the path"),
    ("./nowhere", "missing-file", "'./nowhere'", "looked for in", "correct the path"),
    ("nowhere/lib", "missing-file", "'nowhere/lib'", "looked for in", "correct the path"),
    ("C:\\lib-1.0-py3-none-any.whl", "missing-file", "lib-1.0", "looked for in", "correct the path"),
    ("lib-1.0-py3-none-any.whl", "missing-file", "lib-1.0", "looked for in", "correct the path"),
    ("-e numpy", "bad-requirement", "'numpy' can not be installed as editable", "folder", "-e FOLDER"),
    ("-r", "bad-option", "--requirement has no value", "", "--requirement VALUE"),
    ("-r missing.txt", "missing-file", "there is no file missing.txt", "missing.txt", "correct the name"),
    ("-r .", "cannot-read", "is not a file", "", "name a file"),
    ("-r https://example.org/r.txt", "remote-file", "on another machine", "", "download"),
    ("-r requirements.txt", "include-cycle", "requirements.txt includes itself", "", "remove"),
    ("--no-deps", "unknown-option", "'--no-deps' is not an option", "", "remove it"),
    ("--no-indx", "unknown-option", "'--no-indx'", "", "mean --no-index?"),
    ("--pre=yes", "unknown-option", "'--pre=yes'", "", "remove"),
    ("--pre x", "unknown-option", "'x' is not an option", "", "remove"),
    ("foo --hash=sha256:abc", "bad-option", "'sha256:abc' is not a hash", "hexadecimal", "copy"),
    ("foo --hash=md5:" + "0" * 32, "bad-option", "is not a hash", "sha256", "copy"),
    ("foo --hash=sha256:" + "0" * 64 + " bar", "bad-requirement", "'bar' stands after", "", "a line of its own"),
    ("--hash=sha256:" + "0" * 64, "bad-option", "a hash without a requirement", "", "behind the requirement"),
    ('-e "folder', "bad-option", "a quote that is not closed", "", "close"),
    ("${TOKEN}", "unknown-variable", "the variable TOKEN is not set", "", "set TOKEN"),
    ("a ; " + "(" * 3500, "bad-requirement", "is not a requirement", "", "write NAME"),
    ("a==" + "9" * 5000, "bad-requirement", "is not a requirement", "5003 characters", "right file"),
    ("a" * 6_000, "bad-requirement", "is not a requirement", "6000 characters", "right file"),
]


@pytest.mark.parametrize(("text", "code", "message", "why", "hint"), REFUSED)
def test_lines_that_are_refused(tmp_path: Path, text: str, code: str, message: str, why: str, hint: str) -> None:
    found = reading(tmp_path, f"before\n\n{text}\nafter\n")
    (problem,) = found.problems
    assert problem.code == code
    assert problem.where == f"{tmp_path / 'requirements.txt'}:3"
    assert message in problem.message
    assert why in problem.why
    assert hint in problem.hint
    assert shown(found) == ["before", "after"]


def test_strict_raises_all_problems(tmp_path: Path) -> None:
    reading(tmp_path, "a=1\nb\nc --pre\n")
    with pytest.raises(InputError) as caught:
        read_requirements(tmp_path / "requirements.txt", strict=True)
    assert [problem.code for problem in caught.value.problems] == ["bad-requirement", "option-after-requirement"]
    reading(tmp_path, "a\n")
    assert shown(read_requirements(tmp_path / "requirements.txt", strict=True)) == ["a"]


def test_site_local_versions_are_noted(tmp_path: Path) -> None:
    found = reading(tmp_path, "a\nnumpy==1.26.4+computecanada\ntorchaudio==2.9+torch29.computecanada\nb==1+cu118\n")
    assert shown(found) == ["a", "numpy==1.26.4", "torchaudio==2.9", "b==1+cu118"]
    assert [(note.code, note.where.rpartition(":")[2]) for note in found.notes] == [
        ("site-local-dropped", "2"),
        ("site-local-dropped", "3"),
    ]


def test_what_modules_brought_is_left_out_and_noted(tmp_path: Path) -> None:
    found = reading(tmp_path, "numpy @ file:///tmp/ebuser/avx2/Python/3.9.6/numpy/numpy-1.21.2\nscipy\n")
    assert shown(found) == ["scipy"]
    (note,) = found.notes
    assert (note.code, note.where) == ("from-module", f"{tmp_path / 'requirements.txt'}:1")
    assert "/tmp/ebuser" in note.why
    assert "module" in note.hint


def test_a_wheel_of_a_wheelhouse_is_known_by_name_and_version(tmp_path: Path) -> None:
    wheel = "torch-2.0.1+computecanada-cp310-cp310-linux_x86_64.whl"
    found = reading(tmp_path, f"torch @ file:///cvmfs/soft/{wheel}\n./{wheel}\n".replace("+", "%2B", 1))
    assert (shown(found), found.problems) == (["torch==2.0.1", "torch==2.0.1"], ())
    assert [note.code for note in found.notes] == ["site-local-dropped"] * 2


def test_a_name_that_ends_in_a_version_is_noted(tmp_path: Path) -> None:
    found = reading(tmp_path, "pyzmq-26.2.1\n")
    assert shown(found) == ["pyzmq-26.2.1"]
    assert [(note.code, note.hint) for note in found.notes] == [
        ("version-in-name", "write pyzmq==26.2.1 if that is meant")
    ]


def test_folders_and_archives(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib-1.0-py3-none-any.whl").touch()
    (tmp_path / "other lib-1.0.tar.gz").touch()
    found = reading(
        tmp_path,
        "-e .\n-e .[dev,test]\n./lib\nlib-1.0-py3-none-any.whl[x] ; os_name == 'nt'\n./other lib-1.0.tar.gz\n"
        f"{(tmp_path / 'lib-1.0-py3-none-any.whl').as_uri()}\n",
    )
    assert [(local.path, local.editable, local.extras, local.origin) for local in found.local] == [
        (tmp_path / ".", True, (), "requirements.txt:1"),
        (tmp_path / ".", True, ("dev", "test"), "requirements.txt:2"),
        (tmp_path / "lib", False, (), "requirements.txt:3"),
    ]
    wheel = (tmp_path / "lib-1.0-py3-none-any.whl").as_uri()
    assert shown(found) == [f'lib[x] @ {wheel} ; os_name == "nt"', f"lib @ {wheel}"]
    assert [problem.code for problem in found.problems] == ["bad-requirement"]  # "other lib" is no name


def test_paths_start_from_the_folder_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("-e .\n-r base.txt\n")
    (tmp_path / "requirements" / "base.txt").write_text("numpy\n")
    found = read_requirements(tmp_path / "requirements" / "dev.txt", folder=tmp_path)
    assert found.local[0].path == tmp_path
    assert found.requirements[0].origin == "base.txt:1"


def test_options_are_kept(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        """--find-links https://example.org/whl.html
-f /cvmfs/wheels
-i https://one.example
--index-url=https://two.example
--extra-index-url https://three.example
--no-index --pre
--no-binary=a,b
--only-binary :all:
--prefer-binary
--require-hashes
--trusted-host example.org
--use-feature x
""",
    )
    assert found.problems == ()
    assert found.options == RequirementsOptions(
        index_url="https://two.example",
        extra_index_urls=("https://three.example",),
        find_links=("https://example.org/whl.html", "/cvmfs/wheels"),
        no_index=True,
        no_binary=("a", "b"),
        only_binary=(":all:",),
        prefer_binary=True,
        pre=True,
        require_hashes=True,
        trusted_hosts=("example.org",),
        others=("--use-feature=x",),
    )


def test_hashes_and_build_options(tmp_path: Path) -> None:
    one, two = "sha256:" + "A" * 64, "sha512:" + "0" * 128
    found = reading(tmp_path, f"numpy==1.26.4 \\\n  --hash={one} \\\n  --hash={two}\nb -C x=y --global-option z\n")
    assert [(item.origin, item.name, item.hashes) for item in found.hashes] == [
        ("requirements.txt:1", "numpy", (one.lower(), two))
    ]
    assert [note.code for note in found.notes] == ["option-not-used"] * 2
    assert shown(found) == ["numpy==1.26.4", "b"]
    found = reading(tmp_path, f". --hash={one} --global-option x\n")
    assert [note.message for note in found.notes] == [
        "--hash of . is not followed",
        "--global-option of . is not followed",
    ]


def test_files_include_others(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        "-r sub/base.txt\n-c limits.txt\n-rsub/base.txt\nmain\n",
        **{
            "sub/base__txt": "base\n-r more.txt\n--requirement=../limits.txt\n",
            "sub/more__txt": "more\nbad=1\n",
            "limits__txt": "limit<2\n",
        },
    )
    assert [(declared.origin, str(declared.requirement)) for declared in found.requirements] == [
        ("sub/base.txt:1", "base"),
        ("sub/more.txt:1", "more"),
        ("limits.txt:1", "limit<2"),
        ("requirements.txt:4", "main"),
    ]
    assert [(declared.origin, str(declared.requirement)) for declared in found.constraints] == [
        ("limits.txt:1", "limit<2")
    ]
    assert [problem.where for problem in found.problems] == [f"{tmp_path / 'sub' / 'more.txt'}:2"]


def test_a_circle_of_includes_is_refused_where_it_closes(tmp_path: Path) -> None:
    found = reading(tmp_path, "a\n-r other.txt\n", other__txt="b\n-r requirements.txt\n")
    assert shown(found) == ["a", "b"]
    assert [(problem.code, problem.where) for problem in found.problems] == [
        ("include-cycle", f"{tmp_path / 'other.txt'}:2")
    ]


def test_a_constraint_is_no_folder(tmp_path: Path) -> None:
    found = reading(tmp_path, "-c limits.txt\n", limits__txt="-e .\n")
    assert [problem.code for problem in found.problems] == ["bad-requirement"]
    assert found.local == ()


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")
    found = read_requirements(tmp_path / "0.txt")
    assert [problem.code for problem in found.problems] == ["too-large"]


def test_variables_come_from_what_is_given(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("lib @ https://${TOKEN}@example.org/lib.zip\n$HOME-x\n")
    found = read_requirements(file, environ={"TOKEN": "abc"})
    assert shown(found) == ["lib @ https://abc@example.org/lib.zip"]
    assert len(found.problems) == 1


def test_no_message_shows_what_a_variable_holds(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("https://me:${TOKEN}@example.org/lib\nlib=${TOKEN}\n--pre=${TOKEN}\n")
    found = read_requirements(file, environ={"TOKEN": "s3cret"})
    assert [problem.code for problem in found.problems] == ["unnamed-requirement", "bad-requirement", "unknown-option"]
    assert "s3cret" not in str(found.problems)
    assert "${TOKEN}" in found.problems[0].message


TABLE = """
Package Version             Editable project location
------- ------------------- -------------------------
numpy   2.2.2+computecanada
pip     23.2.1
"""


def test_a_table_of_pip_list_is_read(tmp_path: Path) -> None:
    found = reading(tmp_path, TABLE + "mine 0.1 /home/me/mine\nhalf\n")
    assert shown(found) == ["numpy==2.2.2", "pip==23.2.1"]
    assert [(note.code, note.where.rpartition(":")[2]) for note in found.notes] == [
        ("pip-list-table", "2"),
        ("site-local-dropped", "4"),
    ]
    assert [(problem.code, problem.where.rpartition(":")[2]) for problem in found.problems] == [
        ("local-project", "6"),
        ("bad-requirement", "7"),
    ]


TEXT = "numpy\n# é\nscipy\n"


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), []),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), []),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), []),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), []),
        (TEXT.encode("latin-1"), ["not-utf-8"]),
        (b"# -*- coding: latin-1 -*-\n" + TEXT.encode("latin-1"), []),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, notes: list[str]) -> None:
    found = reading(tmp_path, content)
    assert (shown(found), found.problems) == (["numpy", "scipy"], ())
    assert [note.code for note in found.notes] == notes


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"numpy\x00\n", "byte 5 is 0x00"),
        (b"\x89PNG\r\n\x1a\n", "is 0x1a"),
        (b"# coding: nonsense\nnumpy\n", "encoding is nonsense"),
        (b"# coding: utf-8\n\xff\n", "says that it is utf-8, and is not"),
        (codecs.BOM_UTF16_LE + b"a", "says that it is utf-16-le, and is not"),
    ],
)
def test_what_is_no_text_is_refused_once(tmp_path: Path, content: bytes, why: str) -> None:
    found = reading(tmp_path, content)
    (problem,) = found.problems
    assert problem.code == "not-text"
    assert why in problem.why
    assert problem.hint


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, code in (
        ("missing", "missing-file"),
        ("pipe", "cannot-read"),
        (".", "cannot-read"),
        ("a\0b", "cannot-read"),
    ):
        (problem,) = read_requirements(tmp_path / name).problems
        assert problem.code == code
        assert problem.hint


def test_large_files(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# padding\n" * 500_000 + "numpy\n")
    assert shown(read_requirements(file)) == ["numpy"]
    with file.open("wb") as stream:
        stream.truncate(50_000_000)
    (problem,) = read_requirements(file).problems
    assert problem.code == "too-large"
    assert "16 MiB" in problem.why


def test_thousands_of_problems_are_cut_short_and_counted(tmp_path: Path) -> None:
    found = reading(tmp_path, "a=1\n" * 5000)
    assert len(found.problems) == 101
    assert found.problems[-1].message == "4900 more lines are not looked at"


def test_messages_hold_no_control_characters(tmp_path: Path) -> None:
    found = reading(tmp_path, "\u009b31mred\n\u202eevil --pre\n")
    assert found.problems
    assert all(character.isprintable() for problem in found.problems for character in problem.message + problem.why)


WORDS = """numpy == 1.2 +computecanada -e -r -c . git+https://x/ #egg= @ file:///tmp/ebuser/ \\ ; python_version < '3'
[ ] ( --hash= sha256: " ${A} ~ / * | é --no-index = %00 \u202e http://[ ! name"""
words = st.sampled_from([*WORDS.split(), " ", "pip install"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(words, min_size=1, max_size=8).map("".join))
def test_no_line_is_dropped_silently(tmp_path: Path, text: str) -> None:
    found = reading(tmp_path, text)
    told = found.requirements or found.constraints or found.local or found.problems or found.notes
    assert told or found.options != RequirementsOptions() or not list(logical_lines(text))
    for problem in (*found.problems, *found.notes):
        assert problem.where
        assert problem.hint
