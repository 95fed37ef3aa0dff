export { SiliconFlowClient } from "./fetch-client.js";
export type { ClientOptions } from "./fetch-client.js";
export * from "./surface.js";
