"""The processes that a sync starts: virtualenv, the workers, and what becomes of them."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.environment.test_faults import leftovers, start, world
from tests.environment.worlds import (
    MINOR,
    indexed,
    layout_in,
    lock_of,
    make_environment,
    python_says,
    tiny_pip,
    variables,
)
from tests.wheelmaker import make_wheel
from tumpline.environment.create import create_environment
from tumpline.environment.crew import Crew, usual_jobs
from tumpline.environment.install import Installed, WheelJob
from tumpline.environment.reporting import Quiet
from tumpline.environment.serving import serve
from tumpline.environment.sync import sync
from tumpline.environment.worker import answer_of, install, question_of
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.host.process import last_lines
from tumpline.host.pythons import Interpreter, find_python


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return find_python(MINOR, variables())


def test_virtualenv_that_fails(tmp_path: Path, interpreter: Interpreter) -> None:
    broken = dataclasses.replace(interpreter, path=tmp_path / "no-python")
    with pytest.raises(EnvironmentFailure) as caught:
        create_environment(tmp_path / "env", broken, "name", variables())
    assert caught.value.code == "virtualenv-failed"
    assert "no-python" in caught.value.problems[0].why


def test_a_python_that_no_pip_is_kept_for(tmp_path: Path, interpreter: Interpreter) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        create_environment(tmp_path / "env", dataclasses.replace(interpreter, version="2.7.18"), "name", variables())
    assert caught.value.code == "python-too-old"


def test_no_place_for_temporary_files(tmp_path: Path, interpreter: Interpreter) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        create_environment(tmp_path / "env", interpreter, "name", variables(TMPDIR=str(tmp_path / "none")))
    assert caught.value.code == "cannot-write"


def test_the_end_of_an_output() -> None:
    assert last_lines("\n".join(map(str, range(100)))).splitlines() == [str(number) for number in range(85, 100)]
    assert len(last_lines("x" * 10_000)) == 500


def test_usual_jobs() -> None:
    assert 1 <= usual_jobs() <= 4


def test_a_worker_answers_in_order(tmp_path: Path) -> None:
    good = WheelJob(make_wheel(tmp_path, "alpha", "1"), requested=True)
    bad = WheelJob(tmp_path / "gone-1-py3-none-any.whl")
    wrong = WheelJob(make_wheel(tmp_path, "beta", "1"), sha256="ab" * 32)
    layout = layout_in(tmp_path / "env \udce9")
    asked = io.BytesIO(b"".join(question_of(job, layout) for job in (good, bad, wrong)))
    said = io.BytesIO()
    serve(asked, said, install)
    answers = [answer_of(line) for line in said.getvalue().splitlines()]
    assert isinstance(answers[0], Installed)
    assert answers[0].files == 6
    assert isinstance(answers[1], EnvironmentFailure)
    assert answers[1].code == "unreadable-wheel"
    assert isinstance(answers[2], InputError)
    assert answers[2].code == "wrong-hash"


def test_a_crew_installs_the_largest_first(tmp_path: Path) -> None:
    sizes = {"small": 10, "large": 30, "middle": 20}
    jobs = [WheelJob(make_wheel(tmp_path, name, "1"), size=size) for name, size in sizes.items()]
    order: list[str] = []
    with Crew(1, variables()) as crew:
        results = crew.install(
            jobs, layout_in(tmp_path / "env"), lambda job, _: order.append(job.path.name.split("-")[0])
        )
    assert order == ["large", "middle", "small"]
    assert len(results) == 3


def test_a_crew_stops_where_its_listener_fails(tmp_path: Path) -> None:
    jobs = [WheelJob(make_wheel(tmp_path, name, "1")) for name in ("a", "b", "c")]

    def fail(job: WheelJob, result: Installed) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Crew(2, variables()) as crew:
        crew.install(jobs, layout_in(tmp_path / "env"), fail)
    assert all(worker._process.poll() is not None for worker in crew._workers)


def test_a_worker_that_can_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(EnvironmentFailure) as caught:
        Crew(2, variables())
    assert caught.value.code == "worker-died"


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    sign = tmp_path / "alive"
    work = "import pathlib, time\nwhile True: pathlib.Path(sys.argv[1]).touch(); time.sleep(0.01)"
    code = (
        "import subprocess, sys, time\nfrom tumpline.host.launch import own_python\n"
        "subprocess.Popen(own_python(*sys.argv[1:]))\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, work, str(sign)])
    deadline = time.monotonic() + 20
    while not sign.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    time.sleep(0.3)
    sign.unlink()
    time.sleep(0.2)
    assert not sign.exists()


def test_interrupted_from_the_keyboard(tmp_path: Path) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    make_environment(world(folder, "1"), place, folder)
    old = set(place.parent.iterdir())
    process = start(world(folder, "2", size=8 * 2**20), folder, place)
    deadline = time.monotonic() + 20
    while not any(list(path.glob("lib/*/site-packages/*.bin")) for path in set(place.parent.iterdir()) - old):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert "worker" not in said
    assert leftovers(place) == []
    assert python_says(place, "import alpha; print(alpha.__version__)") == "1"


class Intruder(Quiet):
    """Puts something at the environment's place while the sync is at work."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def start(self, step: str, count: int, size: int) -> None:
        if step == "install":
            self._place.mkdir()


def attempt(tmp_path: Path, reporter: Quiet) -> TumplineError:
    from tests.environment.worlds import FolderIndex

    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    lock = lock_of(indexed(tiny_pip(folder)))
    with pytest.raises(TumplineError) as caught:
        sync(
            lock,
            "here",
            place,
            project=None,
            wheelhouse=None,
            index=FolderIndex(folder),
            environ=variables(),
            reporter=reporter,
        )
    return caught.value


def test_something_else_appears_at_the_place(tmp_path: Path) -> None:
    place = tmp_path / "there" / "env"
    assert attempt(tmp_path, Intruder(place)).code == "not-our-environment"
    assert list(place.parent.iterdir()) == [place]


def test_where_there_are_no_symbolic_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    assert attempt(tmp_path, Quiet()).code == "no-symlinks"
    assert list((tmp_path / "there").iterdir()) == []


def test_a_name_too_long_for_the_file_system(tmp_path: Path) -> None:
    lock = lock_of(indexed(tiny_pip(tmp_path)))
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock, tmp_path / ("x" * 300), tmp_path)
    assert caught.value.code == "cannot-read"
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock, tmp_path / ("x" * 240), tmp_path)
    assert caught.value.code == "cannot-write"
