import { InvalidInputError, isSiliconFlowError, type SiliconFlowError } from "@langchain-siliconflow/client";
import { abortReason, connectionOptions } from "@langchain-siliconflow/client/adapter";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch/web";
import type { CallbackManagerForToolRun } from "@langchain/core/callbacks/manager";
import { ToolMessage } from "@langchain/core/messages";
import { patchConfig } from "@langchain/core/runnables";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import type { ArtifactStore } from "./artifact-store.js";
import { MemoryArtifactStore } from "./memory-artifact-store.js";

/** What every tool takes beside its own options and those of its connection. */
export interface MediaToolOptions {
  /** Where what is made is kept, and what was made is found. @defaultValue a {@link MemoryArtifactStore} of its own */
  store?: ArtifactStore | undefined;
  /** What the model calls it by. @defaultValue the tool's own: `"make_image"`, `"speak"`, `"transcribe"` or `"make_video"` */
  name?: string | undefined;
  /** What the model is told of it. @defaultValue the tool's own words */
  description?: string | undefined;
}

/** The names of options that every tool takes. */
export const commonOptions = { ...connectionOptions, model: true, store: true, name: true, description: true } as const;

/** The name of the custom events in which tools say how far they are: `{ tool, status, … }`. */
const progressEvent = "siliconflow_progress";

/** What LangChain hands to a tool's `_call` beside the arguments. */
export type CallContext = [manager?: CallbackManagerForToolRun, config?: ToolRunnableConfig];

/** One call of a tool, as its work sees it. */
export interface ToolRun {
  signal: AbortSignal | undefined;
  /** Tells callback handlers how far it is. Where nobody listens, it does nothing. */
  progress(status: string, facts?: object): Promise<void>;
}

/**
 * Does the work of one call. What fails is thrown to a program. A model's call gets a message that says what went wrong and what to
 * do: an exception would end an agent with middleware around its tools, and in others comes with the advice to fix one's mistakes,
 * whoever made them. Aborts and defects are thrown in any case.
 */
export async function runTool<T>(
  tool: string,
  [manager, config]: CallContext,
  work: (run: ToolRun) => Promise<[string, T]>,
): Promise<string> {
  const signal = config?.signal;
  const progress = async (status: string, facts: object = {}): Promise<void> => {
    if (manager === undefined) return;
    // A handler that fails takes nothing from what is being made.
    await dispatchCustomEvent(
      progressEvent,
      { tool, status, ...facts },
      patchConfig(config, { callbacks: manager.getChild() }),
    ).catch(() => {});
  };
  try {
    if (signal?.aborted) throw abortReason(signal);
    return taken(await work({ signal, progress }));
  } catch (error) {
    if (signal?.aborted) throw abortReason(signal);
    const id = config?.toolCall?.id;
    const content = id === undefined ? undefined : failure(tool, error);
    if (id === undefined || content === undefined) throw error;
    return taken([new ToolMessage({ content, tool_call_id: id, name: tool, status: "error" }), undefined]);
  }
}

/** What `content_and_artifact` asks for and LangChain's types do not know: it takes the pair apart, and callers get its first half. */
function taken(pair: [string | ToolMessage, unknown]): string {
  return pair as unknown as string;
}

/** What a model hears. Nothing of a defect. */
function failure(tool: string, error: unknown): string | undefined {
  if (isSiliconFlowError(error)) return `${tool} failed: ${error.message} ${advice(error)}`.trim();
  // Of a file system: a disk that is full, a folder that may not be written. Its message names paths, which are no model's business.
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof code !== "string" || typeof syscall !== "string") return undefined;
  return `${tool} failed: the file could not be kept or read (${code}). Do not call again; tell the user.`;
}

function advice({ name, retryable, reason }: SiliconFlowError): string {
  if (name === "InvalidInputError" || reason === "badRequest") return "Change the arguments and call again.";
  if (reason === "auth" || reason === "balance" || reason === "permission") return "Do not call again; tell the user.";
  return retryable ? "Call again later, or tell the user." : "";
}

/** @throws {@link InvalidInputError} for what is no store */
export function storeOf({ store }: MediaToolOptions): ArtifactStore {
  if (store === undefined) return new MemoryArtifactStore();
  if (typeof store?.save !== "function" || typeof store.read !== "function") {
    throw new InvalidInputError("store must be an ArtifactStore, such as a DirectoryArtifactStore.");
  }
  // A store of somebody's own that lacks them would have downloads without a limit, or from anywhere.
  if (!(typeof store.maxBytes === "number" && store.maxBytes > 0)) {
    throw new InvalidInputError("store.maxBytes must be a number above 0; Infinity for no limit.");
  }
  if (typeof store.allowPrivateNetwork !== "boolean") {
    throw new InvalidInputError("store.allowPrivateNetwork must be true or false; false unless you know its network.");
  }
  return store;
}
