export { SiliconFlowClient } from "./undici-client.js";
export type { ClientOptions } from "./options.js";
export * from "./surface.js";
