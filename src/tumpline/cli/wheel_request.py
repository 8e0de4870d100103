"""The text of a request for a wheel, ready to send to a site's support, in English and in French."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tumpline.resolve.words import findings_words

if TYPE_CHECKING:
    from tumpline.resolve.explanation import Account, Lack
    from tumpline.resolve.target import Target

__all__ = ["wheel_request"]


def wheel_request(targets: Sequence[Target], lacks: Iterable[Lack], *, tried: bool) -> dict[str, str]:
    """Return the request by language (``en``, ``fr``) for what those targets lack that have a wheelhouse, or none.

    `tried` says that no other version, module, Python or software environment would do: the request says so too. What
    nobody knows is not asked for: its name is likely misspelt. Nor is what a module brings that can be loaded.
    """
    having = {target.name: target for target in targets if target.wheelhouse}
    wanted = [
        (lack, [a for a in lack.lacking if a.target in having and not _brought(a, having[a.target])])
        for lack in lacks
        if not lack.unknown
    ]
    wanted = [(lack, accounts) for lack, accounts in wanted if accounts]
    if not wanted:
        return {}
    names = ", ".join(lack.name for lack, _ in wanted)
    en = [f"Subject: Request for Python packages: {names}", "", "Hello,", ""]
    fr = [f"Objet : Demande de paquets Python : {names}", "", "Bonjour,", ""]
    en.append("Could you please make the following available, as a wheel in the wheelhouse or in a module?")
    fr.append("Pourriez-vous rendre disponible ce qui suit, sous forme de wheel ou dans un module ?")
    for lack, accounts in wanted:
        asked = list(dict.fromkeys(clause.requirement for clause in lack.clauses if clause.name == lack.name))
        bound = ", ".join(text for text in asked if text != lack.name)
        en += ["", f"Package: {lack.name}", f"Version: {bound or 'any'}", "Where:", *_places(accounts, having, "with")]
        en += ["What there is now:", *_now(accounts)]
        en += [f"Why: {_why_en(lack)}"]
        fr += [
            "",
            f"Paquet : {lack.name}",
            f"Version : {bound or 'au choix'}",
            "Où :",
            *_places(accounts, having, "avec"),
        ]
        fr += ["État actuel (en anglais) :", *_now(accounts)]
        fr += [f"Raison : {_why_fr(lack)}"]
    if tried:
        en += ["", "Tried without success: other versions, modules, versions of Python and software environments."]
        fr += ["", "Essayé sans succès : autres versions, modules, versions de Python et environnements logiciels."]
    return {"en": "\n".join([*en, "", "Thank you."]), "fr": "\n".join([*fr, "", "Merci."])}


def _brought(account: Account, target: Target) -> bool:
    return any(choice.wanted and choice.python == target.minor for choice in account.modules)


def _places(accounts: Iterable[Account], targets: Mapping[str, Target], word: str) -> list[str]:
    return list(dict.fromkeys(f"  - {_place(targets[account.target], word)}" for account in accounts))


def _place(target: Target, word: str) -> str:
    environment = f", StdEnv/{target.environment}" if target.environment else ""
    level = f", {target.cpu_level}" if target.cpu_level else ""
    return f"{target.site.name} {word} Python {target.minor}{environment}{level}"


def _now(accounts: Iterable[Account]) -> list[str]:
    return list(dict.fromkeys(f"  - {account.target}: {findings_words(account.findings)}" for account in accounts))


def _askers(lack: Lack) -> list[str]:
    return list(dict.fromkeys(clause.asker for clause in lack.clauses if clause.name == lack.name and clause.asker))


def _why_en(lack: Lack) -> str:
    askers = _askers(lack)
    return f"{', '.join(askers)} needs it" if askers else "my project needs it [please add: for which work]"


def _why_fr(lack: Lack) -> str:
    askers = _askers(lack)
    return f"{', '.join(askers)} en a besoin" if askers else "mon projet en a besoin [à compléter : pour quels travaux]"
