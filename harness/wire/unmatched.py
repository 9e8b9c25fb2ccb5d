"""The error of a call that matches no described agent: the call, every rule, and the nearest rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Final

from harness.errors import HarnessError
from harness.wire.api import Prompt
from harness.wire.names import masked
from harness.wire.routing import AgentRule

_SHOWN_MAX: Final = 300
_COMPARED_MAX: Final = 4000
_TELLING_BLOCK: Final = 3
"""Shorter pieces of text are found in any prompt."""

_NEAR_MIN: Final = 0.3
"""What is less near than this is not near at all."""

_FIX: Final = (
    "  How to fix: correct the rule, or describe one more agent; one without rules takes what is left. "
    "`allow_unmatched` (of `sim`, its marker, the ini file or the scenario) lets made-up agents answer instead"
)


def unmatched(
    prompt: Prompt, headers: Mapping[str, str], roles: Sequence[AgentRule]
) -> HarnessError:
    """The error of a call that no rule matches.

    Args:
        prompt: What was asked.
        headers: Of the request, by name in lower case.
        roles: The agents, each with a rule.
    """
    nearness = [_nearness(role, prompt, headers) for role in roles]
    nearest = nearness.index(max(nearness))
    width = max(len(role.name) for role in roles)
    lines = [
        "no described agent matches this call",
        f"  system: {_shown(prompt.system) or 'none'}",
        f"  model:  {prompt.model}",
        f"  tools:  {', '.join(prompt.tools) or 'none'}",
        "Rules, in the order in which they were asked:",
    ]
    for number, role in enumerate(roles):
        mark = "  <- nearest" if number == nearest and nearness[nearest] > _NEAR_MIN else ""
        lines.append(f"  {role.name:<{width}}  {_rule(role, prompt, headers)}{mark}")
    lines += _hints(roles[nearest], prompt)
    return HarnessError("\n".join([*lines, _FIX]))


def undescribed(agent: str, roles: Sequence[AgentRule]) -> HarnessError:
    """The error of a call for which the program names an agent that is not described."""
    names = [role.name for role in roles]
    near = get_close_matches(agent, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return HarnessError(
        f"the program assigns a call to the agent {masked(agent)!r} (by `agent_scope` or the header `x-harness-agent`), "
        f"which is not described{hint}\n"
        f"  Described: {', '.join(names)}\n"
        "  How to fix: describe it; or say `allow_unmatched` (of `sim`, its marker, the ini file or the scenario), "
        "which makes up its replies"
    )


def _rule(role: AgentRule, prompt: Prompt, headers: Mapping[str, str]) -> str:
    """The conditions of a rule, each with whether it holds."""
    conditions = list(role.match.conditions(prompt, headers))
    told = [
        f"{name}={_shown(wanted)} ({'holds' if met else 'does not hold'})"
        for name, wanted, _, met in conditions
    ]
    if role.match.when is not None:
        asked = all(met for *_, met in conditions)
        told.append(f"when=... ({'does not hold' if asked else 'not asked'})")
    return ", ".join(told)


def _hints(nearest: AgentRule, prompt: Prompt) -> list[str]:
    glob = nearest.match.system
    if glob is None or not prompt.system:
        return []
    core = glob.strip("*")
    if core and core.lower() == glob.lower() and core in prompt.system:
        return [f'  The glob must match the whole system prompt; system="*{_short(core)}*" would.']
    if core and core not in prompt.system and core.lower() in prompt.system.lower():
        return ["  They differ only in upper and lower case."]
    return []


def _nearness(role: AgentRule, prompt: Prompt, headers: Mapping[str, str]) -> float:
    """How near a call comes to a rule, from 0 to 1."""
    shares = [
        1.0 if met else min(0.99, _share(name, wanted, found))
        for name, wanted, found, met in role.match.conditions(prompt, headers)
    ]
    if role.match.when is not None:
        shares.append(0.5)  # unknown
    return sum(shares) / len(shares)


def _share(name: str, wanted: str, found: str) -> float:
    """How much of what a condition asks for is in what the call has."""
    signs = r"[\\^$.|?*+()\[\]{}]+" if name == "system_regex" else r"[*?\[\]]+"
    wanted = re.sub(signs, " ", wanted).strip().lower()[:_COMPARED_MAX]
    if not wanted:
        return 0.0
    matcher = SequenceMatcher(None, wanted, found.lower()[:_COMPARED_MAX], autojunk=False)
    blocks = (block.size for block in matcher.get_matching_blocks())
    return sum(size for size in blocks if size >= _TELLING_BLOCK) / len(wanted)


def _shown(text: str) -> str:
    return f'"{_short(masked(text))}"' if text else ""


def _short(text: str) -> str:
    text = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}... ({len(text)} characters)"
    return text.replace("\n", "\\n")
