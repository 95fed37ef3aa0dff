/** What both entries export beside their client and its options. */
export type { RequestOptions, Timeouts } from "./options.js";
export type { Lease, RateLimiter } from "./rate-limiter.js";
export type { ChatStream } from "./chat-stream.js";
export type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  ChatDelta,
  ChatMessage,
  ContentPart,
  ToolCall,
  ToolCallDelta,
  Traced,
  Usage,
} from "./resources/chat-wire.js";
export type { EmbeddingsRequest, EmbeddingsResponse } from "./resources/embeddings.js";
export type { ModelList, ModelQuery } from "./resources/models.js";
export type { RerankRequest, RerankResponse } from "./resources/rerank.js";
export * from "./errors.js";
