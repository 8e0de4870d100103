"""Sites: where a project runs - clusters and kinds of machine - as profiles in TOML, and detection.

A profile states facts (login host, CPU levels, Pythons, wheelhouse layers, what a job may do). Facts that were
inferred and not confirmed are listed in the profile and shown as such (R24). `load` reads profiles, `detect` tells
which site this is, `rewrites` and `companions` know how a site's wheels differ from what an index says of them.
"""

from tumpline.sites.profile import Dummy, ModulePackage, Platform, Quota, Site, SoftwareEnvironment

__all__ = ["Dummy", "ModulePackage", "Platform", "Quota", "Site", "SoftwareEnvironment"]
