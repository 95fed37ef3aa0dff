import type { BaseMessage } from "@langchain/core/messages";
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import type { ChatClass } from "./core-path.js";
import { whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { quiet, type Journal } from "./journal.js";
import { readCalmly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";

/** What users put in place of parts of the model; every path has to go through it. */
const changes: Record<string, (Chat: ChatClass, journal: Journal) => ChatClass> = {
  "_streamResponseChunks of its own": (Chat) =>
    class Own extends Chat {
      override async *_streamResponseChunks(
        ...[messages, , manager]: Parameters<InstanceType<ChatClass>["_streamResponseChunks"]>
      ): AsyncGenerator<ChatGenerationChunk> {
        for (const text of ["one", "two"]) {
          const message = new AIMessageChunk({ content: `${text} of ${messages.length}` });
          const generation = new ChatGenerationChunk({ text, message, generationInfo: { said: text } });
          yield generation;
          await manager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk: generation });
        }
      }
    },
  "_streamResponseChunks around ours": (Chat, journal) =>
    class Around extends Chat {
      override async *_streamResponseChunks(...call: Parameters<InstanceType<ChatClass>["_streamResponseChunks"]>) {
        journal.noteWithin("subclass", "begins", call[0], Object.keys(call[1]));
        try {
          for await (const chunk of super._streamResponseChunks(...call)) {
            journal.noteWithin("subclass", "chunk", chunk);
            if (!chunk.text.startsWith("w1")) yield chunk;
          }
          journal.note("subclass", "ends");
        } finally {
          journal.note("subclass", "cleans up");
        }
      }
    },
  "_streamIterator around ours": (Chat, journal) =>
    class Around extends Chat {
      override async *_streamIterator(...call: Parameters<InstanceType<ChatClass>["_streamIterator"]>) {
        journal.noteWithin("subclass", "begins", call[0], Object.keys(call[1] ?? {}));
        for await (const chunk of super._streamIterator(...call)) {
          journal.noteWithin("subclass", "chunk", chunk);
          yield chunk;
        }
      }
    },
  "completionWithRetry around ours": (Chat, journal) =>
    class Around extends Chat {
      // Overloads cannot be spread.
      override completionWithRetry(...call: never[]): never {
        journal.noteWithin("subclass", "asks", call[0]);
        return Reflect.apply(super.completionWithRetry, this, call) as never;
      }
    },
  "parameters for tracing of its own": (Chat) =>
    class Traced extends Chat {
      override getLsParams(options: never) {
        return { ...super.getLsParams(options), ls_provider: "mine" };
      }
      override invocationParams(...call: Parameters<InstanceType<ChatClass>["invocationParams"]>) {
        return { ...super.invocationParams(...call), seed: 9 };
      }
      override _llmType(): string {
        return "mine";
      }
      override getName(): string {
        return "Mine";
      }
    },
  "options of the call made in another way": (Chat) =>
    class Split extends Chat {
      override _separateRunnableConfigFromCallOptionsCompat(
        ...call: Parameters<InstanceType<ChatClass>["_separateRunnableConfigFromCallOptionsCompat"]>
      ) {
        const [config, options] = super._separateRunnableConfigFromCallOptionsCompat(...call);
        const split: ReturnType<InstanceType<ChatClass>["_separateRunnableConfigFromCallOptionsCompat"]> = [
          { ...config, tags: [...(config.tags ?? []), "split"], runName: "split" },
          { ...options, seed: 4 },
        ];
        return split;
      }
    },
  "written out in another way": (Chat) =>
    class Written extends Chat {
      override toJSON() {
        return { ...super.toJSON(), id: ["mine"] };
      }
    },
};

const changed = Object.entries(changes).flatMap(([change, make]) =>
  (["read to the end", "left", "with an empty list of handlers", "with no handlers"] as const).map(
    (reading): Scenario => ({
      name: `a subclass with ${change}, ${reading}`,
      serve: whole(words(4)),
      async run(stage) {
        const Changed = make(stage.Chat, stage.journal);
        const model = withClass(stage, Changed);
        const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
        const stream = await model.stream("Capital?", { callbacks });
        if (reading === "read to the end") return readCalmly(stage, stream);
        for await (const chunk of stream) {
          stage.journal.note("reader", "chunk", chunk);
          await quiet();
          break;
        }
        await quiet();
      },
    }),
  ),
);

function withClass(stage: Stage, Chat: ChatClass): InstanceType<ChatClass> {
  return new Chat({ model: "Qwen/Qwen3-8B", apiKey: "sk-of-the-test", baseURL: stage.server.url, maxRetries: 0 });
}

const replaced: Scenario[] = [
  {
    name: "a method replaced on one model",
    serve: whole(words(2)),
    async run(stage) {
      const model = stage.model();
      const ours = model._streamResponseChunks.bind(model);
      model._streamResponseChunks = async function* (messages: BaseMessage[], ...rest) {
        stage.journal.note("replacement", "begins", messages);
        yield* ours(messages, ...rest);
      };
      await readCalmly(stage, await model.stream("Capital?"));
    },
  },
  {
    name: "fields changed after the model was made",
    serve: whole(words(2)),
    async run(stage) {
      const model = stage.model();
      model.tags = ["later"];
      model.metadata = { later: true };
      model.callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
      model.outputVersion = "v1";
      await readCalmly(stage, await model.stream("Capital?"));
      model.disableStreaming = true;
      await stage.journal.outcome("reader", "in one piece", (async () => readCalmly(stage, await model.stream("?")))());
    },
  },
];

export const subclassScenarios: Scenario[] = [...changed, ...replaced];
