import type { SiliconFlowError } from "./errors.js";

// For tests alone.

/** What a call fails with, told by its caller to be of this type. */
export function failureOf<Failure = SiliconFlowError>(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => Promise.reject(new Error("It succeeded.")),
    (error: unknown) => error as Failure,
  );
}
