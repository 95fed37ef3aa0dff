export { SiliconFlowClient } from "./undici-client.js";
export type { ClientOptions } from "./options.js";
export { connectAdapter, type AdapterConnection, type ClientFor } from "./adapter-connection.js";
export * from "./surface.js";
