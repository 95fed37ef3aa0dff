/** For adapters that are built on the client. Whoever only uses one needs nothing of it. */
export { connectAdapter, requestOptionsOf, type AdapterConnection, type ClientFor } from "./adapter-connection.js";
export { abortReason } from "./deadline.js";
export { AtomicFile } from "./atomic-file.js";
export { errorFromResponse } from "./error-from-response.js";
