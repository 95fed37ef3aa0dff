import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import type { AIMessage, AIMessageChunk, UsageMetadata } from "@langchain/core/messages";
import {
  ChatSiliconFlow,
  SiliconFlow,
  SiliconFlowEmbeddings,
  SiliconFlowRerank,
  type BatchState,
} from "langchain-siliconflow";
import { Agent, type Dispatcher } from "undici";
import type { Ask, Seen, Setup, Subject } from "./case.ts";

const chat = "Qwen/Qwen3-8B";
const messagesModel = "zai-org/GLM-4.6";
const fill = "Qwen/Qwen3-Coder-30B-A3B-Instruct";

/** Limits short enough for a test, long enough for a busy machine. */
const shortLimits = { connectMs: 500, firstByteMs: 900, idleMs: 500 };

const limits = ({ apiKey, maxRetries, quiet, maxBytes }: Setup) => ({
  apiKey,
  maxRetries,
  ...(quiet && { timeouts: shortLimits }),
  ...(maxBytes !== undefined && { maxResponseBytes: maxBytes }),
});

const options = (setup: Setup) => ({
  ...limits(setup),
  ...(setup.site === undefined ? { baseURL: setup.url } : { region: setup.site, dispatcher: standingIn(setup.url) }),
});

/** Sends what is meant for the service to a server of the test. */
function standingIn(url: string): Dispatcher {
  const { origin } = new URL(url);
  return new Agent().compose((dispatch) => (asked, handler) => dispatch({ ...asked, origin }, handler));
}

function chatModel(setup: Setup, api: "chat" | "messages" = "chat"): ChatSiliconFlow {
  return new ChatSiliconFlow({ model: api === "chat" ? chat : messagesModel, api, ...options(setup) });
}

function overFetch(setup: Setup): ChatSiliconFlow {
  return new ChatSiliconFlow({ model: chat, client: new FetchClient({ ...limits(setup), baseURL: setup.url }) });
}

const question = ({ image }: Ask): string | [{ role: "user"; content: object[] }] =>
  image === undefined ? "Hello" : [{ role: "user", content: [{ type: "image_url", image_url: { url: image } }] }];

async function invoke(model: ChatSiliconFlow, ask: Ask = {}): Promise<Seen> {
  // The types of a message's parts are narrower than what an application may hand over.
  return seenIn(await model.invoke(question(ask) as string, ask));
}

async function stream(model: ChatSiliconFlow, ask: Ask = {}): Promise<Seen> {
  let joined: AIMessageChunk | undefined;
  for await (const chunk of await model.stream(question(ask) as string, ask))
    joined = joined ? joined.concat(chunk) : chunk;
  return seenIn(joined!);
}

const twoTexts = ["one", "two"];
const threeTexts = ["one", "two", "three"];

/** All of our adapters, and the client's list of models. */
export const ours: Subject = {
  name: "langchain-siliconflow",
  ours: true,
  make: {
    invoke(setup) {
      const model = chatModel(setup);
      return (ask) => invoke(model, ask);
    },
    stream(setup) {
      const model = chatModel(setup);
      return (ask) => stream(model, ask);
    },
    messages(setup) {
      const model = chatModel(setup, "messages");
      return (ask) => invoke(model, ask);
    },
    messagesStream(setup) {
      const model = chatModel(setup, "messages");
      return (ask) => stream(model, ask);
    },
    fetch(setup) {
      const model = overFetch(setup);
      return (ask) => invoke(model, ask);
    },
    fetchStream(setup) {
      const model = overFetch(setup);
      return (ask) => stream(model, ask);
    },
    complete(setup) {
      const model = new SiliconFlow({ model: fill, ...options(setup) });
      return async (ask) => ({ text: await model.invoke("Hello", ask) });
    },
    completeStream(setup) {
      const model = new SiliconFlow({ model: fill, streaming: true, ...options(setup) });
      return async (ask) => {
        const { generations } = await model.generate(["Hello"], ask);
        const { text, generationInfo } = generations[0]![0]!;
        return { text, finishReason: generationInfo?.["finish_reason"] as string };
      };
    },
    embed(setup) {
      const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", ...options(setup) });
      return async (ask) => ({ vectors: await embeddings.embedDocuments([...(ask?.texts ?? twoTexts)], ask) });
    },
    rerank(setup) {
      const reranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", ...options(setup) });
      return async (ask) => ({ ranking: await reranker.rerank(threeTexts, "which?", ask) });
    },
    models(setup) {
      const client = new SiliconFlowClient(options(setup));
      return async (ask) => ({ models: (await client.models.list({}, ask)).data.map(({ id }) => id) });
    },
    image(setup) {
      const client = new SiliconFlowClient(options(setup));
      const request = { model: "Kwai-Kolors/Kolors", prompt: "Hello", image_size: "1024x1024" };
      return async (ask) => ({ links: (await client.images.generate(request, ask)).images.map(({ url }) => url) });
    },
    speak(setup) {
      const client = new SiliconFlowClient(options(setup));
      const request = { model: "FunAudioLLM/CosyVoice2-0.5B", input: "Hello" };
      return async (ask) => ({ text: Buffer.from(await client.speech.create(request, ask)).toString("latin1") });
    },
    speakStream(setup) {
      const client = new SiliconFlowClient(options(setup));
      const request = { model: "FunAudioLLM/CosyVoice2-0.5B", input: "Hello" };
      return async (ask) => ({ text: await bytesOf(client.speech.stream(request, ask)) });
    },
    transcribe(setup) {
      const client = new SiliconFlowClient(options(setup));
      const request = { model: "TeleAI/TeleSpeechASR", file: new File(["ID3"], "hello.mp3") };
      return async (ask) => ({ text: (await client.transcriptions.create(request, ask)).text });
    },
    video(setup) {
      const client = new SiliconFlowClient(options(setup));
      return async (ask) => {
        const { results } = await client.videos.status("request-1", ask);
        return { links: (results?.videos ?? []).map(({ url }) => url) };
      };
    },
    submitVideo(setup) {
      const client = new SiliconFlowClient(options(setup));
      const request = { model: "Wan-AI/Wan2.2-T2V-A14B", prompt: "Hello", image_size: "1280x720" };
      return async (ask) => ({ links: [(await client.videos.submit(request, ask)).requestId] });
    },
    upload(setup) {
      const client = new SiliconFlowClient(options(setup));
      return async (ask) => ({
        links: [(await client.files.upload({ file: new File(["{}\n"], "lines.jsonl") }, ask)).id],
      });
    },
    batch(setup) {
      const client = new SiliconFlowClient(options(setup));
      return async (ask) => ({ links: [(await client.batches.get("batch_1", ask)).id] });
    },
    createBatch(setup) {
      const client = new SiliconFlowClient(options(setup));
      return async (ask) => ({ links: [(await client.batches.create({ input_file_id: "file-1" }, ask)).id] });
    },
    download(setup) {
      const client = new SiliconFlowClient(options(setup));
      const { maxBytes } = setup;
      // Where the service itself lies; of links to elsewhere there are cases of their own.
      const link = new URL("/outputs/1.mp3", setup.url);
      return async (ask) => {
        const { bytes } = await client.assets.download(link, { ...ask, ...(maxBytes !== undefined && { maxBytes }) });
        return { text: Buffer.from(bytes).toString("latin1") };
      };
    },
    viaBatch(setup) {
      const kept = new Map<string, string>();
      const state: BatchState = {
        get: async (key) => kept.get(key),
        set: async (key, value) => void kept.set(key, value),
      };
      const batched = chatModel(setup).viaBatch({ state, pollIntervalMs: 5 });
      return async (ask) => {
        const messages = await batched.batch([...(ask?.texts ?? threeTexts)]);
        return { texts: messages.map(({ text }) => text) };
      };
    },
  },
  read(setup) {
    const model = chatModel(setup);
    return async function* (signal) {
      for await (const chunk of await model.stream("Hello", signal && { signal })) if (chunk.text) yield chunk.text;
    };
  },
};

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

/** What any of LangChain's messages shows. */
export function seenIn(message: AIMessage | AIMessageChunk): Seen {
  const reasoning = message.additional_kwargs["reasoning_content"];
  // The union of both message types has no usage type of its own.
  const usage = message.usage_metadata as UsageMetadata | undefined;
  return {
    text: message.text,
    blocks: message.contentBlocks.map((block) => block.type),
    toolCalls: (message.tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    invalidToolCalls: (message.invalid_tool_calls ?? []).map(({ name }) => name ?? ""),
    finishReason: message.response_metadata["finish_reason"] as string,
    ...(typeof reasoning === "string" && { reasoning }),
    ...(usage && {
      usage: { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens, total_tokens: usage.total_tokens },
    }),
  };
}
