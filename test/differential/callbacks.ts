import { CallbackManager } from "@langchain/core/callbacks/manager";
import { RunnableLambda } from "@langchain/core/runnables";
import { failing, streams, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { givenRunId as runId } from "./plain.js";
import { ask, readCalmly, type Fields, type Options } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";

const serve = whole(words(3));

interface Setting {
  options?: Options;
  fields?: Fields;
}

/** Who is told, and how: settings of a model and its call. */
const settings: Record<string, (stage: Stage) => Setting> = {
  "no handler": () => ({}),
  "a handler of the call": ({ journal }) => ({ options: { callbacks: [recording(journal, "one")] } }),
  "a handler of the model": ({ journal }) => ({ fields: { callbacks: [recording(journal, "one")] } }),
  "handlers of both": ({ journal }) => ({
    fields: { callbacks: [recording(journal, "of the model", { awaitHandlers: true })] },
    options: { callbacks: [recording(journal, "of the call", { awaitHandlers: true })] },
  }),
  "one handler in both places": ({ journal }) => {
    const handler = recording(journal, "one", { awaitHandlers: true });
    return { fields: { callbacks: [handler] }, options: { callbacks: [handler] } };
  },
  "plain functions": ({ journal }) => ({
    options: {
      callbacks: [
        {
          handleLLMNewToken: (...call: unknown[]) => journal.noteWithin("functions", "token", ...call),
          handleLLMEnd: (...call: unknown[]) => journal.noteWithin("functions", "end", ...call),
        },
      ],
    },
  }),
  "a manager of callbacks": ({ journal }) => {
    const manager = new CallbackManager(runId);
    manager.addHandler(recording(journal, "inherited", { awaitHandlers: true }), true);
    manager.addHandler(recording(journal, "own", { awaitHandlers: true }), false);
    manager.addTags(["from-the-manager"]);
    manager.addMetadata({ from: "the manager" });
    return { options: { callbacks: manager } };
  },
  "a handler that is waited for": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { awaitHandlers: true })] },
  }),
  "a slow handler that is waited for": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { awaitHandlers: true, slow: 3 })] },
  }),
  "a slow handler that is not": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { awaitHandlers: false, slow: 3 })] },
  }),
  "a slow and a quick one": ({ journal }) => ({
    options: {
      callbacks: [
        recording(journal, "slow", { awaitHandlers: true, slow: 3 }),
        recording(journal, "quick", { awaitHandlers: true }),
        recording(journal, "behind", { awaitHandlers: false }),
      ],
    },
  }),
  "a handler that ignores models": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { ignoreLLM: true }), recording(journal, "two")] },
  }),
  "a handler that knows only texts": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { awaitHandlers: true, lacks: ["handleChatModelStart"] })] },
  }),
  "a handler that wants streams": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { prefers: { lc_prefer_streaming: true } })] },
  }),
  "a handler that wants events": ({ journal }) => ({
    options: { callbacks: [recording(journal, "one", { prefers: { lc_prefer_chat_model_stream_events: true } })] },
  }),
  "names, tags, metadata and an id": ({ journal }) => ({
    fields: { tags: ["model", "both"], metadata: { of: "model", model: 1 } },
    options: {
      callbacks: [recording(journal, "one", { awaitHandlers: true })],
      tags: ["call", "both"],
      metadata: { of: "call", call: 2 },
      runName: "asking",
      runId,
    },
  }),
  "options of the request": ({ journal }) => ({
    fields: { temperature: 0.5, maxTokens: 10, stop: ["\n"] },
    options: {
      callbacks: [recording(journal, "one", { awaitHandlers: true })],
      seed: 3,
      stop: ["."],
      headers: { "x-secret": "sk-of-the-test" },
      tools: [{ type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } }],
      configurable: { thread_id: "7", hidden: { deep: true } },
    },
  }),
  verbose: () => ({ fields: { verbose: true } }),
};

const told = (["a stream", "a model that streams anyway"] as const).flatMap((way) =>
  Object.entries(settings).map(([setting, make]): Scenario => ({
    name: `${setting}, ${way}`,
    serve: whole(streams["thoughts, then a fragmented call and one without arguments"]!),
    async run(stage) {
      const { options, fields } = make(stage);
      await ask(stage, options, { ...fields, ...(way !== "a stream" && { streaming: true }) });
    },
  })),
);

const awaited = ["false", "true"].map((background): Scenario => ({
  name: `callbacks in the background: ${background}, by the environment`,
  serve,
  async run(stage) {
    process.env["LANGCHAIN_CALLBACKS_BACKGROUND"] = background;
    try {
      await ask(stage, { callbacks: [recording(stage.journal, "one", { slow: 2 })] });
    } finally {
      delete process.env["LANGCHAIN_CALLBACKS_BACKGROUND"];
    }
  },
}));

const throwing = (["handleChatModelStart", "handleLLMNewToken", "handleLLMEnd", "handleLLMError"] as const).flatMap(
  (method) =>
    [true, false].map((raiseError): Scenario => ({
      name: `${method} throws, ${raiseError ? "and the call fails with it" : "and that is only printed"}`,
      serve: method === "handleLLMError" ? failing["an error after two words"]! : serve,
      async run(stage) {
        const one = recording(stage.journal, "one", { raiseError, throwsIn: [method] });
        const other = recording(stage.journal, "other", { awaitHandlers: true });
        await ask(stage, { callbacks: [one, other] });
      },
    })),
);

const failures = Object.entries(failing).flatMap(([failure, serve]) =>
  [true, false].map((awaitHandlers): Scenario => ({
    name: `${failure}, told to a handler that is ${awaitHandlers ? "" : "not "}waited for`,
    serve,
    run: (stage) => ask(stage, { callbacks: [recording(stage.journal, "one", { awaitHandlers, slow: 1 })] }),
  })),
);

const invoked = [{}, { lc_prefer_streaming: true }, { lc_prefer_chat_model_stream_events: true }].flatMap((prefers) =>
  [false, true].map((streaming): Scenario => ({
    name: `invoke${streaming ? " of a model that streams anyway" : ""}, told to a handler with ${JSON.stringify(prefers)}`,
    serve: (asked) =>
      asked.body.stream
        ? serve(asked)
        : asked.refuse(200, { id: "1", choices: [{ index: 0, message: { content: "Lima" }, finish_reason: "stop" }] }),
    async run(stage) {
      const handler = recording(stage.journal, "one", { awaitHandlers: true, prefers });
      const answer = stage.model({ streaming }).invoke("Capital?", { callbacks: [handler] });
      await stage.journal.outcome("reader", "invoke", answer);
    },
  })),
);

const inherited: Scenario = {
  name: "handlers, tags and metadata of a parent run",
  serve,
  async run(stage) {
    const chain = RunnableLambda.from(async (question: string, config: Options) => {
      const stream = await stage.model({ tags: ["child"], metadata: { child: 1 } }).stream(question, {
        ...config,
        runName: "the child",
      });
      await readCalmly(stage, stream);
      return "read";
    });
    const callbacks = [recording(stage.journal, "one", { awaitHandlers: true })];
    const options = { callbacks, tags: ["parent"], metadata: { parent: 1 }, runName: "the parent", runId };
    await stage.journal.outcome("caller", "chain", chain.invoke("Capital?", options));
  },
};

const patient: Scenario = {
  name: "nothing is sent before handlers have heard of it",
  serve,
  async run(stage) {
    const { journal } = stage;
    void stage.server.request(1).then(() => journal.note("server", "request"));
    await ask(stage, { callbacks: [recording(journal, "one", { awaitHandlers: true, slow: 100 })] });
  },
};

export const callbackScenarios: Scenario[] = [
  patient,
  ...told,
  ...awaited,
  ...throwing,
  ...failures,
  ...invoked,
  inherited,
];
