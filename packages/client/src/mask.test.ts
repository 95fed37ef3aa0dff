import { expect, test } from "vitest";
import { Mask } from "./mask.js";

const mask = new Mask(["sk-Secret+Key/1"]);

test.each([
  ["as it is", "key sk-Secret+Key/1 here", "key *** here"],
  ["in another case", "SK-SECRET+KEY/1", "***"],
  ["for a URL", "?key=sk-Secret%2BKey%2f1&a", "?key=***&a"],
  ["in JSON", '"\\u0073k-Secret+Key/1"', '"***"'],
  ["in HTML", "sk-Secret&#43;Key&#x2F;1", "***"],
  ["in base64, alone", btoa("sk-Secret+Key/1"), "***"],
])("a secret is masked %s", (_, text, masked) => {
  expect(mask.apply(text)).toBe(masked);
});

test("a secret is masked in base64 wherever it stands there", () => {
  for (const before of ["me:", "you:", "them:"]) expect(mask.apply(btoa(`${before}sk-Secret+Key/1:`))).toContain("***");
});

test("what stands around a secret stays, and a bearer token of others goes", () => {
  expect(mask.apply("the Secret Key 1")).toBe("the Secret Key 1");
  expect(mask.apply("authorization: Bearer abcdef.ghi")).toBe("authorization: Bearer ***");
});
