import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import { describe, expect, test } from "vitest";
import { failing, streams, whole } from "./answers.js";
import { CorePath, named, type ChatClass } from "./core-path.js";
import { recording } from "./handlers.js";
import type { Journal } from "./journal.js";
import { observe, type Scenario } from "./scenario.js";

type Events = Pick<ChatSiliconFlow, "_streamChatModelEvents">;
/** The class that ours builds on, whose events are those of core's own converter. */
const base = Object.getPrototypeOf(Object.getPrototypeOf(ChatSiliconFlow.prototype)) as Events;

/** Core's path for events as well, without what we set right in them. */
class CoreEvents extends CorePath {
  static {
    named(this);
  }

  override _streamChatModelEvents(...call: Parameters<Events["_streamChatModelEvents"]>) {
    return base._streamChatModelEvents.apply(this, call);
  }
}

/** What we set right: counts in full, how the answer ended, and calls that cannot be run. `views` compares those. */
function withoutRepairs(event: ChatModelStreamEvent): object {
  if (event.event === "usage") return { event: "usage" };
  if (event.event === "message-finish") return { event: "message-finish", end: true };
  if (event.event === "content-block-finish" && /tool_call/.test(event.content.type))
    return { ...event, content: "a call" };
  return event;
}

const noted = (journal: Journal, witness: string) => (event: ChatModelStreamEvent) =>
  journal.noteWithin(witness, event.event, withoutRepairs(event));

const answers = {
  ...Object.fromEntries(Object.entries(streams).map(([name, events]) => [name, whole(events)])),
  ...failing,
};

const ways: Record<string, Scenario["run"]> = {
  "read one by one": async ({ model, journal }) => {
    const reading = async () => {
      for await (const event of model().streamEvents("Capital?", { seed: 3 })) noted(journal, "reader")(event);
    };
    await journal.outcome("reader", "reading", reading());
  },
  "told to a handler of invoke": async ({ model, journal }) => {
    const handler = recording(journal, "handler", {
      awaitHandlers: true,
      lacks: ["handleChatModelStreamEvent", "handleLLMEnd"],
      prefers: { lc_prefer_chat_model_stream_events: true, handleChatModelStreamEvent: noted(journal, "handler") },
    });
    const text = model()
      .invoke("Capital?", { callbacks: [handler] })
      .then((message) => message.text);
    await journal.outcome("reader", "invoke", text);
  },
};

const scenarios = Object.entries(ways).flatMap(([way, run]) =>
  Object.entries(answers).map(([answer, serve]): Scenario => ({ name: `${answer}, ${way}`, serve, run })),
);

describe("events of v3 are those of core's converter, in the same order", () => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, CoreEvents);
    expect(await observe(scenario, ChatSiliconFlow)).toEqual(expected);
  });

  test.each(["loses one", "gives one twice", "changes a text"])("and a path that %s is found", async (defect) => {
    class Wrong extends CoreEvents {
      override async *_streamChatModelEvents(...call: Parameters<Events["_streamChatModelEvents"]>) {
        for await (const event of super._streamChatModelEvents(...call)) {
          if (event.event === "content-block-delta" && defect === "loses one") continue;
          yield defect === "changes a text"
            ? (JSON.parse(JSON.stringify(event).replace("w1", "w2")) as typeof event)
            : event;
          if (event.event === "content-block-start" && defect === "gives one twice") yield event;
        }
      }
    }
    const scenario = scenarios.find(({ name }) => name.startsWith("three words"));
    const shown = async (Chat: ChatClass) => JSON.stringify(await observe(scenario!, Chat));
    expect(await shown(Wrong)).not.toBe(await shown(CoreEvents));
  });
});
