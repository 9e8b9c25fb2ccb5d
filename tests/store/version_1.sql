-- The tables of schema version 1, as harness made them; commit 24da144.
CREATE TABLE meta (
    key             VARCHAR NOT NULL,
    value           VARCHAR NOT NULL
);

CREATE TABLE runs (
    run_id          INTEGER NOT NULL,
    scenario        VARCHAR NOT NULL,
    scenario_hash   VARCHAR NOT NULL,
    seed            BIGINT NOT NULL,
    status          VARCHAR NOT NULL,
    tasks           BIGINT NOT NULL,
    warmup_tasks    BIGINT NOT NULL,
    makespan_s      DOUBLE,
    wall_s          DOUBLE,
    written_at      TIMESTAMP NOT NULL,
    harness_version VARCHAR NOT NULL,
    source          VARCHAR,
    command         VARCHAR
);

CREATE TABLE spans (
    run_id          INTEGER NOT NULL,
    span_id         BIGINT NOT NULL,
    parent_id       BIGINT,
    task            BIGINT,
    kind            VARCHAR,
    name            VARCHAR,
    agent           VARCHAR,
    model           VARCHAR,
    ordinal         BIGINT,
    arrival_s       DOUBLE,
    start_s         DOUBLE,
    first_token_s   DOUBLE,
    end_s           DOUBLE,
    input_tokens    BIGINT,
    output_tokens   BIGINT,
    cost_usd        DOUBLE,
    status          VARCHAR,
    error           VARCHAR,
    http_status     BIGINT,
    retry_after_s   DOUBLE,
    fault           VARCHAR,
    correct         BIGINT
);

CREATE TABLE events (
    run_id          INTEGER NOT NULL,
    event_id        BIGINT NOT NULL,
    at_s            DOUBLE,
    span_id         BIGINT,
    task            BIGINT,
    agent           VARCHAR,
    name            VARCHAR,
    detail          VARCHAR
);

CREATE TABLE metrics (
    run_id          INTEGER NOT NULL,
    agent           VARCHAR,
    name            VARCHAR NOT NULL,
    value           DOUBLE NOT NULL
);

CREATE VIEW tasks AS
SELECT
    spans.run_id,
    spans.task,
    spans.name AS kind,
    spans.task <= runs.warmup_tasks AS is_warmup,
    spans.arrival_s,
    spans.end_s,
    spans.end_s - spans.arrival_s AS latency_s,
    spans.status,
    spans.error
FROM spans
JOIN runs ON runs.run_id = spans.run_id
WHERE spans.kind = 'task';

CREATE VIEW attempts AS
SELECT
    spans.run_id,
    spans.span_id,
    spans.parent_id,
    spans.task,
    spans.task <= runs.warmup_tasks AS is_warmup,
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
    spans.cost_usd,
    spans.status,
    spans.error,
    spans.http_status,
    spans.retry_after_s,
    spans.fault
FROM spans
JOIN runs ON runs.run_id = spans.run_id
WHERE spans.kind = 'attempt';
