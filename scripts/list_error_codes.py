"""List every error code in the source, with the places that raise it.

A code is the first argument of ``SomeError.of(…)`` or ``Problem(…)``. Where it is a name, the name is looked up: a
variable of the function, or one of its parameters, which leads to the function's callers - in the same module for a
name with an underscore, else everywhere. Where it is a call, the function's return statements are looked at. A code
that can not be found so is an error, because it could not be documented.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Codes", "codes_of"]

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("src/tumpline", "replica", "cluster")
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes with the places (``path:line``) that raise them, and the places whose code can not be told."""

    places: dict[str, list[str]]
    unclear: list[str]


def codes_of(root: Path = ROOT, sources: Iterable[str] = SOURCES) -> Codes:
    """Read all modules below `sources` and return their codes."""
    paths = sorted(itertools.chain.from_iterable((root / source).rglob("*.py") for source in sources))
    modules = [_Module(str(path.relative_to(root)), path.read_text(encoding="utf-8")) for path in paths]
    places: dict[str, list[str]] = defaultdict(list)
    unclear: list[str] = []
    search = _Search(modules)
    for module in modules:
        for call, value in module.raised():
            place = f"{module.path}:{call.lineno}"
            found = search.texts(value, call, module)
            if not found or not all(_CODE.fullmatch(code) for code in found):
                unclear.append(place)
            for code in found:
                places[code].append(place)
    return Codes(dict(sorted(places.items())), unclear)


class _Module:
    """One module: its calls and functions, and which function each node is in."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tree = ast.parse(text)
        self.inside: dict[ast.AST, Function] = {}
        self.calls: list[ast.Call] = []
        self.functions: dict[str, Function] = {}
        self._note(self.tree, None)

    def _note(self, node: ast.AST, function: Function | None) -> None:
        for child in ast.iter_child_nodes(node):
            if function is not None:
                self.inside[child] = function
            if isinstance(child, ast.Call):
                self.calls.append(child)
            if isinstance(child, Function):
                self.functions[child.name] = child
            self._note(child, child if isinstance(child, Function) else function)

    def raised(self) -> Iterator[tuple[ast.Call, ast.expr]]:
        """Yield the calls that make a problem, with the expression of the code."""
        for call in self.calls:
            named = call.func.id if isinstance(call.func, ast.Name) else ""
            made = isinstance(call.func, ast.Attribute) and call.func.attr == "of" and _is_error(call.func.value)
            inner = self.inside.get(call)
            if inner is not None and inner.name == "of":
                continue  # The constructor itself: its callers are what counts.
            if made or named == "Problem":
                code = next((word.value for word in call.keywords if word.arg == "code"), None)
                if (value := call.args[0] if call.args else code) is not None:
                    yield call, value


class _Search:
    """What an expression can be, followed through variables, parameters and returned values."""

    def __init__(self, modules: list[_Module]) -> None:
        self._modules = modules
        self._seen: set[tuple[ast.AST | None, str]] = set()

    def texts(self, value: ast.expr, at: ast.AST, module: _Module) -> set[str]:
        """Return the strings that the expression at a node of a module can be; empty where that can not be told."""
        match value:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=first, orelse=second):
                either = [self.texts(first, at, module), self.texts(second, at, module)]
                return set.union(*either) if all(either) else set()
            case ast.JoinedStr(values=values):
                shown = [part.value if isinstance(part, ast.FormattedValue) else part for part in values]
                return {"".join(choice) for choice in itertools.product(*(self.texts(p, at, module) for p in shown))}
            case ast.Call(func=ast.Name(id=name)) if function := module.functions.get(name):
                returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
                return set().union(*(self.texts(each, each, module) for each in returned))
            case ast.Name(id=name):
                return self._of_name(name, module.inside.get(at), module)
        return set()

    def _of_name(self, name: str, function: Function | None, module: _Module) -> set[str]:
        if (function, name) in self._seen:
            return set()
        self._seen.add((function, name))
        try:
            body = module.tree.body if function is None else list(ast.walk(function))
            found: set[str] = set()
            for node in body:
                if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                    found |= self.texts(node.value, node, module)
            if found or function is None:
                return found
            parameters = _parameters(function)
            if name not in parameters:
                return self._of_name(name, None, module)
            return self._of_parameter(name, parameters.index(name), function, module)
        finally:
            self._seen.discard((function, name))

    def _of_parameter(self, name: str, position: int, function: Function, module: _Module) -> set[str]:
        found: set[str] = set()
        for other in [module] if function.name.startswith("_") else self._modules:
            for call in other.calls:
                if _name_called(call) == function.name and _fits(call, function):
                    given = next((word.value for word in call.keywords if word.arg == name), None)
                    if given is None and position < len(call.args):
                        given = call.args[position]
                    if given is not None:
                        found |= self.texts(given, call, other)
        return found


def _parameters(function: Function) -> list[str]:
    words = [word.arg for word in (*function.args.posonlyargs, *function.args.args)]
    bound = words[:1] in (["self"], ["cls"])
    return [*words[bound:], *(word.arg for word in function.args.kwonlyargs)]


def _fits(call: ast.Call, function: Function) -> bool:
    """Tell a call of this function from one of another with the same name, by what it passes."""
    lacking = len(_parameters(function)) - len(function.args.kwonlyargs) - len(function.args.defaults)
    given = {word.arg for word in call.keywords}
    known = {*_parameters(function), None}
    return given <= known and len(call.args) + len(given) >= lacking and len(call.args) <= len(_parameters(function))


def _name_called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_error(value: ast.expr) -> bool:
    known = {"TumplineError", "NotSo", "InputError", "NoResolution", "EnvironmentFailure", "cls"}
    return isinstance(value, ast.Name) and (value.id in known or value.id.endswith(("Error", "Failure")))


def main() -> int:
    """Print the codes, one a line, with where they are raised."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    codes = codes_of()
    for code, places in codes.places.items():
        print(f"{code}\t{' '.join(places)}")
    for place in codes.unclear:
        print(f"{place}: can not tell which code this is", file=sys.stderr)
    return 1 if codes.unclear else 0


if __name__ == "__main__":
    sys.exit(main())
