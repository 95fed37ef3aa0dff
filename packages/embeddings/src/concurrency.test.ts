import { expect, test } from "vitest";
import { ConcurrencyLimit } from "./concurrency.js";

/** Tasks that end when they are told to. */
function heldTasks(limit: ConcurrencyLimit, count: number, signal?: AbortSignal) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const tasks = Array.from({ length: count }, (_, index) =>
    limit.run(
      () =>
        new Promise<void>((resolve) => {
          started.push(index);
          ends[index] = resolve;
        }),
      signal,
    ),
  );
  return { started, ends, tasks };
}

test("no more tasks run at once than the limit, in the order they came", async () => {
  const limit = new ConcurrencyLimit(2);
  const { started, ends, tasks } = heldTasks(limit, 4);
  expect(started).toEqual([0, 1]);
  ends[1]!();
  await tasks[1];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const index of [0, 2]) ends[index]!();
  await Promise.all([tasks[0], tasks[2]]);
  ends[3]!();
  await tasks[3];
  expect(started).toEqual([0, 1, 2, 3]);
});

test("a task that fails makes room for the next one", async () => {
  const limit = new ConcurrencyLimit(1);
  await expect(limit.run(() => Promise.reject(new Error("no")), undefined)).rejects.toThrow("no");
  await expect(limit.run(async () => "yes", undefined)).resolves.toBe("yes");
});

test("a burst of refusals halves the limit once, and refusals under the lowered limit halve it again", async () => {
  const limit = new ConcurrencyLimit(8);
  const { ends, tasks } = heldTasks(limit, 8);
  for (let refusal = 0; refusal < 8; refusal++) limit.refused();
  expect(limit.limit).toBe(4);
  for (const end of ends.slice(0, 4)) end();
  await Promise.all(tasks.slice(0, 4));
  limit.refused();
  limit.refused();
  expect(limit.limit).toBe(2);
  for (const end of ends.slice(4)) end();
  await Promise.all(tasks);
});

test("the limit never falls below one, and grows back with the answers", () => {
  const limit = new ConcurrencyLimit(3);
  for (let refusal = 0; refusal < 5; refusal++) limit.refused();
  expect(limit.limit).toBe(1);
  limit.answered();
  expect(limit.limit).toBe(2);
  limit.answered();
  expect(limit.limit).toBe(2);
  limit.answered();
  expect(limit.limit).toBe(3);
  for (let answer = 0; answer < 9; answer++) limit.answered();
  expect(limit.limit).toBe(3);
});

test("a task whose signal fires while it waits is never run, and leaves its place to others", async () => {
  const limit = new ConcurrencyLimit(1);
  const first = heldTasks(limit, 1);
  const controller = new AbortController();
  const given = heldTasks(limit, 2, controller.signal);
  const last = heldTasks(limit, 1);
  const reason = new Error("enough");
  controller.abort(reason);
  for (const task of given.tasks) await expect(task).rejects.toBe(reason);
  first.ends[0]!();
  await first.tasks[0];
  await Promise.resolve();
  expect(given.started).toEqual([]);
  expect(last.started).toEqual([0]);
  last.ends[0]!();
  await last.tasks[0];
});

test("a signal that has fired already is not waited for", async () => {
  const limit = new ConcurrencyLimit(1);
  const { ends, tasks } = heldTasks(limit, 1);
  const reason = new Error("before");
  await expect(limit.run(async () => "ran", AbortSignal.abort(reason))).rejects.toBe(reason);
  ends[0]!();
  await tasks[0];
});

test("a signal of a time limit is a TimeoutError, whether it fires before or while a task waits", async () => {
  const limit = new ConcurrencyLimit(1);
  const { ends, tasks } = heldTasks(limit, 1);
  const signal = AbortSignal.timeout(5);
  for (let turn = 0; turn < 2; turn++) {
    await expect(limit.run(async () => "ran", signal)).rejects.toMatchObject({
      name: "TimeoutError",
      reason: "timeout",
      phase: "total",
    });
  }
  ends[0]!();
  await tasks[0];
});
