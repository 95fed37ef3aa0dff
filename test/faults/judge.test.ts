import { describe, expect, test } from "vitest";
import type { Case, Seen, Setup, Subject } from "./case.ts";
import { play } from "./judge.ts";

/** Somebody who does the same whatever the server says. */
function subject(call: (setup: Setup) => Promise<Seen>, ours = false): Subject {
  return {
    name: "somebody",
    ours,
    make: { invoke: (setup) => () => call(setup) },
    read: () => () => {
      throw new Error("not read");
    },
  };
}

const asks = async ({ url }: Setup): Promise<Seen> => ({ text: await (await fetch(`${url}/chat`)).text() });
const answered: Case = {
  row: 21,
  fault: "none",
  targets: [],
  replies: [{ body: "Hello" }],
  returns: { text: "Hello" },
};
const refusing: Case = {
  row: 18,
  fault: "none",
  targets: [],
  throws: { name: "BadRequestError" },
  says: /no such field/,
};

const wrong = async (entry: Case, who: Subject): Promise<string | undefined> =>
  (await play(entry, "invoke", who, 200)).wrong;
const throwing = (error: unknown): Subject =>
  subject(async () => {
    throw error;
  });

describe("what the runner calls wrong", () => {
  test("nothing, where the answer is the expected one", async () => {
    expect(await wrong(answered, subject(asks))).toBeUndefined();
  });

  test("another answer", async () => {
    expect(
      await wrong(
        answered,
        subject(async () => ({ text: "Hel" })),
      ),
    ).toBe("returns text 'Hel'");
    const vectors: Case = { ...answered, returns: { vectors: [[1, 0]] } };
    expect(
      await wrong(
        vectors,
        subject(async () => ({ vectors: [[0, 1]] })),
      ),
    ).toBe("wrong vectors");
  });

  test("an error in place of an answer, and an answer in place of an error", async () => {
    expect(await wrong(answered, throwing(new Error("busy")))).toBe("throws Error: busy");
    expect(await wrong(refusing, subject(asks))).toBe("silent success: ''");
  });

  test("no end", async () => {
    expect(
      await wrong(
        answered,
        subject(() => new Promise(() => {})),
      ),
    ).toBe("hangs");
  });

  test("a mishap of the program, but not what is thrown on purpose", async () => {
    expect(await wrong(refusing, throwing(new TypeError("x is not a function")))).toBe(
      "TypeError: x is not a function",
    );
    expect(await wrong(refusing, throwing(new TypeError("Refused: no such field")))).toBeUndefined();
    const cause = new Error("no such field");
    expect(await wrong(refusing, throwing(new TypeError("fetch failed", { cause })))).toBeUndefined();
  });

  test("an error that does not say what the service said", async () => {
    expect(await wrong(refusing, throwing(new Error("Bad Request")))).toBe("not said: Error: Bad Request");
  });

  test("the key in an error, however deep", async () => {
    const error = Object.assign(new Error("no such field"), { request: { headers: { "x-key": "sk-canary-key" } } });
    expect(await wrong(refusing, throwing(error))).toBe("the key is in the error");
  });

  test("what had arrived, or was paid for, and is lost", async () => {
    const error = new Error("no such field");
    expect(await wrong({ ...refusing, throws: { partial: {} } }, throwing(error))).toMatch("without what had arrived");
    expect(await wrong({ ...refusing, throws: { results: [] } }, throwing(error))).toMatch(
      "the other vectors are lost",
    );
  });

  test("tries of what cannot succeed", async () => {
    const twice = subject(async (setup) => {
      await asks(setup);
      await asks(setup);
      throw new Error("no such field");
    });
    expect(await wrong({ ...refusing, requests: 1 }, twice)).toBe("sends it 2 times");
  });

  test("of ours also another class of error, or another number of requests", async () => {
    const plain = subject(async () => {
      throw new Error("no such field");
    }, true);
    expect(await wrong(refusing, plain)).toBe("throws Error: no such field");
    expect(await wrong({ ...answered, requests: 2 }, subject(asks, true))).toBe("1 requests in place of 2");
  });
});
