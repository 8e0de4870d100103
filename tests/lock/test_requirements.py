"""Requirements files: for anywhere by default, for the site itself with `local`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock.samples import BY_ADDRESS, LAPTOP, SAMPLE, indexed, package, pin
from tumpline.errors import InputError
from tumpline.lock import Lock
from tumpline.lock.export import Export, LeftOut, rows_for
from tumpline.lock.requirements import export_requirements
from tumpline.values import Name


def exported(lock: Lock, target: str, folder: Path, *, local: bool = False, tildes: bool = False) -> Export:
    return export_requirements(rows_for(lock, target, "requirements", local=local), folder, tildes=tildes)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_cluster_for_anywhere() -> None:
    export = exported(SAMPLE, "narval", Path())
    assert lines(export.text) == ["numpy==2.2.2", "pyarrow==17.0.0", "requests==2.32.3", "torch==2.6.0"]
    assert export.left_out == ()
    assert export.remarks == ("hashes are left out, since not every package has one",)
    assert "computecanada" not in export.text


def test_a_cluster_for_itself() -> None:
    export = exported(SAMPLE, "narval", Path(), local=True)
    assert lines(export.text) == ["numpy==2.2.2+computecanada", "requests==2.32.3", "torch==2.6.0+computecanada"]
    assert export.left_out == (LeftOut(Name("pyarrow"), "17.0.0", "arrow/17.0.0"),)
    assert "# Load these modules first: arrow/17.0.0" in export.text.splitlines()


def test_hashes_where_every_package_has_one() -> None:
    export = exported(SAMPLE, "laptop", Path())
    assert lines(export.text)[:2] == ["colorama==0.4.6 \\", f"    --hash=sha256:{'d4' * 32}"]
    assert export.text.count("--hash=sha256:") == 5
    assert export.remarks == ()


def test_no_hashes_where_one_is_missing() -> None:
    wheel = replace(indexed("toy-1-py3-none-any.whl", "a1"), sha256="")
    lock = replace(SAMPLE, packages=(SAMPLE.packages[0], package("toy", "1", pin("laptop", "1", wheel))))
    export = exported(lock, "laptop", Path())
    assert lines(export.text) == ["colorama==0.4.6", "toy==1"]
    assert export.remarks


def test_the_local_part_of_an_index_is_kept() -> None:
    # 2.8.0+cu118 of an index is another build than 2.8.0, and exists there under that number.
    wheel = indexed("torch-2.8.0+cu118-cp311-cp311-linux_x86_64.whl", "a1")
    lock = Lock("ab", "", (LAPTOP,), (), (package("torch", "2.8.0", pin("laptop", "2.8.0+cu118", wheel)),))
    assert lines(exported(lock, "laptop", Path()).text)[0] == "torch==2.8.0+cu118 \\"


def test_every_line_is_a_requirement() -> None:
    for target in ("narval", "fir", "laptop"):
        for local in (False, True):
            text = exported(SAMPLE, target, Path(), local=local).text.replace("\\\n", "")
            for line in lines(text):
                assert Requirement(line.partition(" --hash")[0]).specifier


def test_what_is_taken_by_address(tmp_path: Path) -> None:
    project = tmp_path / "project"
    export = exported(BY_ADDRESS, "laptop", project)
    assert lines(export.text) == [
        f"a @ {(project / 'vendor' / 'a-1.0-py3-none-any.whl').as_uri()}",
        f"b @ {(tmp_path / 'b').as_uri()}#subdirectory=inner",
        "c @ https://example.org/c.zip#subdirectory=s",
        f"d @ git+https://example.org/d@{'ab' * 20}#subdirectory=s",
        f"e @ git+{(tmp_path / 'e').as_uri()}@{'cd' * 20}",
    ]
    assert export.remarks == ("hashes are left out, since not every package has one",)
    hashed = exported(replace(BY_ADDRESS, packages=BY_ADDRESS.packages[:1]), "laptop", project)
    assert lines(hashed.text)[-1] == f"    --hash=sha256:{'a1' * 32}"
    for line in lines(export.text):
        assert Requirement(line).url


def test_an_empty_target() -> None:
    export = exported(Lock("ab", "", (LAPTOP,), (), ()), "laptop", Path())
    assert (lines(export.text), export.remarks) == ([], ())


def test_unknown_target() -> None:
    with pytest.raises(InputError) as caught:
        exported(SAMPLE, "nibi", Path())
    assert caught.value.code == "unknown-target"
