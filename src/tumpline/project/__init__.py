"""The project: what pyproject.toml, requirements files and Poetry's tables ask for."""

from tumpline.project.model import Declared, PackageRule, Policy, Project, Settings, TargetRequest

__all__ = ["Declared", "PackageRule", "Policy", "Project", "Settings", "TargetRequest"]
