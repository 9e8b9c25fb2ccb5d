"""One agent: a role with a model, tools, and the policies around its calls.

A pattern gives it messages and gets a message. Inside, the agent has a *turn*, which leaves a span; in a turn it calls
its model, once or more, and uses tools. The policies stand around each call and are put together in `harness.resilience`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from harness.agents.checkpointed_tool import CheckpointedTool
from harness.agents.context import Context, Inputs, Remembered
from harness.agents.conversation import Conversation
from harness.agents.instead import Instead, decided, needs_turn
from harness.agents.message import USER, Message, answer, deliver, receive, unread
from harness.agents.mishap import Mishaps
from harness.agents.progress import Input, NoProgress
from harness.agents.reading import ACCEPTED, choice, confidence
from harness.agents.reception import Reception
from harness.agents.tool import Tool, ToolError
from harness.chance import Draws
from harness.models import (
    CALL_ERRORS,
    AttemptSpan,
    ChatMessage,
    Model,
    ModelError,
    Reply,
    Request,
    ToolCall,
    error_name,
)
from harness.models.written import prompt_text, reply_text
from harness.provider.tokens import count_tokens
from harness.resilience import (
    Desk,
    Health,
    Meaning,
    Policies,
    Progress,
    Setting,
    Shared,
    Spendings,
    Validation,
    Validator,
    in_order,
    with_checkpoint,
    with_timeout,
)
from harness.resilience.budget import Price
from harness.resilience.validation import Check
from harness.spans import AGENT, CALL, CANCELLED, ERROR, NO_PROGRESS, OK, TOOL, Span, SpanLog
from harness.texts import PROMPT, REPLY, Texts


class Agent:
    """A role in a team.

    Args:
        name: Its name in the scenario.
        model: Who answers for it.
        model_name: That model's name in the scenario.
        log: Where its spans go.
        draws: Where chance comes from.
        policies: Policies for failing calls.
        system: Its system prompt.
        system_tokens: Size of everything it is told with every call, such as the system prompt and tool
            descriptions [tokens]; None means the length of `system`.
        tools: What it can use, by name.
        texts: Where its prompts and replies go; None if they are not kept.
        progress: Where the outcomes of its calls and tools are kept, so that a run can be resumed; None keeps none.
        meaning: The claims of its replies, which are kept with its progress; None keeps none.
        reception: Which messages it takes; None means all.
        context: How much of its earlier turns in a task it is given again.
        shared: The states of policies that it shares with other agents; None if it shares none.
        price: What an attempt at its model costs; None if that is not known.
        check: The function that its policy `validate` names.
    """

    mishaps: Mishaps | None = None
    """What goes wrong beside its attempts; None for nothing."""

    def __init__(
        self,
        name: str,
        model: Model,
        model_name: str,
        log: SpanLog,
        draws: Draws,
        policies: Policies,
        *,
        system: str = "",
        system_tokens: int | None = None,
        tools: Mapping[str, Tool] | None = None,
        texts: Texts | None = None,
        progress: Progress | None = None,
        meaning: Meaning | None = None,
        reception: Reception | None = None,
        context: Context = Inputs(),  # noqa: B008 - it is frozen
        shared: Shared | None = None,
        price: Price | None = None,
        check: Check | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._texts = texts
        self.system = system
        self.system_tokens = count_tokens(system) if system_tokens is None else system_tokens
        self.tools = {
            name: tool if progress is None else CheckpointedTool(tool, progress)
            for name, tool in (tools or {}).items()
        }
        self.turns = 0
        """How many of its turns are open, of all tasks."""
        self.fallback: Agent | None = None
        """Who answers when a call of this agent has failed for good."""
        self.summarizer: Agent | None = None
        """Who sums up what its context does not keep."""
        self.critic: Agent | None = None
        """Who reads its replies before they are taken."""
        self.reception = reception
        self.context = context
        self.remembers = not isinstance(context, Inputs)
        self._model_name = model_name
        self._draws = draws
        self._tool_names = tuple(self.tools)
        self._calls = 0
        self._ask = with_timeout(model.reply, policies.timeout_s)
        states = Shared() if shared is None else shared
        setting = self._hold_to(policies, states, price, check)
        self._call = with_checkpoint(
            in_order(self._attempt, policies, setting), progress, log, meaning
        )

    def _hold_to(
        self, policies: Policies, states: Shared, price: Price | None, check: Check | None
    ) -> Setting:
        """Make what its policies need: who answers instead, who decides, what its turns are counted in."""
        name, draws = self.name, self._draws
        health = None if policies.health is None else Health(policies.health)
        instead = Instead[Turn](name, policies, health, self.log, draws)
        self.instead = instead if instead.is_needed() else None
        """Decides whether somebody else makes a call."""
        self._desk = states.of(policies.escalate, name, lambda it, desk: Desk(it, draws, desk))
        spendings = states.of(policies.budget, name, lambda it, _: Spendings(it))
        self.spendings = spendings if spendings and spendings.stated.turns else None
        """What its turns are counted in."""
        self._needs_turn = needs_turn(policies)
        return self._setting(policies.validate, health, states, price, check)

    def _setting(
        self,
        validate: Validation | None,
        health: Health | None,
        shared: Shared,
        price: Price | None,
        check: Check | None,
    ) -> Setting:
        """What the policies around its calls need."""
        validator = None
        if validate is not None:
            critic = None if validate.critic is None else self._judged
            validator = Validator(
                stated=validate, function=check, critic=critic, confidence=confidence
            )
        return Setting(
            agent=self.name, log=self.log, draws=self._draws, shared=shared, price=price, validator=validator, health=health,
            correct=self._correct, arrival_s=self._arrival_s,
        )  # fmt: skip

    async def handle(self, *messages: Message) -> Message:
        """Take a turn with one call: read the messages, and answer.

        Raises:
            ModelError: The call failed for good, and so did the fallback's.
            TimeoutError: It took too long, and so did the fallback's.
        """
        with Turn(self, messages) as turn:
            return turn.say(await self.answer(turn))

    def suffer(self, mishaps: Mishaps) -> None:
        """Let things go wrong beside its attempts.

        Args:
            mishaps: What is called where they may.
        """
        self.mishaps, call = mishaps, self._call
        self._call = lambda request: mishaps.call(request, call)

    def post(self, message: Message) -> None:
        """Put a message into its mailbox; it reads it at the beginning of its next turn in the same task."""
        receive(message, self.name, self.log)

    def turn(self, *messages: Message) -> Turn:
        """Begin a turn of several calls, to be used in a `with` statement."""
        return Turn(self, messages)

    def answer(self, turn: Turn) -> Coroutine[Any, Any, Reply]:
        """Call the model once, under the policies, and the fallback if that fails.

        Args:
            turn: The conversation so far; the reply becomes part of it. It may be another agent's, whose fallback
                this one is.

        Raises:
            ModelError: The call failed for good, and so did the fallback's.
            TimeoutError: It took too long, and so did the fallback's.
        """
        if self.mishaps is None and self.instead is None and not turn.agent.remembers:
            return self.answer_itself(turn)  # a coroutine around it would cost at each of its steps
        return self._answer_prepared(turn)

    async def _answer_prepared(self, turn: Turn) -> Reply:
        if self.mishaps is not None:
            self.mishaps.begin(self.name, turn.task)
        if turn.agent.remembers and not turn.has_recalled:
            await turn.recall()
        other = None if self.instead is None else await self.instead.answer(turn)
        return await self.answer_itself(turn) if other is None else other

    async def answer_itself(self, turn: Turn) -> Reply:
        """Call the model once, as `answer` does, and ask no other instance and no new version."""
        name, task = self.name, turn.task
        # A fallback's calls are counted apart, so that another agent's bad luck changes none of its own draws.
        counted = name if turn.agent is self else f"{turn.agent.name}>{name}"
        in_task = task.count(counted)
        self._calls += 1
        span = self.log.open(CALL, name, turn.span, name, self._model_name, in_task)
        request = self._request(turn, span, counted, in_task)
        if self._needs_turn:
            _turn_of_call.set(turn)
        if self._texts is not None:
            self._texts.add(span, PROMPT, prompt_text(request))
        status, reply = CANCELLED, None
        try:
            reply = await self._call(request)
            status = OK
        except CALL_ERRORS as error:
            status, span.error = ERROR, error_name(error)
            if self.fallback is not None:
                self.log.event("fallback", span, self.fallback.name)
            elif self._desk is None:
                raise
        finally:
            task.cost_usd += request.cost_usd
            self.log.close(span, status)
        if reply is None:
            if self.fallback is not None:
                return await self.fallback.answer(turn)
            assert self._desk is not None
            reply = await decided(self._desk, name, turn, self.log)
        if self._texts is not None:
            self._texts.add(span, REPLY, reply_text(reply))
        turn.input_tokens += reply.output_tokens or 0
        turn.cost_usd += request.cost_usd
        turn.reply = reply
        return reply

    def _request(self, turn: Turn, span: Span, counted: str, in_task: int) -> Request:
        """What the model is asked in a turn."""
        task = turn.task
        request = Request(
            self.name,
            self._model_name,
            turn.prompt,
            turn.input_tokens + self.system_tokens,
            f"{task.number}/{counted}/{in_task}",
            in_task,
            self._calls,
            span,
            self.system,
            self._tool_names,
            task.output_tokens,
            turn.said if turn.reply is None else turn.said_so_far(),
        )
        if task.priority:
            request.priority = task.priority
        if turn.begins_with_task:
            request.prefix = task.prefix
        if task.customer:
            request.customer = task.customer
        return request

    async def _attempt(self, request: Request) -> Reply:
        """Ask the model once, and leave the span of the attempt."""
        attempt = AttemptSpan(self.log, request)
        try:
            with attempt:
                reply = await self._ask(request)
        finally:
            request.cost_usd += attempt.span.cost_usd
            request.ended = attempt.span
        if reply.correct is not None:
            request.call_span.correct = int(reply.correct)
        return reply

    def _arrival_s(self, request: Request) -> float:
        """When the task of a request arrived [s]."""
        return _turn_of_call.get().task.span.arrival_s

    async def _judged(self, request: Request, reply: Reply) -> str | None:
        """Ask the critic what is wrong with a reply; None if nothing is."""
        assert self.critic is not None
        turn = _turn_of_call.get()
        text = f"{request.prompt}\n\nThe reply of {self.name}:\n{reply.text}"
        task = turn.task.within(turn.span)
        said = await self.critic.handle(
            Message.of_text(task, self.name, text, recipient=self.critic.name)
        )
        return None if choice(said.text, ACCEPTED) is not None else said.text

    def _correct(self, request: Request, reply: Reply) -> None:
        """Tell who was answered by default what the real reply is: a message in its mailbox."""
        asked = _turn_of_call.get().asked[-1]
        message = asked.reply(self.name, reply.text, reply.output_tokens, type="update")
        receive(message, asked.sender, self.log)


_turn_of_call: ContextVar[Turn] = ContextVar("turn of a call")
"""The turn of the call that policies are busy with; set for agents whose policies must know it."""


class Turn(Conversation):
    """One turn of an agent: begun with messages, over at the end of its `with` block."""

    def __init__(self, agent: Agent, messages: tuple[Message, ...]) -> None:
        assert messages, "an agent's turn begins with a message"
        self.agent = agent
        # Parts of a tuple cost less than its names, and this is on the way of every call.
        self.task, sender, prompt, tokens = messages[0][:4]
        self.asked = messages
        """The messages that it began with."""
        if self.task.mail:
            messages = (*unread(self.task, agent.name), *messages)
            sender = messages[0].sender
            prompt, tokens = messages[0].text, messages[0].tokens
        for message in messages[1:]:
            prompt += "\n\n" + message.text
            tokens += message.tokens
        super().__init__(prompt, tokens)
        self._begun, self._begun_tokens = prompt, tokens
        self.begins_with_task = sender == USER
        """Whether the conversation begins with what the user brings."""
        self.cost_usd = 0.0
        """Cost of the calls that were answered, with their failed attempts [USD]; NaN if a price is unknown."""
        self.has_recalled = False
        """Whether what the agent remembers is part of the conversation."""
        self._input: Input | None = None
        """What it reads, while the turn is open."""

    def __enter__(self) -> Self:
        agent = self.agent
        self.span = agent.log.open(AGENT, agent.name, self.task.span, agent.name)
        agent.turns += 1
        deliver(self.asked, agent.name, self.span, agent.log)
        try:
            said = tuple([message[1:3] for message in self.asked])  # sender and text; see above
            self._input = self.task.progress.begin(agent.name, said)
            if agent.spendings is not None:
                agent.spendings.begin_turn(self.span, agent.log)
            if agent.reception is not None:
                self.asked = agent.reception.checked(self.asked, agent.name, self.span, agent.log)
        except ModelError as error:
            if isinstance(error, NoProgress):
                agent.log.event(NO_PROGRESS, self.span, error.cycle)
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.agent.turns -= 1
        if self._input is not None:
            self.task.progress.end(self._input)
        status = OK if error is None else CANCELLED
        if isinstance(error, Exception):
            status, self.span.error = ERROR, error_name(error)
        self.agent.log.close(self.span, status)

    async def call(self) -> Reply:
        """Call the model with the conversation so far; the reply becomes part of it.

        Raises:
            ModelError: The call failed for good, and so did the fallback's.
            TimeoutError: It took too long, and so did the fallback's.
        """
        return await self.agent.answer(self)

    async def recall(self) -> None:
        """Make what the agent remembers of its earlier turns part of the conversation, as far as its context goes.

        Raises:
            ModelError: A summary is due, and the call for it failed.
            TimeoutError: A summary is due, and the call for it took too long.
        """
        self.has_recalled = True
        agent, task = self.agent, self.task
        past = task.memory.setdefault(agent.name, [])
        old = agent.context.too_old(past)
        if old and agent.summarizer is not None:
            text = "\n\n".join(f"{one.said.role}: {one.said.text}" for one in past[:old])
            size = sum(one.tokens for one in past[:old])
            asked = Message.of_text(
                task.within(self.span),
                agent.name,
                f"Sum up this conversation.\n\n{text}",
                tokens=size,
            )
            try:
                summary = await agent.summarizer.handle(asked)
            finally:
                task.cost_usd += asked.task.cost_usd
            past[:old] = [Remembered(ChatMessage("user", summary.text), summary.tokens)]
        self.begin_with(agent.context.kept(past))

    async def use(self, call: ToolCall) -> str:
        """Use a tool, and give what it answers or how it failed; to be heard by the agent with `hear`."""
        agent = self.agent
        use = f"{agent.name}/{call.tool}"
        number = self.task.count(use)
        span = agent.log.open(TOOL, call.tool, self.span, agent.name, ordinal=number)
        status = CANCELLED
        try:
            tool = agent.tools.get(call.tool)
            if tool is None:
                raise ToolError(f"there is no tool {call.tool!r}")
            key = f"{self.task.number}/{use}/{number}"
            if agent.mishaps is None:
                result = await tool.use(call, key)
            else:
                result = await agent.mishaps.use(tool, call, key, span, agent.name, self.task)
            status = OK
        except ToolError as error:
            status, span.error = ERROR, "tool_error"
            result = f"error: {error}"
            self.failures += (result,)
        finally:
            agent.log.close(span, status)
        return result

    def say(self, reply: Reply) -> Message:
        """The agent's answer, as a message to others."""
        agent, text, tokens, version = self.agent, reply.text, reply.output_tokens or 0, None
        if agent.remembers:
            self._remember(text, tokens)
        if agent.reception is not None and agent.reception.versions:
            version = agent.reception.version_of_answer(self.asked[-1].version)
            self.task.speaks[agent.name] = agent.reception.versions
        latency_s = agent.log.clock() - self.span.arrival_s
        return answer(
            self.asked, agent.name, text, tokens, latency_s, self.cost_usd, version, confidence(text)
        )  # fmt: skip

    def _remember(self, text: str, tokens: int) -> None:
        """Keep what the turn began with, and what the agent said, for its later turns in the task."""
        self.task.memory.setdefault(self.agent.name, []).extend(
            [
                Remembered(ChatMessage("user", self._begun), self._begun_tokens),
                Remembered(ChatMessage("assistant", text), tokens),
            ]
        )
