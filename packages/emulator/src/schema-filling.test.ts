import { describe, expect, test } from "vitest";
import { fillSchema, keysAskedFor } from "./schema-filling.js";

const fill = (schema: Record<string, unknown>, text: string) => fillSchema(schema, { text, answer: "the answer" });
const object = (properties: Record<string, unknown>, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
});

describe("a value is filled", () => {
  test.each<[string, Record<string, unknown>, string, unknown]>([
    ["from the words after its name", { sku: { type: "string" } }, "How many of sku A-17 are left?", { sku: "A-17" }],
    ["from quoted words", { title: { type: "string" } }, 'Add the book "Dead Souls" please', { title: "Dead Souls" }],
    ["from a name", { who: { type: "string" } }, "Call Ada Lovelace now", { who: "Ada Lovelace" }],
    [
      "from numbers in their order",
      { a: { type: "number" }, b: { type: "integer" } },
      "add 2.5 and 4",
      { a: 2.5, b: 4 },
    ],
    ["within bounds", { n: { type: "integer", minimum: 1, maximum: 10 } }, "give me 50", { n: 10 }],
    ["above an exclusive bound", { n: { type: "integer", exclusiveMinimum: 0 } }, "none", { n: 1 }],
    ["from an enum", { size: { enum: ["small", "large"] } }, "a large one", { size: "large" }],
    ["from a constant", { kind: { const: "x" } }, "", { kind: "x" }],
    ["with a formula", { expression: { type: "string" } }, "What is (3 + 4) * 2?", { expression: "(3 + 4) * 2" }],
    ["with the whole question for a query", { query: { type: "string" } }, "Who is Ada?", { query: "Who is Ada?" }],
    ["with the answer", { answer: { type: "string" } }, "Who is Ada?", { answer: "the answer" }],
    ["in a list", { numbers: { type: "array", items: { type: "number" } } }, "sum 1, 2 and 3", { numbers: [1, 2, 3] }],
    ["in a format", { day: { type: "string", format: "date" } }, "on 2026-05-04", { day: "2026-05-04" }],
    ["when it may be null", { n: { anyOf: [{ type: "null" }, { type: "integer" }] } }, "7", { n: 7 }],
    ["with a truth", { urgent: { type: "boolean" } }, "this is urgent", { urgent: true }],
  ])("%s", (_how, properties, text, value) => {
    expect(fill(object(properties), text)).toEqual(value);
  });
});

test("what is optional is left out unless the text speaks of it", () => {
  const schema = object({ city: { type: "string" }, unit: { enum: ["celsius", "kelvin"] }, note: { type: "string" } }, [
    "city",
  ]);
  expect(fill(schema, "the weather in Oslo")).toEqual({ city: "Oslo" });
  expect(fill(schema, "the weather in Oslo in kelvin")).toEqual({ city: "Oslo", unit: "kelvin" });
});

test("references are followed, and a schema that contains itself ends", () => {
  const schema = {
    $ref: "#/$defs/node",
    $defs: { node: object({ name: { type: "string" }, next: { $ref: "#/$defs/node" } }) },
  };
  const value = fill(schema, "Ada") as { name: string; next: { next: unknown } };
  expect(value.name).toBe("Ada");
  expect(value.next.next).toBeTypeOf("object");
});

test("parts of allOf are put together", () => {
  const schema = { allOf: [object({ a: { type: "integer" } }), object({ b: { type: "integer" } })] };
  expect(fill(schema, "1 2")).toEqual({ a: 1, b: 2 });
});

test("a property called __proto__ is a property", () => {
  const value = fill(
    JSON.parse('{"type":"object","properties":{"__proto__":{"const":1}},"required":["__proto__"]}') as Record<
      string,
      unknown
    >,
    "",
  );
  expect(Object.getOwnPropertyNames(value)).toEqual(["__proto__"]);
});

test.each([
  ['Reply as {"name": "...", "age": 1}', ["name", "age"]],
  ["Reply in JSON with the fields `city` and `unit`.", ["city", "unit"]],
  ["Reply in JSON.", ["answer"]],
])("keys asked for by %j", (prompt, keys) => {
  expect(keysAskedFor(prompt)).toEqual(keys);
});
