import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatDeepSeek } from "@langchain/deepseek";
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { ChatOpenRouter } from "@langchain/openrouter";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import type { Ask, Seen, Setup, Subject } from "../faults/case.ts";
import { ours, seenIn } from "../faults/ours.ts";

const chat = "Qwen/Qwen3-8B";
const fill = "Qwen/Qwen3-Coder-30B-A3B-Instruct";
const embedding = "BAAI/bge-m3";
const texts = (ask: Ask | undefined): string[] => [...(ask?.texts ?? ["one", "two"])];

/** The limit of time for hosts that fall silent, where a library has one for each request. */
const quietMs = 900;

/** LangChain's OpenAI classes take the same options for everything. */
const openAI = ({ url, apiKey, maxRetries, quiet }: Setup) => ({
  apiKey,
  maxRetries,
  configuration: { baseURL: url },
  ...(quiet && { timeout: quietMs }),
});

/** A subject that is one of LangChain's chat models. `perCall` are options of each call. */
function chatModel(
  name: string,
  make: (setup: Setup) => BaseChatModel,
  others: Subject["make"] = {},
  perCall: (setup: Setup) => object = () => ({}),
): Subject {
  const message = ({ image }: Ask = {}): [{ role: "user"; content: never }] => [
    // The types of a message's parts are narrower than what an application may hand over.
    { role: "user", content: (image ? [{ type: "image_url", image_url: { url: image } }] : "Hello") as never },
  ];
  return {
    name,
    ours: false,
    make: {
      invoke(setup) {
        const model = make(setup);
        return async (ask) => seenIn(await model.invoke(message(ask), perCall(setup)));
      },
      stream(setup) {
        const model = make(setup);
        return async (ask) => {
          let whole: AIMessageChunk | undefined;
          for await (const chunk of await model.stream(message(ask), perCall(setup)))
            whole = whole ? whole.concat(chunk) : chunk;
          return whole ? seenIn(whole) : { text: "" };
        };
      },
      ...others,
    },
    read(setup) {
      const model = make(setup);
      return async function* (signal) {
        for await (const chunk of await model.stream(message(), { ...perCall(setup), ...(signal && { signal }) }))
          if (chunk.text) yield chunk.text;
      };
    },
  };
}

const openai = chatModel(
  "@langchain/openai",
  (setup) => new ChatOpenAI({ model: chat, ...openAI(setup) }) as BaseChatModel,
  {
    complete(setup) {
      const model = new OpenAI({ model: fill, ...openAI(setup) });
      return async () => ({ text: await model.invoke("Hello") });
    },
    completeStream(setup) {
      const model = new OpenAI({ model: fill, streaming: true, ...openAI(setup) });
      return async () => {
        const [[generation] = []] = (await model.generate(["Hello"])).generations;
        return { text: generation!.text, finishReason: generation!.generationInfo?.["finish_reason"] as string };
      };
    },
    embed(setup) {
      const embeddings = new OpenAIEmbeddings({ model: embedding, batchSize: 32, ...openAI(setup) });
      return async (ask) => ({ vectors: await embeddings.embedDocuments(texts(ask)) });
    },
  },
);

const deepseek = chatModel(
  "@langchain/deepseek",
  (setup) => new ChatDeepSeek({ model: chat, ...openAI(setup) }) as BaseChatModel,
);

const openrouter = chatModel(
  "@langchain/openrouter",
  ({ url, apiKey, maxRetries }) =>
    new ChatOpenRouter({ model: chat, baseURL: url, apiKey, maxRetries }) as BaseChatModel,
  {},
  // It has no limit of its own; LangChain's ends the whole call.
  ({ quiet }) => (quiet ? { timeout: 3 * quietMs } : {}),
);

/** The names under which the cases know what the AI SDK calls otherwise. */
const kinds: Record<string, string> = { "tool-call": "tool_call" };

interface Part {
  type: string;
  toolName?: string;
  input?: unknown;
  invalid?: boolean | undefined;
}

interface Usage {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  totalTokens: number | undefined;
}

function sdkSeen(
  text: string,
  reasoning: string | undefined,
  content: readonly Part[],
  reason: string | undefined,
  usage: Usage,
): Seen {
  const calls = content.filter(({ type }) => type === "tool-call");
  const { inputTokens, outputTokens, totalTokens } = usage;
  return {
    text,
    blocks: content.map(({ type }) => kinds[type] ?? type),
    toolCalls: calls
      .filter(({ invalid }) => !invalid)
      .map(({ toolName = "", input }) => ({ name: toolName, args: input as Record<string, unknown> })),
    invalidToolCalls: calls.filter(({ invalid }) => invalid).map(({ toolName = "" }) => toolName),
    ...(reason !== undefined && { finishReason: reason }),
    ...(reasoning && { reasoning }),
    ...(totalTokens !== undefined && {
      usage: { input_tokens: inputTokens ?? 0, output_tokens: outputTokens ?? 0, total_tokens: totalTokens },
    }),
  };
}

/** It knows no call of a tool that it was not given. None is run. */
const anything = tool({ inputSchema: jsonSchema<Record<string, unknown>>({ type: "object" }) });
const tools = { weather: anything, time: anything, now: anything };

const provider = ({ url, apiKey }: Setup) =>
  createOpenAICompatible({ name: "siliconflow", baseURL: url, apiKey, includeUsage: true });

function sdkRequest(setup: Setup, ask: Ask | undefined) {
  const image = ask?.image;
  const content = image
    ? [{ type: "file" as const, mediaType: "image/*", data: new URL(image) }]
    : [{ type: "text" as const, text: "Hello" }];
  return { messages: [{ role: "user" as const, content }], maxRetries: setup.maxRetries, tools };
}

type Model = Parameters<typeof generateText>[0]["model"];

async function generated(model: Model, setup: Setup, ask: Ask | undefined): Promise<Seen> {
  const timeout = setup.quiet ? { timeout: { totalMs: 3 * quietMs } } : {};
  const result = await generateText({ model, ...sdkRequest(setup, ask), ...timeout });
  const { text, reasoningText, content, rawFinishReason, finishReason, usage } = result;
  return sdkSeen(text, reasoningText, content, rawFinishReason ?? finishReason, usage);
}

function begun(model: Model, setup: Setup, ask: Ask | undefined, signal?: AbortSignal) {
  const timeout = setup.quiet ? { timeout: { totalMs: 3 * quietMs, firstChunkMs: quietMs, chunkMs: quietMs } } : {};
  const abort = signal ? { abortSignal: signal } : {};
  // Errors are parts of the stream; by default they are printed as well.
  return streamText({ model, ...sdkRequest(setup, ask), ...timeout, ...abort, onError: () => {} });
}

async function streamed(model: Model, setup: Setup, ask: Ask | undefined): Promise<Seen> {
  const result = begun(model, setup, ask);
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "abort") throw new Error(`aborted: ${part.reason ?? ""}`);
  }
  const [text, reasoning, content, raw, reason, usage] = await Promise.all([
    result.text,
    result.reasoningText,
    result.content,
    result.rawFinishReason,
    result.finishReason,
    result.usage,
  ]);
  // Whoever looks at the reason sees that something was wrong.
  if (reason === "error") throw new Error("finishReason: error");
  return sdkSeen(text, reasoning, content, raw ?? reason, usage);
}

const aiSdk: Subject = {
  name: "@ai-sdk/openai-compatible",
  ours: false,
  make: {
    invoke(setup) {
      const model = provider(setup).chatModel(chat);
      return (ask) => generated(model, setup, ask);
    },
    stream(setup) {
      const model = provider(setup).chatModel(chat);
      return (ask) => streamed(model, setup, ask);
    },
    complete(setup) {
      const model = provider(setup).completionModel(fill);
      return (ask) => generated(model, setup, ask);
    },
    completeStream(setup) {
      const model = provider(setup).completionModel(fill);
      return (ask) => streamed(model, setup, ask);
    },
    embed(setup) {
      const model = provider(setup).embeddingModel(embedding);
      return async (ask) => {
        const limit = setup.quiet ? { abortSignal: AbortSignal.timeout(3 * quietMs) } : {};
        const { embeddings } = await embedMany({ model, values: texts(ask), maxRetries: setup.maxRetries, ...limit });
        return { vectors: embeddings };
      };
    },
  },
  read(setup) {
    const model = provider(setup).chatModel(chat);
    return async function* (signal) {
      for await (const part of begun(model, setup, undefined, signal).fullStream) {
        if (part.type === "text-delta") yield part.text;
        if (part.type === "error") throw part.error;
        if (part.type === "abort") throw new Error("aborted");
      }
    };
  },
};

/** The columns of the table, ours first. */
export const subjects: readonly Subject[] = [ours, openai, deepseek, openrouter, aiSdk];
