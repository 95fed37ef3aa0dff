/** Callbacks and limiters are told; they cannot break a call that is already paid for. */
export function quietly(tell: () => unknown): void {
  // Through a promise, because an async function throws that way.
  new Promise((resolve) => resolve(tell())).catch(() => {});
}
