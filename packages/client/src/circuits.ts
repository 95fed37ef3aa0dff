import { Circuit, type Numbers, type Pass } from "./circuit.js";
import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import { ApiError, ConnectionError, ServiceUnavailableError, TimeoutError, type SiliconFlowError } from "./errors.js";
import type { OnWait } from "./options.js";
import { isUnknownHost } from "./retry.js";

/** Models that have failed; of more those that are in order again are forgotten. */
const maxRemembered = 256;

/**
 * Keeps calls from a model, or from the whole host, while it fails whatever is sent: one call at a time is let through to try,
 * the others wait for what it meets. So an outage costs the service a request every few seconds, however many calls there
 * are, and a short one costs none of the calls its answer.
 */
export class Circuits {
  readonly #clock: Clock;
  readonly #host: Circuit;
  /** Only those that have failed. A Map: model ids are the caller's words. */
  readonly #models = new Map<string, Circuit>();
  readonly #numbers: Numbers = { last: 0 };

  constructor(clock: Clock, host: string) {
    this.#clock = clock;
    this.#host = new Circuit(clock, this.#numbers, host);
  }

  /** Whether a call for this model would have to wait. */
  holds(model: string | undefined): boolean {
    return this.#heldBy(model) !== undefined;
  }

  /** For a call that nothing holds. */
  passAtOnce(): Pass {
    return { number: (this.#numbers.last += 1), waited: 0 };
  }

  /**
   * Waits until a call for this model may be sent.
   *
   * @param waits probes that may fail meanwhile, 1 or more
   * @throws the failure of the last of them
   */
  async pass(model: string | undefined, waits: number, deadline: Deadline, announce: OnWait): Promise<Pass> {
    let waited = 0;
    for (;;) {
      const circuit = this.#heldBy(model);
      if (circuit === undefined) return { ...this.passAtOnce(), waited };
      const outcome = await circuit.wait(waits - waited, deadline, announce);
      waited += outcome.waited;
      if (outcome.probe !== undefined) return { number: outcome.probe, probeOf: circuit, waited };
    }
  }

  /** An attempt was answered. */
  succeeded(model: string | undefined, pass: Pass): void {
    this.#host.succeeded(pass);
    if (model !== undefined && this.#models.size > 0) this.#models.get(model)?.succeeded(pass);
  }

  /**
   * An attempt failed. A refusal of the request is no failure of the service; to a probe it shows that there is somebody again.
   *
   * @param connected whether it got as far as a connection
   */
  failed(model: string | undefined, error: SiliconFlowError, connected: boolean, pass: Pass): void {
    if (!isOutage(error)) {
      if (error instanceof ApiError) this.#host.succeeded(pass);
      pass.probeOf?.succeeded(pass);
      return;
    }
    if (connected && !isUnconnected(error)) {
      this.#host.succeeded(pass);
      if (model !== undefined) this.#circuitOf(model).failed(error, pass);
      return;
    }
    this.#host.failed(error, pass);
    if (pass.probeOf !== this.#host) pass.probeOf?.failed(error, pass);
  }

  #heldBy(model: string | undefined): Circuit | undefined {
    if (this.#host.open) return this.#host;
    if (model === undefined || this.#models.size === 0) return undefined;
    const circuit = this.#models.get(model);
    return circuit?.open ? circuit : undefined;
  }

  #circuitOf(model: string): Circuit {
    let circuit = this.#models.get(model);
    if (circuit === undefined) {
      if (this.#models.size >= maxRemembered) {
        for (const [name, other] of this.#models) if (other.idle) this.#models.delete(name);
      }
      circuit = new Circuit(this.#clock, this.#numbers, model);
      this.#models.set(model, circuit);
    }
    return circuit;
  }
}

/** Whether the service is at fault, and may be for others too. A host name that does not exist fails at once, here as ever. */
function isOutage(error: SiliconFlowError): boolean {
  if (!error.retryable || isUnknownHost(error)) return false;
  if (error instanceof TimeoutError) return error.phase === "connect" || error.phase === "firstByte";
  return error instanceof ServiceUnavailableError || error instanceof ConnectionError;
}

/** What `fetch` does not tell before: that there was no connection. */
function isUnconnected(error: SiliconFlowError): boolean {
  if (error instanceof TimeoutError) return error.phase === "connect";
  return error.reason === "refused" || error.reason === "dns" || error.reason === "proxy";
}
