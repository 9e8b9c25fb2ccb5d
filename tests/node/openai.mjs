// What the SDK openai gets from `harness serve`, as one object of JSON.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { report } from "./report.mjs";

const client = new OpenAI({ apiKey: "k", baseURL: `${process.argv[2]}/v1` });
const by = (agent, more = {}) => ({ headers: { "x-harness-agent": agent }, ...more });
const question = { role: "user", content: "What is the tide?" };
const ask = { model: "gpt-4o", messages: [question] };
const respond = { model: "gpt-4o", input: question.content };
const parameters = {
  type: "object", properties: { port: { type: "string" } }, required: ["port"], additionalProperties: false,
};
const tide = { type: "function", function: { name: "tide", parameters, strict: true } };
const tideOfResponses = { type: "function", name: "tide", parameters, strict: true };
const Height = z.object({ metres: z.number() });

await report({
  whole: async () => {
    const { data, request_id } = await client.chat.completions.create(ask, by("writer")).withResponse();
    const { choices, object, usage } = data;
    return { object, choices, usage, has_request_id: request_id.startsWith("req_") };
  },
  stream: async () => {
    const options = { stream: true, stream_options: { include_usage: true } };
    let text = "", usage = null;
    for await (const chunk of await client.chat.completions.create({ ...ask, ...options }, by("writer"))) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { text, usage };
  },
  stream_helper: async () => {
    const chat = await client.chat.completions.stream(ask, by("writer")).finalChatCompletion();
    return chat.choices[0].message.content;
  },
  tool: async () => {
    const asked = { ...ask, tools: [tide] };
    const first = await client.chat.completions.create(asked, by("sailor"));
    const { message, finish_reason } = first.choices[0];
    const [call] = message.tool_calls;
    const messages = [question, message, { role: "tool", tool_call_id: call.id, content: "high" }];
    const last = await client.chat.completions.create({ ...asked, messages }, by("sailor"));
    return { finish_reason, function: call.function, text: last.choices[0].message.content };
  },
  tool_runner: async () => {
    const run = { ...tide.function, function: async ({ port }) => `${port} is high`, parse: JSON.parse };
    const runner = client.chat.completions.runTools({ ...ask, tools: [{ type: "function", function: run }] }, by("sailor"));
    return runner.finalContent();
  },
  streamed_tool_runner: async () => {
    const run = { ...tide.function, function: async ({ port }) => `${port} is high`, parse: JSON.parse };
    const tools = [{ type: "function", function: run }];
    return client.chat.completions.runTools({ ...ask, tools, stream: true }, by("sailor")).finalContent();
  },
  structured: async () => {
    const response_format = zodResponseFormat(Height, "height");
    const chat = await client.chat.completions.parse({ ...ask, response_format }, by("gauge"));
    return chat.choices[0].message.parsed;
  },
  response: async () => {
    const response = await client.responses.create(respond, by("writer"));
    return { text: response.output_text, status: response.status, types: response.output.map((item) => item.type) };
  },
  response_stream: async () => {
    const events = [];
    for await (const event of await client.responses.create({ ...respond, stream: true }, by("writer")))
      if (events.at(-1) !== event.type) events.push(event.type);
    return events;
  },
  response_stream_helper: async () => {
    const response = await client.responses.stream(respond, by("writer")).finalResponse();
    return response.output_text;
  },
  response_tool: async () => {
    const asked = { ...respond, tools: [tideOfResponses] };
    const first = await client.responses.create(asked, by("sailor"));
    const call = first.output.find((item) => item.type === "function_call");
    const input = [{ type: "function_call_output", call_id: call.call_id, output: "high" }];
    const last = await client.responses.create({ ...asked, input, previous_response_id: first.id }, by("sailor"));
    return { arguments: call.arguments, text: last.output_text };
  },
  response_structured: async () => {
    const text = { format: zodTextFormat(Height, "height") };
    const response = await client.responses.parse({ ...respond, text }, by("gauge"));
    return response.output_parsed;
  },
  reasoning: async () => {
    const reasoning = { effort: "low", summary: "auto" };
    const response = await client.responses.create({ ...respond, model: "gpt-5", reasoning }, by("writer"));
    return response.output.map((item) => item.type);
  },
  embedding: async () => {
    const { data } = await client.embeddings.create({ model: "text-embedding-3-small", input: "tide" });
    return data[0].embedding.length;
  },
  models: async () => {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return names;
  },
  file: async () => {
    const line = { custom_id: "one", method: "POST", url: "/v1/chat/completions", body: ask };
    const file = new File([JSON.stringify(line)], "batch.jsonl");
    const { id, bytes } = await client.files.create({ file, purpose: "batch" });
    const text = await (await client.files.content(id)).text();
    return { bytes, same: text === JSON.stringify(line) };
  },
  retried: async () => {
    const chat = await client.chat.completions.create(ask, by("limited"));
    return chat.choices[0].message.content;
  },
  bad_request: () => client.chat.completions.create({ ...ask, temperature: 3 }, by("writer")),
  unknown_model: () => client.chat.completions.create({ ...ask, model: "gpt-4oo" }, by("writer")),
  rate_limited: () => client.chat.completions.create(ask, by("busy", { maxRetries: 0 })),
  overloaded: () => client.chat.completions.create(ask, by("down", { maxRetries: 1 })),
  reset: () => client.chat.completions.create(ask, by("gone", { maxRetries: 1 })),
  broken_stream: async () => client.chat.completions.stream(ask, by("broken")).finalChatCompletion(),
  timeout: () => client.chat.completions.create(ask, by("slow", { maxRetries: 0, timeout: 300 })),
});
