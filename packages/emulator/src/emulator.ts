import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Batches, type BatchLine } from "./batches.js";
import { hostedModels } from "./catalog.js";
import { Clock } from "./clock.js";
import { Faults, type Fault } from "./faults.js";
import { Files } from "./files.js";
import { Journal, type RecordedRequest } from "./journal.js";
import { RateLimits } from "./limits.js";
import { Outputs } from "./outputs.js";
import { settingsFrom, type EmulatorOptions } from "./options.js";
import { Script, type ScriptLine } from "./script.js";
import { loadSentenceEncoder } from "./semantic.js";
import { requestListener } from "./server.js";
import { VideoJobs } from "./video-jobs.js";
import type { Voices } from "./voices.js";

/** A running emulator. */
export interface Emulator {
  /** Base URL with `/v1`, e.g. `"http://127.0.0.1:49152/v1"`. */
  readonly url: string;
  /** The key it accepts. */
  readonly apiKey: string;
  /** What was asked since the start or the last {@link reset}, oldest first, at most the last 10,000. */
  readonly requests: readonly RecordedRequest[];
  /**
   * Lines that batches ran since then: what the service would have charged for, oldest first, at most the last 100,000.
   * Those of a batch run when somebody asks for it, as far as the clock says it has come.
   */
  readonly batchLines: readonly BatchLine[];
  /** Adds answers to the end of the script; each answers one request. */
  script(lines: readonly ScriptLine[]): void;
  /**
   * Sets a fault; several wait for their requests side by side.
   *
   * @throws RangeError for a value that a field cannot take, TypeError for a field that does not exist
   */
  fault(fault: Fault): void;
  /** Moves the emulator's clock: rate limits, jobs, links, stalls and drips go by it. @param ms 0 or more @throws RangeError on less */
  advance(ms: number): void;
  /** Forgets requests, script, faults, what was made, uploaded voices, and what was counted against the limits. Open answers go on. */
  reset(): void;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a server on 127.0.0.1 that speaks SiliconFlow's API: chat, vectors, ranking, pictures, films, models.
 *
 * @example
 * ```ts
 * import { startEmulator } from "@langchain-siliconflow/emulator";
 *
 * const emulator = await startEmulator();
 * const response = await fetch(`${emulator.url}/models`, { headers: { authorization: `Bearer ${emulator.apiKey}` } });
 * await emulator.close();
 * ```
 *
 * @throws RangeError or TypeError for an option out of range; the system's error (`EADDRINUSE`) when the port is taken;
 * Error when `models: "semantic"` is asked for and its packages are not installed.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = settingsFrom(options);
  const semantic = settings.models === "semantic" ? await loadSentenceEncoder() : undefined;

  const clock = new Clock();
  const limits = new RateLimits(settings.limits, clock);
  const outputs = new Outputs(clock);
  const videos = new VideoJobs(clock, outputs, settings.quirks);
  const voices: Voices = new Map();
  const journal = new Journal(settings.apiKey);
  const script = new Script();
  const files = new Files(clock);
  const batches = new Batches(clock, script, settings.batchPace, settings.quirks.batchBegins);
  const faults = new Faults();
  const closing = new AbortController();

  let ids = 0;
  const nextId = () => {
    ids += 1;
    return clock.now().toString(16).padStart(12, "0") + ids.toString(16).padStart(12, "0") + hex8(settings.seed ^ ids);
  };
  const service = {
    settings,
    models: hostedModels({ semantic: semantic !== undefined }),
    clock,
    limits,
    outputs,
    files,
    batches,
    videos,
    voices,
    semantic,
    nextId,
  };

  const server = createServer(requestListener({ service, journal, script, faults, closing: closing.signal }));
  // A client under test decides how long a connection lives; Node's five seconds would decide for it.
  server.keepAliveTimeout = 65_000;
  server.listen(settings.port, "127.0.0.1");
  await once(server, "listening");

  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  outputs.origin = origin;
  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    const ended = once(server, "close");
    server.close();
    server.closeAllConnections();
    await ended;
  };

  return {
    url: `${origin}/v1`,
    apiKey: settings.apiKey,
    requests: journal.requests,
    batchLines: batches.lines,
    script: (lines) => script.add(lines),
    fault: (fault) => faults.add(fault),
    advance: (ms) => clock.advance(ms),
    reset() {
      journal.clear();
      script.clear();
      faults.clear();
      limits.clear();
      outputs.clear();
      files.clear();
      batches.clear();
      videos.clear();
      voices.clear();
    },
    close: () => (closed ??= close()),
  };
}

/** Eight hex digits that look nothing like the number they come from. */
function hex8(value: number): string {
  return (Math.imul(value ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0).toString(16).padStart(8, "0");
}
