import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  type ToolCall,
  ToolMessage,
} from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda } from "@langchain/core/runnables";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { countsOf, emulated, joined, time, weather } from "./emulated.js";

const { emulator, model, sent } = emulated();

const locationSchema = {
  type: "object" as const,
  properties: { location: { type: "string", description: "Name of the place" } },
  required: ["location"],
};
const question = "What is the weather in Paris?";
const call: ToolCall = { type: "tool_call", id: "c1", name: "get_weather", args: { location: "Paris" } };

/** What a tool can be bound as; every one of them is a `get_weather` with a `location`. */
const forms: Record<string, () => Parameters<ReturnType<typeof model>["bindTools"]>[0][number]> = {
  "a structured tool with zod": () => weather,
  "a structured tool with JSON Schema": () =>
    tool(() => "Rain", { name: "get_weather", description: "Weather of a place", schema: locationSchema }),
  "a runnable as a tool": () =>
    RunnableLambda.from(({ location }: { location: string }) => `Rain in ${location}`).asTool({
      name: "get_weather",
      description: "Weather of a place",
      schema: z.object({ location: z.string().describe("Name of the place") }),
    }),
  "OpenAI's form of a tool": () => ({
    type: "function",
    function: { name: "get_weather", description: "Weather of a place", parameters: locationSchema },
  }),
  "an object of name, description and zod schema": () => ({
    name: "get_weather",
    description: "Weather of a place",
    schema: z.object({ location: z.string().describe("Name of the place") }),
  }),
  "an object of name, description and JSON Schema": () => ({
    name: "get_weather",
    description: "Weather of a place",
    schema: locationSchema,
  }),
};

describe.each(Object.keys(forms))("a tool bound as %s", (form) => {
  const prompt = ChatPromptTemplate.fromMessages([
    ["system", "Use your tools."],
    ["human", "{input}"],
  ]);
  const bound = () => model().bindTools([forms[form]!()]);
  const expected = [{ type: "tool_call", id: expect.stringMatching(/\w/), name: "get_weather" }];

  test("is called once, by a prompt piped into the model", async () => {
    const answer = await prompt.pipe(bound()).invoke({ input: question });
    const { tool_calls } = answer;
    expect(tool_calls).toMatchObject(expected);
    expect(tool_calls?.[0]?.args).toEqual({ location: "Paris" });
    expect(countsOf(answer).output_tokens).toBeGreaterThan(0);
    expect(sent()).toMatchObject({
      tools: [
        {
          type: "function",
          function: { name: "get_weather", description: "Weather of a place", parameters: locationSchema },
        },
      ],
    });
  });

  test("is called once in a stream, which ends with its counts", async () => {
    const answer = await joined(await bound().stream(question));
    expect(answer.tool_calls).toMatchObject([{ ...expected[0], args: { location: "Paris" } }]);
    expect(answer.invalid_tool_calls).toEqual([]);
    const { input_tokens, output_tokens } = countsOf(answer);
    expect(input_tokens).toBeGreaterThan(0);
    expect(output_tokens).toBeGreaterThan(0);
  });
});

const said = new AIMessage({ content: "", tool_calls: [call] });
const blocks = [
  { type: "text", text: "Let me look." },
  { type: "tool_use", id: "c1", name: "get_weather", input: { location: "Paris" } },
];
const wireCall = { id: "c1", type: "function", function: { name: "get_weather", arguments: '{"location":"Paris"}' } };

/** Histories with a call and its result, and what the service is told of them. */
const histories: Record<string, { messages: BaseMessage[]; call: Record<string, unknown>; result: string }> = {
  "a result that is a string": {
    messages: [said, new ToolMessage({ tool_call_id: "c1", name: "get_weather", content: "Rain, 9 degrees." })],
    call: { role: "assistant", content: "" },
    result: "Rain, 9 degrees.",
  },
  "a result that is a list": {
    messages: [said, new ToolMessage({ tool_call_id: "c1", content: [{ type: "text", text: "Rain, 9 degrees." }] })],
    call: { role: "assistant", content: "" },
    result: "Rain, 9 degrees.",
  },
  "a call that is also in the content, as another provider's model wrote it": {
    messages: [
      new AIMessage({ content: blocks, tool_calls: [call] }),
      new ToolMessage({ tool_call_id: "c1", content: "Rain, 9 degrees." }),
    ],
    call: { role: "assistant", content: "Let me look." },
    result: "Rain, 9 degrees.",
  },
};

test.each(Object.keys(histories))("a history with %s is answered from the result", async (name) => {
  const history = histories[name]!;
  const answer = await model()
    .bindTools([weather])
    .invoke([new HumanMessage(question), ...history.messages]);

  expect(answer.text).toContain("Rain, 9 degrees.");
  expect(answer.tool_calls).toEqual([]);
  expect(sent().messages.slice(1)).toEqual([
    { ...history.call, tool_calls: [wireCall] },
    { role: "tool", tool_call_id: "c1", content: history.result },
  ]);
});

test("examples of calls before the question are accepted, and the question itself is answered", async () => {
  const second = { ...call, id: "c2", args: { location: "Rome" } };
  const { tool_calls } = await model()
    .bindTools([weather])
    .invoke([
      new SystemMessage("Use your tools."),
      new HumanMessage(question),
      said,
      new ToolMessage({ tool_call_id: "c1", content: "Rain." }),
      new AIMessage("It rains in Paris."),
      new HumanMessage("What is the weather in Rome?"),
      new AIMessage({ content: "", tool_calls: [second] }),
      new ToolMessage({ tool_call_id: "c2", content: "Sun." }),
      new AIMessage("The sun shines in Rome."),
      new HumanMessage("What is the weather in Lima?"),
    ]);
  expect(tool_calls).toMatchObject([{ name: "get_weather", args: { location: "Lima" } }]);
  expect(sent().messages.map(({ role }) => role)).toEqual(
    "system user assistant tool assistant user assistant tool assistant user".split(" "),
  );
});

const both = "Tell me the weather in Paris and the time in Tokyo.";
type Ask = (messages: BaseMessage[], tools?: StructuredToolInterface[]) => Promise<AIMessage | AIMessageChunk>;
const ways: Record<string, Ask> = {
  invoke: (messages, tools = [weather, time]) => model().bindTools(tools).invoke(messages),
  stream: async (messages, tools = [weather, time]) => joined(await model().bindTools(tools).stream(messages)),
};

describe.each(Object.keys(ways))("by %s", (way) => {
  const ask = ways[way]!;

  test("the model's own call and its result lead to an answer", async () => {
    const asked = await ask([new HumanMessage(question)]);
    const result = await weather.invoke(asked.tool_calls![0]!);
    const answer = await ask([new HumanMessage(question), asked, result as ToolMessage]);

    expect(answer.text).toContain("Rain in Paris");
    expect(answer.tool_calls).toEqual([]);
  });

  test("two tools are called at once, each with its own id, and not again after their results", async () => {
    const asked = await ask([new HumanMessage(both)]);
    expect(asked.tool_calls).toMatchObject([
      { name: "get_weather", args: { location: "Paris" } },
      { name: "get_time", args: { place: "Tokyo" } },
    ]);
    expect(new Set(asked.tool_calls!.map(({ id }) => id)).size).toBe(2);

    const [rain, noon] = [await weather.invoke(asked.tool_calls![0]!), await time.invoke(asked.tool_calls![1]!)];
    const answer = await ask([new HumanMessage(both), asked, rain as ToolMessage, noon as ToolMessage]);
    expect(answer.text).toMatch(/Rain in Paris|Noon in Tokyo/);
    expect(answer.tool_calls).toEqual([]);
  });

  test("arguments with a choice, an object in an object and a free record arrive as they were made", async () => {
    const args = {
      unit: "celsius",
      place: { name: "São Paulo", position: { latitude: -23.5, longitude: -46.6 } },
      extra: { "some key": 'a "quoted" value', days: [1, 2] },
    };
    const schema = z.object({
      unit: z.enum(["celsius", "fahrenheit"]),
      place: z.object({
        name: z.string(),
        position: z.object({ latitude: z.number(), longitude: z.number() }),
      }),
      extra: z.record(z.string(), z.unknown()),
    });
    const forecast = tool((input) => JSON.stringify(input), { name: "forecast", description: "Forecast", schema });
    emulator().script([{ toolCalls: [{ name: "forecast", arguments: args }] }]);
    const answer = await ask([new HumanMessage("Forecast, please")], [forecast]);

    expect(answer.tool_calls).toMatchObject([{ name: "forecast", args }]);
    expect(await forecast.invoke(answer.tool_calls![0]!.args as z.infer<typeof schema>)).toBe(JSON.stringify(args));
    expect(sent().tools?.[0]?.function.parameters).toMatchObject({
      properties: {
        unit: { enum: ["celsius", "fahrenheit"] },
        place: { properties: { position: { properties: { latitude: { type: "number" } } } } },
        extra: { type: "object" },
      },
    });
  });
});
