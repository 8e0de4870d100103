"""The ``[tool.tumpline.job]`` table: what a job asks the scheduler for; the command line says the same with options."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tumpline.project.document import Document
    from tumpline.project.lines import KeyPath

__all__ = ["JOB_FIELDS", "JOB_KEYS", "WAYS", "JobField", "JobRequest", "Way", "read_job", "with_values", "wrong_value"]

Way = Literal["build", "image", "login-node"]
"""How an environment comes to the nodes: made on each of them, unpacked on each of them, or made before."""

WAYS: tuple[Way, ...] = get_args(Way)


class JobField(NamedTuple):
    """A value of a job: the option of sbatch that it stands for, its form, and the words for that form.

    The form is compiled when a value is read: most commands read none.
    """

    option: str
    pattern: str
    words: str


_COUNT = r"[1-9][0-9]{0,8}"
_SIZE = r"[1-9][0-9]*[KMGT]?"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

JOB_FIELDS: dict[str, JobField] = {
    "name": JobField("job-name", _WORD, "a name of letters, digits, dots, dashes and underscores"),
    "account": JobField("account", _WORD, "the name of an account, such as def-pi"),
    "partition": JobField("partition", _WORD, "the name of a partition"),
    "time": JobField(
        "time",
        r"[0-9]{1,7}(:[0-5]?[0-9]){0,2}|[0-9]{1,4}-[0-9]{1,2}(:[0-5]?[0-9]){0,2}",
        "a time such as 3:00:00 or 1-12",
    ),
    "nodes": JobField("nodes", _COUNT, "a number of nodes"),
    "tasks": JobField("ntasks", _COUNT, "a number of tasks"),
    "tasks-per-node": JobField("ntasks-per-node", _COUNT, "a number of tasks"),
    "cpus": JobField("cpus-per-task", _COUNT, "a number of CPUs for each task"),
    "memory": JobField("mem", _SIZE, "a size such as 16G"),
    "memory-per-cpu": JobField("mem-per-cpu", _SIZE, "a size such as 4G"),
    "gpus": JobField(
        "gpus-per-node",
        r"[1-9][0-9]{0,2}|[A-Za-z][A-Za-z0-9_.-]*(:[1-9][0-9]{0,2})?",
        "GPUs such as h100:2",
    ),
    "array": JobField(
        "array",
        r"[0-9]+(-[0-9]+(:[0-9]+)?)?(,[0-9]+(-[0-9]+(:[0-9]+)?)?)*(%[1-9][0-9]*)?",
        "such as 1-200%50",
    ),
    "dependency": JobField(
        "dependency",
        r"singleton|[a-z]+(:[0-9]+(_[0-9]+|\+[0-9]+)?)+([,?][a-z]+(:[0-9]+(_[0-9]+)?)+)*",
        "a dependency such as afterok:1234",
    ),
    "mail": JobField(
        "mail-user",
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
        "an address such as me@example.org",
    ),
    "mail-events": JobField("mail-type", r"[A-Z_0-9]+(,[A-Z_0-9]+)*", "events such as END,FAIL"),
}
"""Key -> what it stands for; the order is that of the script's lines."""

JOB_KEYS = (*JOB_FIELDS, "output", "environment", "options")

_OPTION = r"--[a-z][a-z0-9-]*(=[^\x00-\x1f\x7f]*)?"
_OUTPUT = r"[^\x00-\x1f\x7f\\\ud800-\udfff]+"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job asks for; each value is as sbatch reads it, and empty where nothing is said.

    `output` is the folder of the job's output; `environment` is a `Way`, or empty for the one that fits the site;
    `options` are further options of sbatch (``--exclusive``).
    """

    name: str = ""
    account: str = ""
    partition: str = ""
    time: str = ""
    nodes: str = ""
    tasks: str = ""
    tasks_per_node: str = ""
    cpus: str = ""
    memory: str = ""
    memory_per_cpu: str = ""
    gpus: str = ""
    array: str = ""
    dependency: str = ""
    mail: str = ""
    mail_events: str = ""
    output: str = ""
    environment: str = ""
    options: tuple[str, ...] = ()

    def directives(self) -> Iterator[tuple[str, str]]:
        """Yield options of sbatch, without dashes, and their values."""
        for key, field in JOB_FIELDS.items():
            if value := getattr(self, key.replace("-", "_")):
                yield field.option, value


def with_values(request: JobRequest, values: dict[str, str], options: tuple[str, ...] = ()) -> JobRequest:
    """Return a request with other values (by their keys) where they are not empty, and with further options."""
    given = {key.replace("-", "_"): value for key, value in values.items() if value}
    return replace(request, **given, options=(*request.options, *options))


def wrong_value(key: str, value: str) -> str:
    """Return the words for what a value should be, empty where it is that."""
    if key == "environment":
        return "" if value in WAYS else f"one of {', '.join(WAYS)}"
    if key == "options":
        return "" if re.fullmatch(_OPTION, value) else "an option of sbatch such as --exclusive"
    if key == "output":
        return (
            "" if re.fullmatch(_OUTPUT, value) else "the path of a folder, without backslashes and control characters"
        )
    field = JOB_FIELDS[key]
    return "" if re.fullmatch(field.pattern, value) else field.words


def read_job(document: Document, keys: KeyPath) -> JobRequest:
    """Read the table; what is wrong is collected in the document."""
    if document.table(keys) is None:
        return JobRequest()
    document.unknown_keys(keys, JOB_KEYS)
    values: dict[str, str] = {}
    for key in (*JOB_FIELDS, "output", "environment"):
        path: KeyPath = (*keys, key)
        value = document.get(path)
        number = isinstance(value, int) and not isinstance(value, bool)
        text = str(value) if number else document.text(path)
        if text is None:
            continue
        if words := wrong_value(key, text):
            document.complain("bad-value", f"is {text[:60]!r}, which is not {words}", path, hint=f"write {words}")
        else:
            values[key] = text
    options: list[str] = []
    for item, text in document.texts((*keys, "options")):
        if words := wrong_value("options", text):
            document.complain("bad-value", f"is {text[:60]!r}, which is not {words}", item, hint=f"write {words}")
        else:
            options.append(text)
    return with_values(JobRequest(), values, tuple(options))
