/** For adapters that are built on the client. Whoever only uses one needs nothing of it. */
export { connectAdapter, requestOptionsOf, type AdapterConnection, type ClientFor } from "./adapter-connection.js";
export { abortReason } from "./deadline.js";
export { AtomicFile } from "./atomic-file.js";
export { errorFromResponse } from "./error-from-response.js";
export { asText, ToolCallsSoFar, type CallSoFar } from "./tool-calls-so-far.js";
