// What @anthropic-ai/sdk gets from `harness serve`, as one object of JSON.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { report } from "./report.mjs";

const client = new Anthropic({ apiKey: "k", baseURL: process.argv[2] });
const by = (agent, more = {}) => ({ headers: { "x-harness-agent": agent }, ...more });
const ask = {
  model: "claude-sonnet-4-6",
  max_tokens: 200,
  messages: [{ role: "user", content: "What is the tide?" }],
};
const tide = {
  name: "tide",
  description: "The tide at a port.",
  input_schema: { type: "object", properties: { port: { type: "string" } }, required: ["port"] },
};
const question = ask.messages[0];

await report({
  whole: async () => {
    const { data, request_id } = await client.messages.create(ask, by("writer")).withResponse();
    const { content, stop_reason, usage, type } = data;
    return { type, content, stop_reason, usage, has_request_id: request_id.startsWith("req_") };
  },
  raw_stream: async () => {
    const events = [];
    for await (const event of await client.messages.create({ ...ask, stream: true }, by("writer")))
      events.push(event.type);
    return events;
  },
  stream: async () => {
    const texts = [];
    const stream = client.messages.stream(ask, by("writer")).on("text", (text) => texts.push(text));
    const message = await stream.finalMessage();
    return { text: texts.join(""), last: message.content[0].text, stop_reason: message.stop_reason };
  },
  tool: async () => {
    const asked = { ...ask, tools: [tide] };
    const first = await client.messages.create(asked, by("sailor"));
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: use.id, content: "high" };
    const messages = [question, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
    const last = await client.messages.create({ ...asked, messages }, by("sailor"));
    return { stop_reason: first.stop_reason, name: use.name, input: use.input, text: last.content[0].text };
  },
  streamed_tool: async () => {
    const message = await client.messages.stream({ ...ask, tools: [tide] }, by("sailor")).finalMessage();
    return message.content.filter((block) => block.type === "tool_use").map(({ name, input }) => ({ name, input }));
  },
  tool_runner: async () => {
    const run = async ({ port }) => `${port} is high`;
    const tools = [{ ...tide, run, parse: (input) => input, type: "custom" }];
    const last = await client.beta.messages.toolRunner({ ...ask, tools }, by("sailor"));
    return last.content[0].text;
  },
  structured: async () => {
    const format = zodOutputFormat(z.object({ metres: z.number() }));
    const message = await client.messages.parse({ ...ask, output_config: { format } }, by("gauge"));
    return message.parsed_output;
  },
  thinking: async () => {
    const thinking = { type: "enabled", budget_tokens: 1024 };
    const message = await client.messages.create({ ...ask, max_tokens: 4000, thinking }, by("writer"));
    return message.content.map((block) => block.type);
  },
  count_tokens: async () => {
    const { input_tokens } = await client.messages.countTokens({ model: ask.model, messages: ask.messages });
    return input_tokens;
  },
  models: async () => {
    const names = [];
    for await (const model of client.models.list({ limit: 2 })) names.push(model.id);
    return names;
  },
  batch: async () => {
    const requests = [{ custom_id: "one", params: ask }];
    const batch = await client.messages.batches.create({ requests }, by("writer"));
    return { status: batch.processing_status, type: batch.type };
  },
  retried: async () => {
    const message = await client.messages.create(ask, by("limited"));
    return message.content[0].text;
  },
  bad_request: () => client.messages.create({ ...ask, max_tokens: 0.5 }, by("writer")),
  unknown_model: () => client.messages.create({ ...ask, model: "claude-sonet-4-6" }, by("writer")),
  no_credential: () => new Anthropic({ apiKey: "", authToken: null, baseURL: process.argv[2] })
    .messages.create(ask, { headers: { "x-api-key": null, authorization: null } }),
  rate_limited: () => client.messages.create(ask, by("busy", { maxRetries: 0 })),
  overloaded: () => client.messages.create(ask, by("down", { maxRetries: 1 })),
  reset: () => client.messages.create(ask, by("gone", { maxRetries: 1 })),
  broken_stream: async () => client.messages.stream(ask, by("broken")).finalMessage(),
  timeout: () => client.messages.create(ask, by("slow", { maxRetries: 0, timeout: 300 })),
});
