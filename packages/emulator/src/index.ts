export type { BatchLine, BatchPace } from "./batches.js";
export { emulatorModels } from "./catalog.js";
export { startEmulator, type Emulator } from "./emulator.js";
export { startFaultProxy, type FaultProxy, type FaultProxyOptions, type Toxics } from "./fault-proxy.js";
export type { Fault } from "./faults.js";
export type { EndpointName, RecordedRequest } from "./journal.js";
export type { Limits } from "./limits.js";
export type { EmulatorOptions } from "./options.js";
export type { Quirks } from "./quirks.js";
export type {
  ChatAnswer,
  ChatChunks,
  ScriptedAnswer,
  ScriptedToolCall,
  ScriptedUsage,
  ScriptLine,
  WireAnswer,
} from "./script.js";
export type { AnswerMessage } from "./server.js";
