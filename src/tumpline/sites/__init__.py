"""Sites: where a project runs - clusters and kinds of machine - as profiles in TOML, and detection.

A profile states facts (login host, CPU levels, Pythons, wheelhouse layers, what a job may do). Facts that were
inferred and not confirmed are listed in the profile and shown as such (R24). `load` reads profiles, `detect` tells
which site this is, `rewrites` and `companions` know how a site's wheels differ from what an index says of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tumpline.sites.profile import Dummy, JobRules, ModulePackage, Platform, Quota, Site, SoftwareEnvironment

__all__ = ["Dummy", "JobRules", "ModulePackage", "Platform", "Quota", "Site", "SoftwareEnvironment"]


def __getattr__(name: str) -> object:
    """Import the values when first asked for one: telling which site this is needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tumpline.sites import profile

    return getattr(profile, name)
