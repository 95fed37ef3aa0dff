import { expect, test } from "vitest";
import { SlidingWindow } from "./sliding-window.js";

test("a bucket counts until its last moment has left the window", () => {
  const window = new SlidingWindow(10, 100);
  window.add(window.indexAt(5), 3);
  expect(window.total(5)).toBe(3);
  expect(window.total(109)).toBe(3);
  expect(window.total(110)).toBe(0);
});

test("tells when enough has left, and that it never will be", () => {
  const window = new SlidingWindow(10, 100);
  window.add(0, 1);
  window.add(2, 5);
  expect([0, 1, 2, 6, 7].map((amount) => window.untilLeft(amount, 25))).toEqual([0, 85, 105, 105, Infinity]);
});

test("takes corrections of older and of later buckets", () => {
  const window = new SlidingWindow(10, 100);
  window.add(5, 4);
  window.add(2, 1);
  window.add(9, 2);
  window.add(5, -3);
  window.set(2, 7);
  expect(window.entries(50)).toEqual([
    { index: 2, amount: 7 },
    { index: 5, amount: 1 },
    { index: 9, amount: 2 },
  ]);
  expect([window.total(50), window.get(5), window.get(6)]).toEqual([10, 1, 0]);
});

test("a correction of what has left changes nothing", () => {
  const window = new SlidingWindow(10, 100);
  window.add(50, 4);
  window.add(1, -4);
  expect(window.total(505)).toBe(4);
});
