"""Faults of meaning: replies that are sound and wrong. docs/mast.md maps them to the failure modes of MAST."""

from __future__ import annotations

from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.contradiction import Contradiction
from harness.faults.meaning.conversation_reset import ConversationReset
from harness.faults.meaning.disobeyed_role import DisobeyedRole
from harness.faults.meaning.disobeyed_task import DisobeyedTask
from harness.faults.meaning.drift import PromptDrift
from harness.faults.meaning.hallucination import Hallucination
from harness.faults.meaning.ignored_input import IgnoredInput
from harness.faults.meaning.injection import PromptInjection
from harness.faults.meaning.lost_context import LostContext
from harness.faults.meaning.mismatch import ReasoningActionMismatch
from harness.faults.meaning.misrouting import Misrouting
from harness.faults.meaning.no_clarification import NoClarification
from harness.faults.meaning.premature_end import PrematureEnd
from harness.faults.meaning.repetition import StepRepetition
from harness.faults.meaning.skipped_verification import SkippedVerification
from harness.faults.meaning.sycophancy import SycophanticCritic
from harness.faults.meaning.unaware_of_end import UnawareOfEnd
from harness.faults.meaning.withholding import Withholding

MEANING_FAULTS: dict[str, type[MeaningFault]] = {
    "hallucination": Hallucination,
    "contradiction": Contradiction,
    "sycophantic_critic": SycophanticCritic,
    "skipped_verification": SkippedVerification,
    "premature_end": PrematureEnd,
    "step_repetition": StepRepetition,
    "unaware_of_end": UnawareOfEnd,
    "prompt_drift": PromptDrift,
    "lost_context": LostContext,
    "conversation_reset": ConversationReset,
    "misrouting": Misrouting,
    "prompt_injection": PromptInjection,
    "disobeyed_task": DisobeyedTask,
    "disobeyed_role": DisobeyedRole,
    "no_clarification": NoClarification,
    "withholding": Withholding,
    "ignored_input": IgnoredInput,
    "reasoning_action_mismatch": ReasoningActionMismatch,
}
"""The name of each in a scenario file."""

__all__ = ["MEANING_FAULTS", "MeaningFault"]
