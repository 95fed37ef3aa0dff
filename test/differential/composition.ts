import { HumanMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { type Runnable, RunnableLambda, RunnableMap, RunnablePassthrough } from "@langchain/core/runnables";
import type { IterableReadableStream } from "@langchain/core/utils/stream";
import { event, done, failing, streams, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { readCalmly, readEagerly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";
import type { Asked } from "./script-server.js";

const prompt = ChatPromptTemplate.fromMessages([
  ["system", "Be brief."],
  ["human", "{question}"],
]);
const input = { question: "Capital?" };

/** Answers with what was asked last, so that answers to several models can be told apart. */
function echo(asked: Asked): void {
  const [last] = (asked.body.messages as { content: string }[]).slice(-1);
  whole([event({ content: `${last!.content} ` }), event({ content: "indeed" }), event({}, "stop"), done])(asked);
}

// Runnables of many types, used alike.
type Chain = Runnable<unknown, unknown>;
const chainOf = (runnable: unknown): Chain => runnable as Chain;

/** Chains that hold a model, and what they are given. */
const chains: Record<string, (stage: Stage) => [chain: Chain, input: unknown]> = {
  "the model alone": ({ model }) => [chainOf(model()), "Capital?"],
  "prompt, model": ({ model }) => [chainOf(prompt.pipe(model())), input],
  "prompt, model, parser": ({ model }) => [chainOf(prompt.pipe(model()).pipe(new StringOutputParser())), input],
  "a model with options bound": ({ model }) => [
    chainOf(model().withConfig({ tags: ["bound"], metadata: { bound: 1 }, runName: "bound", seed: 7 })),
    "Capital?",
  ],
  "a model with tools": ({ model }) => {
    const tool = {
      type: "function" as const,
      function: { name: "now", parameters: { type: "object", properties: {} } },
    };
    return [chainOf(model().bindTools([tool])), "Capital?"];
  },
  "a model that is tried again": ({ model }) => [chainOf(model().withRetry({ stopAfterAttempt: 2 })), "Capital?"],
  "a model with another behind it": ({ model }) => [
    chainOf(model({ tags: ["first"] }).withFallbacks([model({ model: "b/B", tags: ["second"] })])),
    "Capital?",
  ],
  "a function that returns the model": ({ model }) => [chainOf(RunnableLambda.from(() => model())), "Capital?"],
  "a function that returns the model's stream": ({ model }) => [
    chainOf(RunnableLambda.from(async (question: string, config) => model().stream(question, config))),
    "Capital?",
  ],
  "a generator that passes the chunks on": ({ model }) => {
    async function* pass(question: string) {
      for await (const chunk of await model().stream(question)) yield chunk.text;
    }
    return [chainOf(RunnableLambda.from(pass as never)), "Capital?"];
  },
  "the model's answer among other fields": ({ model }) => [
    chainOf(RunnablePassthrough.assign({ answer: prompt.pipe(model()).pipe(new StringOutputParser()) })),
    input,
  ],
  "structured output": ({ model }) => {
    const schema = { type: "object", properties: { sku: { type: "string" } } };
    return [chainOf(model().withStructuredOutput(schema, { name: "lookup_stock" })), "Capital?"];
  },
};

/** Ways to run a chain of which the pieces are told. */
const ways: Record<
  string,
  (chain: Chain, given: unknown, options: object) => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>
> = {
  stream: (chain, given, options) => chain.stream(given, options),
  transform: (chain, given, options) => {
    async function* inputs() {
      yield given;
    }
    return chain.transform(inputs(), options);
  },
  streamLog: (chain, given, options) => chain.streamLog(given, options),
  "events v1": (chain, given, options) => chain.streamEvents(given, { ...options, version: "v1" }),
  "events v2": (chain, given, options) => chain.streamEvents(given, { ...options, version: "v2" }),
};

const healthy = streams["thoughts, then a fragmented call and one without arguments"]!;
const answers: Record<string, NonNullable<Scenario["serve"]>> = {
  "": whole(words(2)),
  ", with calls": whole(healthy),
  ", failing once": (asked, index) =>
    index === 0 ? asked.refuse(400, { code: 20_015, message: "No such thing." }) : asked.end(words(2).join("")),
  ", failing": failing["an error after two words"]!,
};

const { "": healthyAnswer, ", failing": failingAnswer } = answers;
/** For ways that differ from the others by little. */
const few = { "": healthyAnswer, ", failing": failingAnswer } as typeof answers;

const composed = Object.entries(chains).flatMap(([name, make]) =>
  Object.entries(ways).flatMap(([way, run]) =>
    Object.entries(way === "stream" || way === "events v2" ? answers : few).map(([answer, serve]): Scenario => ({
      name: `${name}, by ${way}${answer}`,
      serve,
      // Runs beside one another share neither sockets nor turns.
      ordered: false,
      async run(stage) {
        const [chain, given] = make(stage);
        const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
        const options = { callbacks, tags: ["caller"], metadata: { caller: 1 } };
        const reading = async () => readEagerly(stage, await run(chain, given, options));
        await stage.journal.outcome("reader", way, reading());
      },
    })),
  ),
);

const others: Scenario[] = [
  {
    name: "two models beside one another",
    serve: echo,
    ordered: false,
    async run(stage) {
      // One handler each, so that each one's order is its own.
      const one = stage.model({ callbacks: [recording(stage.journal, "one", { awaitHandlers: true })] });
      const two = stage.model({ callbacks: [recording(stage.journal, "two", { awaitHandlers: true })] });
      const pieces = { one: [] as unknown[], two: [] as unknown[] };
      for await (const piece of await RunnableMap.from({ one, two }).stream("Capital?")) {
        for (const [side, chunk] of Object.entries(piece)) pieces[side as keyof typeof pieces].push(chunk);
      }
      stage.journal.note("reader of one", "pieces", pieces.one);
      stage.journal.note("reader of two", "pieces", pieces.two);
    },
  },
  {
    name: "a batch of a model that streams anyway",
    serve: echo,
    ordered: false,
    async run(stage) {
      const answers = await stage.model({ streaming: true, maxConcurrency: 1 }).batch(["a", "b", "c"]);
      stage.journal.note(
        "reader",
        "answers",
        answers.map((answer) => answer.text),
      );
    },
  },
  {
    name: "streams of a model that takes turns",
    serve: echo,
    async run(stage) {
      const model = stage.model({ maxConcurrency: 1 });
      for (const question of ["a", "b"]) await readCalmly(stage, await model.stream(question));
    },
  },
  {
    name: "events of the model itself, v3",
    serve: whole(healthy),
    async run(stage) {
      await readCalmly(stage, stage.model().streamEvents([new HumanMessage("Capital?")]));
    },
  },
  {
    name: "events of a chain, as bytes",
    serve: whole(words(2)),
    ordered: false,
    async run(stage) {
      const chain = prompt.pipe(stage.model()).pipe(new StringOutputParser());
      const bytes = chain.streamEvents(input, { version: "v2", encoding: "text/event-stream" });
      const text = await new Response(bytes as IterableReadableStream<Uint8Array>).text();
      stage.journal.note("reader", "text", text);
    },
  },
  {
    name: "only the events of models, by name and tag",
    serve: whole(words(2)),
    ordered: false,
    async run(stage) {
      const chain = prompt.pipe(stage.model({ tags: ["wanted"] })).pipe(new StringOutputParser());
      for (const filter of [
        { includeTypes: ["chat_model"] },
        { includeTags: ["wanted"] },
        { excludeNames: ["ChatSiliconFlow"] },
      ]) {
        await readCalmly(stage, chain.streamEvents(input, { version: "v2" }, filter));
      }
    },
  },
];

export const compositionScenarios: Scenario[] = [...composed, ...others];
