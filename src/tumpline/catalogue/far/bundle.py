"""The program that is sent to the far side: the near side's own modules, in a form that Python 3.6 runs.

The modules named here keep to what Python 3.6 knows, once annotations are gone; the tests see to that.
"""

from __future__ import annotations

import ast
import pkgutil
import zlib
from collections.abc import Sequence

__all__ = ["MODULES", "first_line", "make_bundle"]

MODULES = (
    "tumpline.errors",
    "tumpline.values",
    "tumpline.wheels.archive",
    "tumpline.wheels.metadata",
    "tumpline.wheels.name",
    "tumpline.wheels.tail",
    "tumpline.host.patience",
    "tumpline.catalogue.listing",
    "tumpline.catalogue.reading",
    "tumpline.catalogue.reader",
    "tumpline.catalogue.far.frames",
    "tumpline.catalogue.far.buckets",
    "tumpline.catalogue.far.program",
)
"""What travels, each behind what it imports."""

_TYPING = frozenset({"NamedTuple", "NewType", "TypeVar"})
"""What of `typing` is needed when a program runs, and is in Python 3.6."""

# The far side may have a `packaging` of its own, older than ours: it must not be what compares versions.
_PROGRAM = """\
import functools, sys, types
if not hasattr(functools, "cache"):
    functools.cache = functools.lru_cache(maxsize=None)
sys.modules["packaging"] = None
for name, text in {sources!r}:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules[{main!r}].main()
"""

# Runs under every Python 3, also one that is too old, which can then be told.
_FIRST_LINE = (
    'import sys,zlib;sys.stdout.write("\\n{marker} %d.%d.%d\\n"%sys.version_info[:3]);sys.stdout.flush();'
    "sys.version_info<(3,6)and sys.exit(3);exec(zlib.decompress(sys.stdin.buffer.read({length})))\n"
)


def make_bundle(modules: Sequence[str] = MODULES) -> bytes:
    """Return the compressed source of a program, of which the last module has the function ``main``."""
    sources = [(name, _shortened(name)) for name in modules]
    return zlib.compress(_PROGRAM.format(sources=sources, main=modules[-1]).encode("utf-8"), 9)


def first_line(marker: str, length: int) -> bytes:
    """Return the line that prints the marker and its Python's version, then runs a bundle of that length in bytes."""
    return _FIRST_LINE.format(marker=marker, length=length).encode("ascii")


def _shortened(name: str) -> str:
    """Return a module's source without comments, docstrings and annotations."""
    package, _, module = name.rpartition(".")
    source = pkgutil.get_data(package, f"{module}.py")
    if source is None:
        raise RuntimeError(f"the source of {name} is not there")
    return ast.unparse(_Shortener().visit(ast.parse(source)))


class _Shortener(ast.NodeTransformer):
    """Takes out what only people and type checkers read."""

    def __init__(self) -> None:
        self._in_class = False

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.module == "typing":
            node.names = [alias for alias in node.names if alias.name in _TYPING]
        return node if node.names and node.module != "__future__" else None

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if ast.unparse(node.targets[0]) == "__all__" else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self._in_class:
            # The fields of a NamedTuple are made from their annotations, whatever these say.
            node.annotation = ast.Name("object")
            return node
        return None if node.value is None else ast.Assign([node.target], node.value, lineno=node.lineno)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._in_class = True
        self.generic_visit(node)
        self._in_class = False
        node.body = node.body or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outside, self._in_class = self._in_class, False
        self.generic_visit(node)
        self._in_class = outside
        node.returns = None
        node.body = node.body or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node
