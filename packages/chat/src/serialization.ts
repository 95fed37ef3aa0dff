import type { Serialized } from "@langchain/core/load/serializable";

/** The environment variable, and the name under which `load()` is given the key. */
const secretName = "SILICONFLOW_API_KEY";

/** Fields that hold a secret, which is written out by its name. */
export const secrets = Object.freeze({ apiKey: secretName });

/** Core writes `baseURL` as `base_url` and would read that back as `baseUrl`. */
export const aliases = Object.freeze({ baseURL: "base_url" });

/** Constructor options that are written out. No headers, no client, no callbacks: they hold secrets or functions. */
export const serializableFields: string[] = [
  "model",
  "temperature",
  "topP",
  "topK",
  "minP",
  "frequencyPenalty",
  "presencePenalty",
  "maxTokens",
  "stop",
  "n",
  "seed",
  "logprobs",
  "topLogprobs",
  "logitBias",
  "user",
  "enableThinking",
  "thinkingBudget",
  "reasoningEffort",
  "reasoningHistory",
  "api",
  "toolChoiceWhileThinking",
  "configurableFields",
  "modelKwargs",
  "profile",
  "streaming",
  "streamUsage",
  "disableStreaming",
  "outputVersion",
  "supportsStrictToolCalling",
  "maxConcurrency",
  "maxRetries",
  "timeouts",
  "baseURL",
  "region",
  "verbose",
  "tags",
  "metadata",
];

/**
 * What the base class wrote out, with our secret in place of OpenAI's: core lets the base class win where both name a secret,
 * so that ours would be looked up as `OPENAI_API_KEY` when it is loaded.
 */
export function withOwnSecret(json: Serialized): Serialized {
  if (json.type !== "constructor") return json;
  const kwargs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json.kwargs)) {
    if (name === "openai_api_key" || name === "organization" || value === undefined) continue;
    kwargs[name] = value;
  }
  kwargs["api_key"] = { lc: 1, type: "secret", id: [secretName] };
  return { ...json, kwargs };
}

/** Call options that do not change the answer, or may hold a secret: neither cached by nor traced. */
const privateOptions = ["headers", "options", "signal", "timeouts", "maxRetries"];

/** Call options fit for a cache key or a trace. */
export function withoutPrivateOptions<T extends object>(options: T): T {
  const shown: T = { ...options };
  for (const name of privateOptions) Reflect.deleteProperty(shown, name);
  // What the packages hand themselves past the base class.
  for (const symbol of Object.getOwnPropertySymbols(shown)) Reflect.deleteProperty(shown, symbol);
  return shown;
}
