import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { systemClock } from "./clock.js";
import { Deadline } from "./deadline.js";
import { EventReader } from "./event-reader.js";
import { mergeTimeouts, resolveOptions } from "./options.js";
import type { WireBody } from "./wire.js";

function readerOf(...reads: string[]): EventReader {
  const pieces = reads.map((text) => new TextEncoder().encode(text));
  const body: WireBody = { read: () => pieces.shift() ?? null, wake: undefined, cancel: () => {} };
  const { timeouts } = resolveOptions({ apiKey: "sk-secret" });
  const deadline = new Deadline(undefined, mergeTimeouts(timeouts, undefined), true, systemClock);
  deadline.begin();
  return new EventReader(body, deadline, Infinity);
}

test("events that were taken are let go while the next are waited for", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const events = readerOf("event: delta\ndata: one\n\nevent: delta\ndata: two\n\n", "data: three\n\n");
  await events.fill(false);
  const taken: WeakRef<object>[] = [];
  while (events.next !== undefined) {
    taken.push(new WeakRef(events.next as object));
    events.skip();
  }
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(taken.map((event) => event.deref())).toEqual([undefined, undefined]);
  await events.fill(false);
  expect(events.next).toBe("three");
});

test("the last event of a body is known as such before and after it was taken", async () => {
  const events = readerOf("data: one\n\n", "data: two");
  await events.fill(false);
  expect(events.isLast(events.next!)).toBe(false);
  events.skip();
  await events.fill(false);
  const last = events.next!;
  expect([last, events.isLast(last)]).toEqual(["two", true]);
  events.skip();
  expect(events.isLast(last)).toBe(true);
});
