/** For adapters that are built on the client. Whoever only uses one needs nothing of it. */
export {
  connectAdapter,
  connectionOptions,
  requestOptionsOf,
  type AdapterConnection,
  type ClientFor,
} from "./adapter-connection.js";
export { modelId, wholeNumber } from "./adapter-options.js";
export { abortReason } from "./deadline.js";
export { AtomicFile } from "./atomic-file.js";
export { errorFromResponse } from "./error-from-response.js";
export { nearest } from "./nearest-models.js";
export { refuseUnknownOptions } from "./unknown-options.js";
export { quietly } from "./quietly.js";
export { maxContentSize, pictureOrText, readContent, toBase64, type Content } from "./visual-content.js";
export { asText, ToolCallsSoFar, type CallSoFar } from "./tool-calls-so-far.js";
