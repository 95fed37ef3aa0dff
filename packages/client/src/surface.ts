/** What both entries export beside their client and its options. */
export type { RequestOptions, Timeouts } from "./options.js";
export type { AcquireRequest, Lease, RateLimiter } from "./rate-limiter.js";
export type { Limits, RateLimiterOptions } from "./limits/limits.js";
export { MemoryRateLimiter } from "./limits/memory-rate-limiter.js";
export { SharedRateLimiter, type SharedRateLimiterOptions } from "./limits/shared-rate-limiter.js";
export type { RateLimitStore } from "./limits/store-link.js";
export type { AnswerStream } from "./answer-stream.js";
export type { ChatStream } from "./resources/chat.js";
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
export type { CompletionChunk, CompletionRequest, CompletionStream, TextCompletion } from "./resources/completions.js";
export type {
  Message,
  MessageBlock,
  MessageParam,
  MessagesRequest,
  MessagesUsage,
  MessageStreamEvent,
} from "./resources/messages-wire.js";
export type { MessageStream } from "./resources/messages.js";
export type { Asset, AssetOptions, OpenAsset } from "./resources/assets.js";
export type { EmbeddingsRequest, EmbeddingsResponse } from "./resources/embeddings.js";
export type { ModelList, ModelQuery } from "./resources/models.js";
export type { RerankRequest, RerankResponse } from "./resources/rerank.js";
export * from "./errors.js";
