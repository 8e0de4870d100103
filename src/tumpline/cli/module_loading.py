"""Loading the modules that an environment needs, for a command that goes on in what they set (R15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumpline.cli.surroundings import surroundings_here
from tumpline.host import take_over, variables

if TYPE_CHECKING:
    from tumpline.cli.terminal import Terminal
    from tumpline.environment.check import Surroundings

__all__ = ["load_modules"]


def load_modules(modules: tuple[str, ...], surroundings: Surroundings, terminal: Terminal) -> Surroundings:
    """Load modules besides what is loaded, for this process and what it starts; return where it runs then.

    Nothing is loaded where there is no module system, nor where another version of one of them is loaded, which the
    person wanted: `check_environment` tells what is wrong there. Raises what `Lmod.add` raises.
    """
    names = {module.partition("/")[0] for module in surroundings.modules}
    if not modules or any(module.partition("/")[0] in names for module in modules):
        return surroundings
    from tumpline.host.lmod import Lmod

    environ = variables()
    lmod = Lmod.find(environ)
    if lmod is None:
        return surroundings
    terminal.say(f"loading {' '.join(modules)}", level=1)
    take_over(lmod.add(modules, environ))
    return surroundings_here(variables())
