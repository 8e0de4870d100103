"""Scans that meet, and scans that are killed: whoever reads the catalogue gets the old one or the new one, whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

from tests.catalogue.sites import lake
from tests.wheelmaker import make_wheel
from tumpline.catalogue.scan import scan
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.values import Name

WHEELS = 60

_COMMON = """\
import os, random, signal, sys, time
from datetime import date
from pathlib import Path
from tests.catalogue.sites import lake
from tumpline.catalogue.scan import scan
from tumpline.catalogue.store import open_catalogue
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.values import Name

root, output = Path(sys.argv[1]), Path(sys.argv[2])

def once(day):
    # Another day and nothing known: all is read and written.
    return scan(lake(None), LocalWheelhouse((("w", root),), 1), output, today=date(2027, 1, day))

def answers():
    with open_catalogue(output) as catalogue:
        return catalogue.info.wheels, len(catalogue.wheels(Name("p0")))
"""

_KILLED = """
chance = random.Random(7)
start = time.monotonic()
first = once(1)
whole = time.monotonic() - start
killed = 0
for number in range(20):
    # Nothing is kept of the scan before, but its catalogue.
    for path in root.iterdir():
        os.utime(path, (number + 1, number + 1))
    child = os.fork()
    if child == 0:
        once(2)
        os._exit(0)
    time.sleep(chance.random() * whole * 1.2)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
    assert answers() == (WHEELS, 10), number
assert killed, "none was killed in time"
# What a killed scan has left behind is in nobody's way.
assert once(3).info.identity == first.info.identity
"""

_MEETING = """
children = []
first = once(1)
for number in range(4):
    child = os.fork()
    if child == 0:
        for day in range(1, 6):
            for path in root.iterdir():
                os.utime(path, (number * 10 + day, number * 10 + day))
            once(day)
        os._exit(0)
    children.append(child)
seen = 0
while children:
    assert answers() == (WHEELS, 10)
    seen += 1
    done, status = os.waitpid(-1, os.WNOHANG)
    if done:
        assert status == 0, status
        children.remove(done)
assert seen > 5, seen
assert open_catalogue(output).info.identity == first.info.identity
assert [path.name for path in output.parent.iterdir()] == [output.name], "a scratch file is left"
"""


def _run(tmp_path: Path, program: str) -> None:
    root = tmp_path / "w"
    for number in range(WHEELS):
        make_wheel(root, f"p{number % 6}", str(number), requires=["q"], files={})
    output = tmp_path / "cache" / "lake.sqlite"
    text = _COMMON + f"WHEELS = {WHEELS}\n" + program
    done = subprocess.run([sys.executable, "-c", text, root, output], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    report = scan(lake(None), LocalWheelhouse((("w", root),), 1), output, today=date(2027, 2, 1))
    assert report.info.wheels == WHEELS
    assert Name("p0") == "p0"


def test_scans_killed_at_twenty_moments(tmp_path: Path) -> None:
    _run(tmp_path, _KILLED)


def test_four_scans_at_once_and_a_reader(tmp_path: Path) -> None:
    _run(tmp_path, _MEETING)
