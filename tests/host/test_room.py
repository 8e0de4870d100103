"""How much room there is, by the file system and by what ``lfs quota`` printed on real clusters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tumpline.host.room import Room, read_lustre_quota, room_in

# As published in the documentation of a cluster of the same family (Grex, University of Manitoba; its page "Data sizes
# and quotas"): with a long name on a line of its own, without a limit for space, and with both limits.
LONG_NAME = """\
Disk quotas for prj 123456 (pid 123456):
     Filesystem    used   quota   limit   grace   files   quota   limit   grace
/project/123456
                 150.6G  4.883T  5.371T       -  208654  2000000 2200000       -
"""
NO_SPACE_LIMIT = """\
Disk quotas for usr someuser (uid 123456):
     Filesystem    used   quota   limit   grace   files   quota   limit   grace
       /project  150.6G      0k      0k       -  175394  1000000 1100000       -
"""
BOTH = """\
 Disk quotas for usr someuser (uid 12345):
 Filesystem  used   quota  limit  grace   files  quota   limit  grace
      /sbb   622G  2.644T  3.653T     - 5070447 6000000 7000000     -
"""


@pytest.mark.parametrize(
    ("output", "space", "files"),
    [
        (LONG_NAME, round(5.371 * 2**40) - round(150.6 * 2**30), 2200000 - 208654),
        (NO_SPACE_LIMIT, None, 1100000 - 175394),
        (BOTH, round(3.653 * 2**40) - 622 * 2**30, 7000000 - 5070447),
        # Without -h the numbers are KiB, and what is over its quota has a star.
        (BOTH.replace("622G", "1000*").replace("3.653T", "3000"), 2000 * 2**10, 7000000 - 5070447),
        (BOTH.replace("5070447", "7500000*"), round(3.653 * 2**40) - 622 * 2**30, 0),
    ],
    ids=["long-name", "no-space-limit", "both", "kibibytes-and-star", "over"],
)
def test_what_lfs_says(output: str, space: int | None, files: int | None) -> None:
    assert read_lustre_quota(output) == Room("your quota", space, files)


@pytest.mark.parametrize(
    "output", ["", "no such user", BOTH.replace("622G", "[622G]"), BOTH[:-30], BOTH.replace("622G", "9" * 5000 + "X")]
)
def test_what_is_not_understood_is_not_known(output: str) -> None:
    assert read_lustre_quota(output) is None


def test_the_file_system(tmp_path: Path) -> None:
    (room, *_) = room_in(tmp_path / "not" / "there", dict(os.environ))
    assert room.of == "the file system"
    assert room.space is not None
    assert room.space > 0
