import type { AIMessageChunk } from "@langchain/core/messages";
import { streams, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { quiet } from "./journal.js";
import { readCalmly, type Fields, type Options } from "./reading.js";
import type { Scenario } from "./scenario.js";

const ways: { way: string; fields?: Fields; options?: Options }[] = [
  { way: "as it is" },
  { way: "in standard content blocks", fields: { outputVersion: "v1" } },
  { way: "in standard content blocks, as the call says", options: { outputVersion: "v1" } },
  { way: "by a model that streams anyway", fields: { streaming: true } },
  { way: "without counts", fields: { streamUsage: false } },
];

const read: Scenario[] = Object.entries(streams).flatMap(([answer, events]) =>
  ways.map(({ way, fields, options }) => ({
    name: `${answer}, ${way}`,
    serve: whole(events),
    async run(stage) {
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      const stream = await stage.model(fields).stream("Capital?", { ...options, callbacks: [handler] });
      await readCalmly(stage, stream);
    },
  })),
);

/** In one packet each, and only when the reader waits for it. */
const paced: Scenario[] = Object.entries(streams).map(([answer, events]) => ({
  name: `${answer}, event by event`,
  ordered: false,
  async run(stage) {
    const handler = recording(stage.journal, "handler", { awaitHandlers: true });
    const opening = stage.model().stream("Capital?", { callbacks: [handler] });
    const asked = await stage.server.request(1);
    for (const each of events) {
      asked.send(each);
      await quiet();
    }
    asked.end();
    await readCalmly(stage, await opening);
  },
}));

const plainAnswer = {
  id: "019c",
  model: "Qwen/Qwen3-8B",
  choices: [{ index: 0, message: { role: "assistant", content: "Lima" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
};

const otherwise: Scenario[] = [
  {
    name: "a model whose streaming is disabled answers in one piece",
    serve: (asked) => asked.refuse(200, plainAnswer),
    async run(stage) {
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      const model = stage.model({ disableStreaming: true });
      await readCalmly(stage, await model.stream("Capital?", { callbacks: [handler] }));
    },
  },
  {
    name: "an eager reader without a pause",
    serve: whole(words(30)),
    ordered: false,
    async run(stage) {
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      for await (const chunk of await stage.model().stream("Capital?", { callbacks: [handler] })) {
        stage.journal.note("reader", "chunk", chunk);
      }
    },
  },
  {
    name: "a reader who changes every chunk given",
    serve: whole(words(3)),
    async run(stage) {
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      for await (const chunk of await stage.model().stream("Capital?", { callbacks: [handler] })) {
        chunk.content = `${chunk.text}!`;
        chunk.response_metadata["mine"] = true;
        chunk.additional_kwargs["mine"] = [chunk.id];
        stage.journal.note("reader", "chunk", chunk);
        await quiet();
      }
    },
  },
  {
    name: "a reader who adds later chunks to the first one, in place",
    serve: whole(words(3)),
    async run(stage) {
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      let first: AIMessageChunk | undefined;
      for await (const chunk of await stage.model().stream("Capital?", { callbacks: [handler] })) {
        await quiet();
        if (first === undefined) first = chunk;
        else first.content = first.text + chunk.text;
        await quiet();
      }
      stage.journal.note("reader", "first", first);
    },
  },
  {
    name: "a model with a cache streams each time anew",
    serve: whole(words(2)),
    async run(stage) {
      const model = stage.model({ cache: true });
      for (const question of ["same", "same"]) await readCalmly(stage, await model.stream(question));
    },
  },
  ...(["messages", "a prompt value", "no message at all"] as const).map((input): Scenario => ({
    name: `input is ${input}`,
    serve: whole(words(1)),
    async run(stage) {
      const { HumanMessage, SystemMessage } = await import("@langchain/core/messages");
      const { ChatPromptTemplate } = await import("@langchain/core/prompts");
      const messages = [new SystemMessage("Be brief."), new HumanMessage("Capital?")];
      const prompt = await ChatPromptTemplate.fromMessages([["human", "{q}"]]).invoke({ q: "Capital?" });
      const given = input === "messages" ? messages : input === "a prompt value" ? prompt : [];
      const handler = recording(stage.journal, "handler", { awaitHandlers: true });
      const opening = stage.model().stream(given, { callbacks: [handler] });
      await stage.journal.outcome(
        "reader",
        "stream()",
        opening.then((stream) => readCalmly(stage, stream)),
      );
    },
  })),
];

export const chunkScenarios: Scenario[] = [...read, ...paced, ...otherwise];
