import { type ClientOptions, InvalidInputError, type RequestOptions } from "@langchain-siliconflow/client";
import { connectAdapter, nearest, type AdapterConnection, type ClientFor } from "@langchain-siliconflow/client/adapter";
import type { BaseChatModelParams } from "@langchain/core/language_models/chat_models";
import type { ModelProfile } from "@langchain/core/language_models/profile";
import { checkReasoningHistory, type SamplingOptions, type ToolChoiceWhileThinking } from "./call-options.js";
import { checkConfigurableFields, type ConfigurableField } from "./configurable.js";
import type { ReasoningHistory } from "./reasoning.js";

/** Options of {@link ChatSiliconFlow}: its own, the client's, and the habits of ChatOpenAI. */
export interface ChatSiliconFlowFields
  extends
    SamplingOptions,
    Omit<AdapterConnection<"chat">, "configuration">,
    Omit<BaseChatModelParams, "onFailedAttempt" | "maxRetries"> {
  /** Model id as the service lists it, e.g. `"Qwen/Qwen3-8B"`. Required, unless it is the first argument or `modelName`. */
  model?: string | undefined;
  /** Texts that end the answer, four at most. They are not part of it. */
  stop?: string | string[] | undefined;
  /** Whether `invoke` streams beneath the surface, so that callbacks see tokens. @defaultValue false */
  streaming?: boolean | undefined;
  /** Whether a stream asks for counts at its end. @defaultValue true */
  streamUsage?: boolean | undefined;
  /** When earlier thoughts are sent back. @defaultValue "auto" */
  reasoningHistory?: ReasoningHistory | undefined;
  /**
   * The endpoint that is asked: `"messages"` is the Anthropic-compatible one. It has no `enableThinking`, `n`, `seed` and the
   * like: an option it does not take is an error. @defaultValue "chat"
   */
  api?: "chat" | "messages" | undefined;
  /** What becomes of a forced tool while the model thinks. @defaultValue sent as asked for; `"auto"` in `withStructuredOutput` */
  toolChoiceWhileThinking?: ToolChoiceWhileThinking | undefined;
  /** Names that `config.configurable` of a call may set, e.g. `["model"]`. @defaultValue none */
  configurableFields?: ConfigurableField[] | undefined;
  /** Fields of the request that have no option here. Named options win over them. */
  modelKwargs?: Record<string, unknown> | undefined;
  /** What the model can do, where the built-in table is wrong or silent. Merged over the table's entry. */
  profile?: ModelProfile | undefined;
  /** Marks tools as strict unless the call says otherwise. Not documented by the service. */
  supportsStrictToolCalling?: boolean | undefined;

  /** ChatOpenAI's name for {@link model}. */
  modelName?: string | undefined;
  /** ChatOpenAI's name for {@link stop}. */
  stopSequences?: string[] | undefined;
  /** ChatOpenAI's name for {@link maxTokens}. */
  maxCompletionTokens?: number | undefined;
  /** Milliseconds until an answer begins: ChatOpenAI's name for `timeouts.firstByteMs`. */
  timeout?: number | undefined;
  /** Probabilities of the tokens, in `response_metadata.logprobs`. Not documented by the service. */
  logprobs?: boolean | undefined;
  /** How many of the likeliest tokens `logprobs` names at each place. Not documented by the service. */
  topLogprobs?: number | undefined;
  /** Token id → what is added to its likelihood. Not documented by the service. */
  logitBias?: Record<string, number> | undefined;
  /** Your own name for the end user. Not documented by the service. */
  user?: string | undefined;
  /** ChatOpenAI's place for the client's options. Those of the same meaning beside it win. */
  configuration?:
    | (AdapterConnection<"chat">["configuration"] & {
        timeout?: number | undefined;
        maxRetries?: number | undefined;
      })
    | undefined;
}

/** The same options, read, checked and told apart by whom they concern. */
export interface ReadFields {
  client: ClientFor<"chat">;
  /** Added to each request, where the client is shared. */
  requestOptions: RequestOptions;
  /** As they were given. */
  fields: ChatSiliconFlowFields;
  /** What LangChain's classes may know, which is what can be written out: no key, no header, no client. */
  forBase: ChatSiliconFlowFields & { model: string };
}

const clientOptions = [
  "apiKey",
  "baseURL",
  "region",
  "headers",
  "timeouts",
  "maxRetries",
  "limiter",
  "dispatcher",
  "maxResponseBytes",
  "onRetry",
  "onWait",
] as const satisfies (keyof ClientOptions)[];

/** What each option must be. `any`: checked by whoever uses it. */
const options = {
  string: "model modelName user reasoningEffort reasoningHistory toolChoiceWhileThinking api",
  number:
    "temperature topP topK minP frequencyPenalty presencePenalty maxTokens maxCompletionTokens n seed thinkingBudget " +
    "timeout topLogprobs maxConcurrency",
  boolean: "enableThinking streaming streamUsage logprobs disableStreaming verbose supportsStrictToolCalling",
  object: "client modelKwargs profile configuration logitBias metadata",
  any: `${clientOptions.join(" ")} stop stopSequences configurableFields cache callbacks callbackManager tags outputVersion`,
};

const types = new Map<string, keyof typeof options>();
for (const type of ["string", "number", "boolean", "object", "any"] as const) {
  for (const name of options[type].split(" ")) types.set(name, type);
}

/** Options of ChatOpenAI, and of the wire, that mean nothing here: each with what to do instead. */
const replacements: Record<string, string> = {
  useResponsesApi: "SiliconFlow has no Responses API: leave it out.",
  openAIApiKey: "Use apiKey.",
  organization: "SiliconFlow keys belong to one account: leave it out.",
  reasoning: "Use enableThinking, thinkingBudget or reasoningEffort.",
  onFailedAttempt: "The client retries: use maxRetries, and onRetry to watch it.",
  fetch: "Pass client: new SiliconFlowClient({ fetch }) from @langchain-siliconflow/client/fetch.",
  dangerouslyAllowBrowser: "Leave it out.",
  httpAgent: "Use dispatcher, or the environment variable HTTPS_PROXY.",
  fetchOptions: "Use dispatcher, or the environment variable HTTPS_PROXY.",
  defaultHeaders: "Use headers.",
  defaultQuery: "SiliconFlow takes no query: leave it out.",
  basePath: "Use baseURL.",
  stream: "Use streaming.",
  stream_options: "Use streamUsage.",
  thinking: "Use enableThinking, thinkingBudget or reasoningEffort.",
  tools: "Use bindTools, or give them per call.",
  tool_choice: "Give it to bindTools, or per call.",
  response_format: "Use withStructuredOutput, or give it per call.",
  extra_body: "Use modelKwargs.",
  extraBody: "Use modelKwargs.",
};

/** @throws {@link InvalidInputError} for an option that is unknown or of the wrong type. */
export function readFields(
  modelOrFields: string | ChatSiliconFlowFields | undefined,
  rest: ChatSiliconFlowFields | undefined,
): ReadFields {
  const fields = withoutPrototype(
    typeof modelOrFields === "string" ? { ...rest, model: modelOrFields } : modelOrFields,
  );
  checkFields(fields);
  const { timeout: timeoutThere, maxRetries: retriesThere, ...more } = withoutPrototype(fields.configuration);
  const configuration = withoutPrototype(more);
  const { timeout = timeoutThere, maxRetries = retriesThere } = fields;
  checkConfiguration(configuration);

  const model = fields.model ?? fields.modelName;
  if (!model) throw new InvalidInputError('ChatSiliconFlow needs a model, for example { model: "Qwen/Qwen3-8B" }.');
  const stop = fields.stopSequences ?? fields.stop;
  const timeouts = timeout === undefined ? fields.timeouts : { firstByteMs: timeout, ...fields.timeouts };
  const headers = fromHeaders(fields.headers);
  const { client, requestOptions } = connectAdapter("chat", {
    ...fields,
    headers,
    timeouts,
    maxRetries,
    configuration,
  });
  const baseURL = fields.baseURL ?? configuration.baseURL ?? undefined;

  // The model first, by whatever name it came: what is written out must not depend on that.
  const { model: _, ...others } = fields;
  const forBase: ChatSiliconFlowFields & { model: string } = { model, ...others };
  for (const name of [...clientOptions, ...aliases]) delete forBase[name];
  const maxTokens = fields.maxCompletionTokens ?? fields.maxTokens;
  Object.assign(forBase, {
    ...(stop !== undefined && { stop: typeof stop === "string" ? [stop] : stop }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxRetries !== undefined && { maxRetries }),
    ...(timeouts !== undefined && { timeouts }),
    ...(fields.region !== undefined && { region: fields.region }),
    // The address of a shared client is all that is left of it when the model is written out.
    ...(fields.client !== undefined ? { baseURL: client.baseURL } : baseURL !== undefined && { baseURL }),
  });
  return { client, requestOptions, fields, forBase };
}

/** Another library may have left an address on `Object.prototype`, where the key would be sent. */
export function withoutPrototype<T extends object>(given: T | undefined): T {
  return Object.assign(Object.create(null) as T, given);
}

/** Names that stand for others, and what was read into a client. */
const aliases = ["client", "configuration", "modelName", "stopSequences", "maxCompletionTokens", "timeout"] as const;

function checkFields(fields: object): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const expected = types.get(name);
    // What it asks for is what happens anyway; configurations for OpenAI-compatible hosts often say so.
    if (name === "useResponsesApi" && value === false) continue;
    if (expected === undefined) throw unknownOption(name);
    if (expected === "any") continue;
    const endless = name === "maxConcurrency" && value === Infinity;
    // null is how some configurations say "not set", but it would be sent, or shadow an environment variable.
    if (value === null || typeof value !== expected || (expected === "number" && !Number.isFinite(value) && !endless)) {
      throw new InvalidInputError(`The option ${name} of ChatSiliconFlow must be ${article[expected]}.`);
    }
  }
  const { stop, stopSequences, reasoningHistory, modelKwargs, maxConcurrency, api } = fields as ChatSiliconFlowFields;
  for (const texts of [stop, stopSequences]) {
    if (texts === undefined || typeof texts === "string") continue;
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
      throw new InvalidInputError("The option stop of ChatSiliconFlow must be a string or a list of strings.");
    }
  }
  checkReasoningHistory(reasoningHistory);
  if (maxConcurrency !== undefined && maxConcurrency < 1) {
    throw new InvalidInputError("The option maxConcurrency of ChatSiliconFlow must be 1 or more.");
  }
  if (api !== undefined && api !== "chat" && api !== "messages") {
    throw new InvalidInputError('The option api of ChatSiliconFlow must be "chat" or "messages".');
  }
  const { toolChoiceWhileThinking, configurableFields } = fields as ChatSiliconFlowFields;
  if (toolChoiceWhileThinking !== undefined && !["auto", "forced"].includes(toolChoiceWhileThinking)) {
    throw new InvalidInputError('The option toolChoiceWhileThinking of ChatSiliconFlow must be "auto" or "forced".');
  }
  checkConfigurableFields(configurableFields);
  for (const name of ["messages", "model", "stream"]) {
    if (modelKwargs?.[name] !== undefined) {
      throw new InvalidInputError(`modelKwargs cannot set "${name}": it is set by how the model is made and called.`);
    }
  }
}

const article = { string: "a string", number: "a finite number", boolean: "true or false", object: "an object" };

function unknownOption(name: string): InvalidInputError {
  const camelCase = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const advice =
    replacements[name] ?? (types.has(camelCase) ? `Use ${camelCase}.` : adviceFor(name, [...types.keys()]));
  return new InvalidInputError(`ChatSiliconFlow has no option "${name}". ${advice}`);
}

/** A slip of the pen, or a field of the request that has no option: nobody can tell. */
export function adviceFor(name: string, options: string[]): string {
  const [meant] = nearest(name, options);
  const fields = "Fields of the request that have no option go into modelKwargs.";
  return meant === undefined ? fields : `Did you mean ${meant}? ${fields}`;
}

const configurationNames = new Set(["baseURL", "defaultHeaders", "apiKey"]);

function checkConfiguration(configuration: object): void {
  for (const [name, value] of Object.entries(configuration)) {
    if (value === undefined || configurationNames.has(name)) continue;
    const advice = replacements[name] ?? "It takes baseURL, defaultHeaders, apiKey, timeout and maxRetries.";
    throw new InvalidInputError(`ChatSiliconFlow has no option "configuration.${name}". ${advice}`);
  }
}

/** A `Headers` object has nothing to spread: it would vanish without a word. */
function fromHeaders(given: ClientOptions["headers"]): ClientOptions["headers"] {
  return given instanceof Headers ? Object.fromEntries(given.entries()) : given;
}
