import { InvalidInputError } from "@langchain-siliconflow/client";

/** What `config.configurable` can set: the kind of value each must be. */
const kinds = {
  model: "string",
  temperature: "number",
  topP: "number",
  topK: "number",
  minP: "number",
  frequencyPenalty: "number",
  presencePenalty: "number",
  maxTokens: "number",
  seed: "number",
  enableThinking: "boolean",
  thinkingBudget: "number",
  reasoningEffort: "string",
} as const;

/** Options that can be left to the configuration of a run. */
export type ConfigurableField = keyof typeof kinds;

/** @throws {@link InvalidInputError} for a list with anything else in it. */
export function checkConfigurableFields(fields: unknown): void {
  if (fields === undefined) return;
  if (Array.isArray(fields) && fields.every((name) => typeof name === "string" && Object.hasOwn(kinds, name))) return;
  throw new InvalidInputError(
    `The option configurableFields of ChatSiliconFlow must be a list of these: ${Object.keys(kinds).join(", ")}.`,
  );
}

/**
 * The options of a call that come from the configuration of its run. That may be written by whoever calls a server, so only
 * names that were allowed are read, and only values of the right kind.
 *
 * @throws {@link InvalidInputError} for a value of the wrong kind.
 */
export function configuredOptions(
  fields: readonly ConfigurableField[] | undefined,
  configurable: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  if (fields === undefined || configurable === undefined) return options;
  for (const name of fields) {
    const value = Object.hasOwn(configurable, name) ? configurable[name] : undefined;
    if (value === undefined) continue;
    if (typeof value !== kinds[name]) {
      throw new InvalidInputError(`configurable.${name} must be a ${kinds[name]}.`);
    }
    options[name] = value;
  }
  return options;
}
