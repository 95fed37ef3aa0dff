import { inspect } from "node:util";
import { InMemoryCache } from "@langchain/core/caches";
import type { Generation } from "@langchain/core/outputs";
import type { Reply } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { brief, defect, sentinelKey, whenAnswered, type Defect } from "./scenario.ts";

const answered: Reply = { body: wire.completion({ content: "A" }) };
const group = "secrets and environment";

/** Keeps what it is asked for. */
class Keys extends InMemoryCache {
  readonly seen: string[] = [];
  override lookup(prompt: string, key: string): Promise<Generation[] | null> {
    this.seen.push(prompt, key);
    return super.lookup(prompt, key);
  }
}

const withoutKey = (place: string) =>
  whenAnswered<string>((text) => (text.includes(sentinelKey) ? `key in ${place}` : undefined));

export const secretDefects: readonly Defect[] = [
  defect({
    group,
    name: "the cache key is free of the API key",
    replies: [answered],
    async call({ model }) {
      const cache = new Keys();
      await model({ cache }).invoke("Well?");
      return cache.seen.join("\n");
    },
    judge: withoutKey("cache key"),
  }),
  defect({
    group,
    name: "JSON is free of the key",
    replies: [answered],
    call: ({ model }) => JSON.stringify(model()),
    judge: withoutKey("JSON"),
  }),
  defect({
    group,
    name: "inspect() is free of the key",
    replies: [answered],
    call: ({ model }) => inspect(model(), { depth: 8 }),
    judge: withoutKey("inspect"),
  }),
  defect({
    group,
    name: "inspect() of an error is free of the key",
    replies: [{ status: 401, body: JSON.stringify("Invalid token") }],
    call: async ({ model }) =>
      inspect(
        await model()
          .invoke("Well?")
          .catch((error: unknown) => error),
        { depth: 8 },
      ),
    judge: withoutKey("error"),
  }),
  defect({
    group,
    name: "what is written out names the model's own secret",
    replies: [answered],
    call: ({ model }) => JSON.stringify(model()),
    judge: whenAnswered<string>((text, { peer }) => {
      const named = [...text.matchAll(/"type":"secret","id":\["([A-Z_]+)"\]/g)].map(([, name]) => name);
      const foreign = named.find((name) => name !== peer.keyName);
      return foreign === undefined ? undefined : `names ${foreign}`;
    }),
  }),
  defect({
    group,
    name: "OPENAI_API_KEY is not sent to another host",
    replies: [answered],
    env: { OPENAI_API_KEY: "sk-of-openai" },
    async call({ model, server }) {
      try {
        await model({ key: "none" }).invoke("Well?");
      } catch {
        // Refused for want of a key, as it should be.
      }
      return server.requests[0]?.headers.authorization ?? "";
    },
    judge: whenAnswered<string>((header) => (header.includes("sk-of-openai") ? "sent" : undefined)),
  }),
  defect({
    group,
    name: "OPENAI_ORGANIZATION and OPENAI_PROJECT_ID are not sent to another host",
    replies: [answered],
    env: { OPENAI_ORGANIZATION: "org-poison", OPENAI_ORG_ID: "org-poison", OPENAI_PROJECT_ID: "proj-poison" },
    async call({ model, server }) {
      await model().invoke("Well?");
      return Object.entries(server.requests[0]!.headers)
        .filter(([, value]) => String(value).includes("poison"))
        .map(([name]) => name);
    },
    judge: whenAnswered<string[]>((names) => (names.length === 0 ? undefined : `sent: ${names.join(", ")}`)),
  }),
  defect({
    group,
    name: "traces name the provider that the model is for",
    replies: [answered],
    call: ({ model }) => String(model().getLsParams({} as never).ls_provider),
    judge: whenAnswered<string>((provider, { peer }) =>
      peer.name.toLowerCase() === `chat${provider}`.toLowerCase() ? undefined : `ls_provider "${brief(provider)}"`,
    ),
  }),
];
