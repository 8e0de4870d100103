"""What is printed: nothing that was read elsewhere steers the terminal; a fault of ours has the form of a problem."""

from __future__ import annotations

import io
import json

import pytest

from tumpline.cli import main
from tumpline.cli.terminal import Terminal, printable
from tumpline.errors import Problem

EVIL = "a\x1b[2Jb\u202ec\x9b1md\u2066e\rf\x07\u200bg\ud800"
SHOWN = r"a\u001b[2Jb\u202ec\u009b1md\u2066e\u000df\u0007\u200bg\ud800"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EVIL, SHOWN),
        ("caf\u00e9 \u4f60\u597d \u2026 [bold]", "caf\u00e9 \u4f60\u597d \u2026 [bold]"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\x7f\x85\u2028\ufeff", r"a\u007f\u0085\u2028\ufeff"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_every_way_to_print() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err)
    terminal.data(EVIL)
    terminal.say(EVIL)
    assert out.getvalue() == err.getvalue() == f"{SHOWN}\n"
    for write, kind in ((terminal.note, "note"), (terminal.problem, "error")):
        err.seek(0)
        err.truncate()
        write(Problem("a-b", f"{EVIL}\nerror[c-d]: x", f"{EVIL}\ny", f"{EVIL}\nz", f"{EVIL}\nhint: w"))
        assert err.getvalue().splitlines() == [
            rf"{kind}[a-b]: {SHOWN}\ny: {SHOWN}\nerror[c-d]: x",
            f"  {SHOWN}",
            "  z",
            rf"hint: {SHOWN}\nhint: w",
        ]


class TestInternalError:
    """A command that fails in a way nobody thought of."""

    @pytest.fixture(autouse=True)
    def fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def execute(options: object, terminal: Terminal) -> int:
            raise KeyError("what\x1b[2J")

        monkeypatch.setattr("tumpline.cli.site_command.execute", execute)

    def test_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["site", "list"]) == 4
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error[internal-error]: something went wrong inside tumpline\n  KeyError: ")
        assert "\nhint: " in captured.err
        assert "with -v" in captured.err
        assert "Traceback" not in captured.err
        assert "\x1b" not in captured.err

    def test_with_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["site", "-v", "list"]) == 4
        captured = capsys.readouterr()
        assert captured.err.startswith("Traceback (most recent call last):\n")
        assert "\nKeyError: " in captured.err
        assert "error[internal-error]: " in captured.err

    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["site", "list", "--json"]) == 4
        (problem,) = json.loads(capsys.readouterr().out)["problems"]
        assert problem["code"] == "internal-error"


def test_what_the_character_set_lacks_is_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    terminal = Terminal.for_process()
    terminal.data("caf\u00e9 \u2500")
    terminal.out.flush()
    assert raw.getvalue() == b"caf\\xe9 \\u2500\n"
