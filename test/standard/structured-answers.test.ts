import { AIMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { emulated } from "./emulated.js";

const { emulator, model } = emulated();

const sum = {
  type: "object",
  properties: { left: { type: "number" }, right: { type: "number" } },
  required: ["left", "right"],
};
const schemas = {
  "a zod schema": z.object({ left: z.number(), right: z.number() }),
  "a JSON Schema": { title: "sum", ...sum },
};
const numbers = { left: 2, right: 3.5 };
const answers = {
  functionCalling: { traced: "function_calling", answer: { toolCalls: [{ name: "sum", arguments: numbers }] } },
  jsonSchema: { traced: "json_schema", answer: { content: JSON.stringify(numbers) } },
  jsonMode: { traced: "json_mode", answer: { content: JSON.stringify(numbers) } },
};
const cases = Object.keys(schemas).flatMap((schema) =>
  Object.keys(answers).map((method) => [schema as keyof typeof schemas, method as keyof typeof answers] as const),
);

describe.each(cases)("numbers asked for with %s, by %s", (schemaName, method) => {
  const schema: Record<string, unknown> = schemas[schemaName] as Record<string, unknown>;
  const question = "Split 2 + 3.5 into JSON.";

  test("come parsed", async () => {
    emulator().script([answers[method].answer]);
    const structured = model().withStructuredOutput(schema, { name: "sum", method });
    expect(await structured.invoke(question)).toEqual(numbers);
  });

  test("come parsed in a stream, whole at its end", async () => {
    emulator().script([answers[method].answer]);
    let last: unknown;
    for await (const object of await model().withStructuredOutput(schema, { name: "sum", method }).stream(question)) {
      last = object;
    }
    expect(last).toEqual(numbers);
  });

  test("come with the message they were in, if asked so", async () => {
    emulator().script([answers[method].answer]);
    const structured = model().withStructuredOutput(schema, { name: "sum", method, includeRaw: true });
    const { raw, parsed } = await structured.invoke(question);
    expect(AIMessage.isInstance(raw)).toBe(true);
    expect(parsed).toEqual(numbers);
  });

  test("are traced with method and schema", async () => {
    emulator().script([answers[method].answer]);
    const formats: unknown[] = [];
    const structured = model().withStructuredOutput(schema, { name: "sum", method });
    await structured.invoke(question, {
      callbacks: [
        {
          handleChatModelStart(_model, _messages, _run, _parent, extra) {
            const { options } = extra as { options: { ls_structured_output_format?: unknown } };
            formats.push(options.ls_structured_output_format);
          },
        },
      ],
    });
    expect(formats).toEqual([{ kwargs: { method: answers[method].traced }, schema: expect.objectContaining(sum) }]);
  });
});
