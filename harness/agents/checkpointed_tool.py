"""A tool whose uses are recorded before and after, so that a run that is resumed repeats none that has ended."""

from __future__ import annotations

from harness.agents.tool import Tool, ToolError
from harness.models import ToolCall
from harness.resilience import Progress, digest_of


class CheckpointedTool:
    """A tool with a record of its uses: that one has begun, and how it ended.

    If a use began and its end is not on record, it is unknown whether it took effect. It is repeated with the key
    that it had; a far end that knows idempotency keys does it once.

    Args:
        tool: What does the work.
        progress: What the run has achieved.
    """

    def __init__(self, tool: Tool, progress: Progress) -> None:
        self._tool = tool
        self._progress = progress

    async def use(self, call: ToolCall, key: str) -> str:
        """Do the work, or give back how it ended before.

        Raises:
            ToolError: It did not work.
        """
        progress = self._progress
        record = f"tool/{key}/{digest_of(call.arguments)}"
        found = progress.find(record)
        if found is not None and found["ended"]:
            await progress.timeline.until(found["at_s"])
            progress.tool_uses_restored += 1
            if "error" in found:
                raise ToolError(found["error"])
            return str(found["result"])
        await progress.work()
        progress.tool_uses_in_doubt += found is not None
        progress.begin(record)
        try:
            result = await self._tool.use(call, key)
        except ToolError as error:
            progress.keep(record, error=str(error))
            raise
        progress.keep(record, result=result)
        return result
