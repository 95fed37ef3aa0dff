import { ChatPromptTemplate } from "@langchain/core/prompts";
import { createAgent, tool } from "langchain";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { done, event, failing, streams, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { readEagerly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";

/** The part of LangGraph that is used here; it comes with `langchain`, and has no types of its own in this package. */
interface LangGraph {
  MessagesAnnotation: object;
  StateGraph: new (state: object) => Graph;
}
interface Graph {
  addNode(name: string, node: (state: { messages: never[] }, config: object) => unknown): Graph;
  addEdge(from: string, to: string): Graph;
  compile(): Running;
}
interface Running {
  stream(input: object, options: object): Promise<AsyncIterable<unknown>>;
  streamEvents(input: object, options: object): AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>;
}

/** The one that `langchain` uses, in its form as an ES module: another would bring a core of its own. */
async function langGraph(): Promise<LangGraph> {
  const langchain = createRequire(import.meta.url).resolve("langchain");
  const entry = createRequire(langchain).resolve("@langchain/langgraph");
  return (await import(pathToFileURL(join(dirname(entry), "index.js")).href)) as LangGraph;
}

/** Made anew for each run: validation writes into the schema. */
function stock() {
  return tool(async ({ sku }: { sku: string }) => `12 of ${sku}`, {
    name: "stock",
    description: "Units on hand",
    schema: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
  });
}

const calling = [
  event({ role: "assistant", content: "", reasoning_content: "Look." }),
  event({ tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "stock", arguments: '{"sku":' } }] }),
  event({ tool_calls: [{ index: 0, id: null, type: null, function: { name: "", arguments: '"A"}' } }] }),
  event({}, "tool_calls", { usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }),
  done,
];

/** Graphs that hold a model. */
const graphs: Record<string, (stage: Stage) => Promise<Running>> = {
  "an agent with a tool": async ({ model }) => createAgent({ model: model(), tools: [stock()] }) as unknown as Running,
  "a node that invokes": async ({ model }) => {
    const { StateGraph, MessagesAnnotation } = await langGraph();
    return new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }) => ({ messages: [await model().invoke(messages)] }))
      .addEdge("__start__", "ask")
      .addEdge("ask", "__end__")
      .compile();
  },
  "a node that streams": async ({ model, journal }) => {
    const { StateGraph, MessagesAnnotation } = await langGraph();
    return new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }, config) => {
        const read = [];
        for await (const chunk of await model().stream(messages, config)) {
          journal.note("node", "chunk", chunk);
          read.push(chunk);
        }
        return { messages: [read.reduce((whole, chunk) => whole.concat(chunk))] };
      })
      .addEdge("__start__", "ask")
      .addEdge("ask", "__end__")
      .compile();
  },
  "a node that leaves its stream": async ({ model, journal }) => {
    const { StateGraph, MessagesAnnotation } = await langGraph();
    return new StateGraph(MessagesAnnotation)
      .addNode("ask", async ({ messages }) => {
        const chain = ChatPromptTemplate.fromMessages([["placeholder", "{messages}"]]).pipe(model());
        for await (const chunk of await chain.stream({ messages })) {
          journal.note("node", "chunk", chunk);
          if (chunk.text === "w1 ") return { messages: [chunk] };
        }
        return { messages: [] };
      })
      .addEdge("__start__", "ask")
      .addEdge("ask", "__end__")
      .compile();
  },
};

const modes: Record<string, (graph: Running, options: object) => Promise<AsyncIterable<unknown>>> = Object.fromEntries([
  ...["messages", "values", ["messages", "updates"]].map((streamMode) => [
    `stream mode ${String(streamMode)}`,
    (graph: Running, options: object) => graph.stream(input, { ...options, streamMode }),
  ]),
  ...(["v2", "v3"] as const).map((version) => [
    `events ${version}`,
    async (graph: Running, options: object) => graph.streamEvents(input, { ...options, version }),
  ]),
]);

const input = { messages: [{ type: "human", content: "How many?", id: "question" }] };

const answers: Record<string, NonNullable<Scenario["serve"]>> = {
  "": (asked, index) => {
    const events = index === 0 && asked.body["tools"] !== undefined ? calling : words(3);
    if (asked.body.stream) return asked.end(events.join(""));
    const message = { role: "assistant", content: "w0 w1 w2 " };
    const call = { id: "a", type: "function", function: { name: "stock", arguments: '{"sku":"A"}' } };
    const [said, finish_reason] =
      events === calling ? [{ content: "", tool_calls: [call] }, "tool_calls"] : [message, "stop"];
    asked.refuse(200, { id: "019c", model: "m", choices: [{ index: 0, message: said, finish_reason }] });
  },
  ", with thoughts": (asked, index) => {
    if (index === 0 && asked.body.stream) whole(streams["thoughts, and counts on every chunk"]!)(asked);
    else answers[""]!(asked, index);
  },
  ", failing": (asked) =>
    asked.body.stream ? failing["an error after two words"]!(asked) : asked.refuse(400, { message: "No." }),
};

export const graphScenarios: Scenario[] = Object.entries(graphs).flatMap(([name, make]) =>
  Object.entries(modes).flatMap(([mode, run]) =>
    Object.entries(answers).map(([answer, serve]): Scenario => ({
      name: `${name}, by ${mode}${answer}`,
      serve,
      ordered: false,
      async run(stage) {
        const graph = await make(stage);
        const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
        const reading = async () => readEagerly(stage, await run(graph, { callbacks, tags: ["caller"] }));
        await stage.journal.outcome("reader", mode, reading());
      },
    })),
  ),
);
