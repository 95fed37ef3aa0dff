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
export type { ImagesRequest, ImagesResponse } from "./resources/images.js";
export type { AudioStream } from "./audio-stream.js";
export type { SpeechAudio, SpeechRequest } from "./resources/speech.js";
export type { FileSource } from "./upload.js";
export type { Transcription, TranscriptionRequest } from "./resources/transcriptions.js";
export type { UploadedVoice, VoiceList, VoiceUpload } from "./resources/voices.js";
export type { SubmittedVideo, VideoRequest, VideoStatus } from "./resources/videos.js";
export type { FileList, FileQuery, FileUpload, FileObject } from "./resources/files.js";
export type { Batch, BatchList, BatchRequest } from "./resources/batches.js";
export type { WaitOptions } from "./polling.js";
export type { AccountInfo } from "./resources/account.js";
export * from "./errors.js";
