import {
  BadRequestError,
  type ChatCompletionRequest,
  type ChatMessage,
  isSiliconFlowError,
} from "@langchain-siliconflow/client";
import type { ChunkSource } from "./repaired-stream.js";

/** "Json mode is not supported for this model." */
const jsonModeNotSupported = 20024;

/** Whether a refusal means that the model takes no `response_format`, and the request has one to leave out. */
function isAboutJsonMode(error: unknown, request: ChatCompletionRequest): boolean {
  const type = request.response_format?.type;
  if (type !== "json_object" && type !== "json_schema") return false;
  // By name: the error may come from another copy of the client.
  return (
    isSiliconFlowError(error) &&
    error.name === BadRequestError.prototype.name &&
    Number((error as { code?: unknown }).code) === jsonModeNotSupported
  );
}

/** The request without `response_format`. A schema that was in it is told in words, or the model would never see it. */
function withoutJsonMode({ response_format: format, ...request }: ChatCompletionRequest): ChatCompletionRequest {
  if (format?.type !== "json_schema") return request;
  const { schema } = (format as { json_schema?: { schema?: unknown } }).json_schema ?? {};
  const words = `Answer with JSON alone. It must fit this JSON Schema: ${JSON.stringify(schema ?? {})}`;
  const [first, ...rest] = request.messages;
  const messages: ChatMessage[] =
    first?.role === "system" && typeof first.content === "string"
      ? [{ ...first, content: `${first.content}\n\n${words}` }, ...rest]
      : [{ role: "system", content: words }, ...request.messages];
  return { ...request, messages };
}

/** Where it is written down that a field was left out, so that the answer can say so. */
interface Dropped {
  dropped?: string[] | undefined;
}

/**
 * Asks, and asks once more without `response_format` where the model has no JSON mode.
 *
 * @param end - Told what was left out.
 */
export function createWithFallback<T>(
  request: ChatCompletionRequest,
  end: Dropped | undefined,
  create: (request: ChatCompletionRequest) => Promise<T>,
): Promise<T> {
  // Nothing to leave out, so nothing stands between the caller and the answer.
  if (request.response_format === undefined) return create(request);
  return create(request).catch((error: unknown) => {
    if (!isAboutJsonMode(error, request)) throw error;
    if (end !== undefined) end.dropped = ["response_format"];
    return create(withoutJsonMode(request));
  });
}

/** The same for a stream: the refusal comes in place of the first chunk. */
export function streamWithFallback(
  request: ChatCompletionRequest,
  end: Dropped | undefined,
  open: (request: ChatCompletionRequest) => ChunkSource,
): ChunkSource {
  let stream = open(request);
  // Nothing to leave out, so nothing stands between the reader and the stream.
  if (request.response_format === undefined) return stream;
  let begun = false;
  return {
    get traceId() {
      return stream.traceId;
    },
    take: () => (begun ? stream.take?.() : undefined),
    wait: () => (begun ? stream.wait?.() : undefined),
    [Symbol.asyncIterator]() {
      let chunks = stream[Symbol.asyncIterator]();
      return {
        async next() {
          if (begun) return chunks.next();
          try {
            const first = await chunks.next();
            begun = true;
            return first;
          } catch (error) {
            begun = true;
            if (!isAboutJsonMode(error, request)) throw error;
            if (end !== undefined) end.dropped = ["response_format"];
            stream = open(withoutJsonMode(request));
            chunks = stream[Symbol.asyncIterator]();
            return chunks.next();
          }
        },
        async return() {
          await chunks.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
