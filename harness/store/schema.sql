-- The tables of a store, schema version 8. The version itself is kept in `meta` and counted in database.py.
--
-- Times are virtual seconds [s] since the run began, unless the name starts with wall_. What was not measured, or does
-- not apply, is NULL and never zero. Between the times of an attempt:
--
--     arrival_s            start_s             first_token_s                          end_s
--        |--- queue_wait_s ---|---- prefill_s -----|-- itl_s --|-- itl_s --| ... -------|
--        |------------------ ttft_s ---------------|
--        |                    |------------------- service_time_s ----------------------|
--        |------------------------------- latency_s ------------------------------------|
--
-- No primary keys, foreign keys and indexes: with them DuckDB refuses to alter a table, and stores must live on.

CREATE TABLE meta (
    key             VARCHAR NOT NULL,   -- schema_version
    value           VARCHAR NOT NULL
);

-- One scenario executed with one seed.
CREATE TABLE runs (
    run_id          INTEGER NOT NULL,   -- counted from 1 in this store
    scenario        VARCHAR NOT NULL,   -- name of the scenario
    scenario_hash   VARCHAR NOT NULL,   -- of all that determines the run but its seed; equal hash and seed, equal run
    seed            BIGINT NOT NULL,    -- the one integer that all randomness derives from
    status          VARCHAR NOT NULL,   -- done | horizon (virtual time was over before the work was) | killed
    tasks           BIGINT NOT NULL,    -- tasks of the workload, warm-up included
    warmup_tasks    BIGINT NOT NULL,    -- how many of the first tasks are left out of the metrics
    makespan_s      DOUBLE,             -- from the first arrival to the last end [virtual s]
    wall_s          DOUBLE,             -- how long the run took on the machine [real s]
    written_at      TIMESTAMP NOT NULL, -- when the run was written to this store [UTC]
    harness_version VARCHAR NOT NULL,   -- of the harness that ran it
    commit_id       VARCHAR,            -- git commit of the scenario's folder, with + if files differed from it; NULL without git
    source          VARCHAR,            -- the scenario file, as it was named
    command         VARCHAR,            -- the command that runs it again
    engine          VARCHAR             -- simulated | live (real clock, real APIs) | replayed (with replies of a cassette)
);

-- What happened: intervals with a parent.
CREATE TABLE spans (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    span_id         BIGINT NOT NULL,    -- counted from 1 in its run, in the order of beginning
    parent_id       BIGINT,             -- span_id of the span it is a part of; NULL of a task
    task            BIGINT,             -- number of the task it belongs to, from 1
    kind            VARCHAR,            -- task | agent | call | attempt | tool | wait
    name            VARCHAR,            -- which of its kind: kind of task, agent, model, tool, what was waited for
    agent           VARCHAR,            -- the agent whose work it is; NULL of a task
    model           VARCHAR,            -- the model that was asked; calls and attempts
    ordinal         BIGINT,             -- which one among its siblings, from 1: an attempt with 2 is a first retry
    arrival_s       DOUBLE,             -- when it began [s]; an attempt joins the provider's queue
    start_s         DOUBLE,             -- when service began [s]; NULL if it never did
    first_token_s   DOUBLE,             -- when the first token was there [s]; attempts
    end_s           DOUBLE,             -- when it ended, well or not [s]
    input_tokens    BIGINT,             -- read at full price, cached ones not counted [tokens]; attempts
    output_tokens   BIGINT,             -- generated [tokens]; attempts
    cache_read_tokens BIGINT,           -- read from a prompt cache [tokens]; NULL where none was asked for
    cache_write_tokens BIGINT,          -- read and written to a prompt cache [tokens]; NULL where none was asked for
    cost_usd        DOUBLE,             -- [USD]; NULL when the price is not known
    status          VARCHAR,            -- ok | error | cancelled (somebody else gave up on it)
    error           VARCHAR,            -- the kind of failure: the provider's error type, or the name of an exception
    http_status     BIGINT,             -- what the provider answered [HTTP status code]
    retry_after_s   DOUBLE,             -- how long the provider asked to wait [s]
    fault           VARCHAR,            -- the injected fault that it met
    correct         BIGINT,             -- 1 when what was said is right, 0 when it is wrong
    repeats         BIGINT,             -- span_id of the failed call that this one repeats; calls and their first attempts
    customer        VARCHAR,            -- whom the task is for; tasks
    priority        BIGINT,             -- how much the task matters, 0 the least; tasks
    limited_by      VARCHAR             -- the rate limit that refused it, such as output_tokens_per_min; attempts
);

-- What happened: points in time.
CREATE TABLE events (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    event_id        BIGINT NOT NULL,    -- counted from 1 in its run, in the order in which they happened
    at_s            DOUBLE,             -- when [s]
    span_id         BIGINT,             -- spans.span_id of the span it happened in
    task            BIGINT,             -- number of the task it belongs to, from 1
    agent           VARCHAR,            -- the agent it happened to; of a message, who said it
    name            VARCHAR,            -- what happened: message, retry, fallback, fault, ...
    detail          VARCHAR,            -- more about it, in the event's own words; of a message, its type
    recipient       VARCHAR,            -- who got the message; messages
    tokens          BIGINT,             -- size of the message [tokens]; messages
    hop             BIGINT,             -- how many messages led to it, one answering the other; messages
    message         BIGINT,             -- number of the message in its task; one that goes to many has one number
    answers         BIGINT              -- number of the message that it answers; messages
);

-- What agents read and wrote, without secrets and cut in the middle; only of runs that were asked to keep it
-- (`harness simulate --keep-texts`).
CREATE TABLE texts (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    span_id         BIGINT NOT NULL,    -- spans.span_id of the call
    task            BIGINT,             -- number of the task it belongs to, from 1
    kind            VARCHAR NOT NULL,   -- prompt | reply
    text            VARCHAR             -- NULL when it is empty
);

-- The numbers of a run; `harness.metrics` defines each, and its name ends in its unit.
CREATE TABLE metrics (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    agent           VARCHAR,            -- whose number it is; NULL for the whole run
    name            VARCHAR NOT NULL,   -- such as latency_s_p95
    value           DOUBLE NOT NULL     -- in the unit that the name ends in
);

-- The budgets that a run's scenario sets on the metrics of all its runs together.
CREATE TABLE budgets (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    metric          VARCHAR NOT NULL,   -- such as latency_s_p95
    bound           VARCHAR NOT NULL,   -- below | at_most | above | at_least
    value           DOUBLE NOT NULL     -- in the unit that the metric ends in
);

-- What the simulated providers of a run allow.
CREATE TABLE limits (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    provider        VARCHAR NOT NULL,   -- as the scenario names it
    name            VARCHAR NOT NULL,   -- requests_per_min | input_tokens_per_min | output_tokens_per_min | concurrency | ...
    value           DOUBLE NOT NULL     -- in the unit that the name ends in
);

-- The models that a run's scenario describes: who serves each, and with which others it shares rate limits.
CREATE TABLE models (
    run_id          INTEGER NOT NULL,   -- runs.run_id
    provider        VARCHAR NOT NULL,   -- as the scenario names it
    model           VARCHAR NOT NULL,   -- as spans name it
    pool            VARCHAR             -- models of one pool share rate limits; NULL of a model that has its own
);

-- The columns of views are listed one by one, because a view made with * breaks when its table gets a new column.

-- Every task, with how long its user waited.
CREATE VIEW tasks AS
SELECT
    spans.run_id,
    spans.task,
    spans.name AS kind,
    spans.task <= runs.warmup_tasks AS is_warmup, -- left out of the metrics
    spans.arrival_s,
    spans.end_s,
    spans.end_s - spans.arrival_s AS latency_s,
    spans.status,
    spans.error,
    spans.customer,
    spans.priority
FROM spans
JOIN runs ON runs.run_id = spans.run_id
WHERE spans.kind = 'task';

-- Every request at a provider, with the times between its times.
CREATE VIEW attempts AS
SELECT
    spans.run_id,
    spans.span_id,
    spans.parent_id,
    spans.task,
    spans.task <= runs.warmup_tasks AS is_warmup, -- left out of the metrics
    spans.agent,
    spans.model,
    spans.ordinal,
    spans.arrival_s,
    spans.start_s,
    spans.first_token_s,
    spans.end_s,
    spans.start_s - spans.arrival_s AS queue_wait_s,
    spans.first_token_s - spans.start_s AS prefill_s,
    spans.first_token_s - spans.arrival_s AS ttft_s,
    spans.end_s - spans.start_s AS service_time_s,
    spans.end_s - spans.arrival_s AS latency_s,
    spans.input_tokens,
    spans.output_tokens,
    spans.cache_read_tokens,
    spans.cache_write_tokens,
    spans.cost_usd,
    spans.status,
    spans.error,
    spans.http_status,
    spans.retry_after_s,
    spans.fault,
    spans.limited_by
FROM spans
JOIN runs ON runs.run_id = spans.run_id
WHERE spans.kind = 'attempt';

-- Who decided what from which input: a row for each call, each use of a tool, and each event of a policy.
CREATE VIEW audit AS
WITH read AS ( -- by span, what it read: messages of a turn, or replies that a prompt holds
    SELECT events.run_id, events.span_id,
        string_agg(DISTINCT coalesce(events.agent, 'user') || ' (' || coalesce(events.detail, 'message') || ')', ', ' ORDER BY coalesce(events.agent, 'user') || ' (' || coalesce(events.detail, 'message') || ')') AS source
    FROM events WHERE events.name = 'message' GROUP BY events.run_id, events.span_id
    UNION ALL
    SELECT events.run_id, events.span_id, string_agg(DISTINCT said.agent, ', ' ORDER BY said.agent) AS source
    FROM events JOIN spans AS said ON said.run_id = events.run_id AND said.span_id = TRY_CAST(events.detail AS BIGINT)
    WHERE events.name = 'heard' GROUP BY events.run_id, events.span_id
), asked AS ( -- by call, its attempts
    SELECT spans.run_id, spans.parent_id AS span_id, count(*) AS attempts,
        sum(coalesce(spans.input_tokens, 0) + coalesce(spans.cache_read_tokens, 0) + coalesce(spans.cache_write_tokens, 0)) AS input_tokens,
        sum(spans.output_tokens) AS output_tokens, sum(spans.cost_usd) AS cost_usd
    FROM spans WHERE spans.kind = 'attempt' GROUP BY spans.run_id, spans.parent_id
)
SELECT
    spans.run_id,
    spans.task,
    spans.end_s AS at_s,
    spans.agent,                                            -- who
    spans.kind AS action,                                   -- call | tool | the name of an event
    CASE spans.kind WHEN 'call' THEN spans.model ELSE spans.name END AS what,
    coalesce(mine.source, turns.source) AS source,          -- from which input
    spans.status,
    spans.error,
    asked.attempts,
    asked.input_tokens,
    asked.output_tokens,
    asked.cost_usd,
    spans.span_id
FROM spans
LEFT JOIN read AS mine ON mine.run_id = spans.run_id AND mine.span_id = spans.span_id
LEFT JOIN read AS turns ON turns.run_id = spans.run_id AND turns.span_id = spans.parent_id
LEFT JOIN asked ON asked.run_id = spans.run_id AND asked.span_id = spans.span_id
WHERE spans.kind IN ('call', 'tool')
UNION ALL
SELECT
    events.run_id, events.task, events.at_s, events.agent, events.name AS action, events.detail AS what,
    NULL AS source, NULL AS status, NULL AS error, NULL AS attempts, NULL AS input_tokens, NULL AS output_tokens,
    NULL AS cost_usd, events.span_id
FROM events
WHERE events.name NOT IN (
    'message', 'heard', 'asked_again', 'goes_on', 'repeated_prefix', 'claims', 'state_read', 'state_write', 'cache_miss'
);
