/** Copied into a project where `@langchain/core` is the lowest one supported, and run there. */
import assert from "node:assert/strict";
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import * as siliconflow from "langchain-siliconflow";
import { smoke } from "./smoke.steps.mjs";

const require = createRequire(import.meta.url);
const chat = createRequire(realpathSync(require.resolve("@langchain-siliconflow/chat")));
const openai = createRequire(realpathSync(chat.resolve("@langchain/openai")));
const core = require.resolve("@langchain/core/messages");
assert.equal(openai.resolve("@langchain/core/messages"), core, "@langchain/openai has a core of its own");
assert.equal(chat.resolve("@langchain/core/messages"), core, "@langchain-siliconflow/chat has a core of its own");
const { version } = JSON.parse(readFileSync(require.resolve("@langchain/core/package.json"), "utf8"));
assert.equal(version, "1.2.13");

await smoke(siliconflow, startEmulator);

const emulator = await startEmulator();
try {
  const model = new siliconflow.ChatSiliconFlow({
    model: "Qwen/Qwen3-8B",
    apiKey: emulator.apiKey,
    baseURL: emulator.url,
  });
  const stock = tool(({ sku }) => `12 units of ${sku}`, {
    name: "lookup_stock",
    description: "Units on hand for one SKU",
    schema: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
  });
  const question = new HumanMessage("How many units of A-17?");
  const turn = { reasoning: "Look it up.", toolCalls: [{ name: stock.name, arguments: { sku: "A-17" } }] };

  emulator.script([turn, { content: "12." }]);
  const asked = await model.bindTools([stock]).invoke([question]);
  assert.ok(AIMessage.isInstance(asked));
  assert.deepEqual(
    asked.tool_calls?.map(({ name, args }) => ({ name, args })),
    [{ name: "lookup_stock", args: { sku: "A-17" } }],
  );
  const result = await stock.invoke(asked.tool_calls[0]);
  assert.ok(ToolMessage.isInstance(result));
  assert.equal((await model.bindTools([stock]).invoke([question, asked, result])).text, "12.");

  emulator.script([turn]);
  let streamed;
  for await (const chunk of await model.bindTools([stock]).stream([question]))
    streamed = streamed?.concat(chunk) ?? chunk;
  assert.deepEqual(
    streamed?.contentBlocks.map(({ type }) => type),
    ["reasoning", "tool_call"],
  );

  emulator.script([{ reasoning: "Lima, I think.", content: ["Li", "ma"], usage: { completion_tokens: 7 } }]);
  const events = model.streamEvents("Capital of Peru?", { version: "v3" });
  assert.equal(await events.text, "Lima");
  assert.equal(await events.reasoning, "Lima, I think.");
  assert.equal((await events).usage_metadata?.output_tokens, 7);
} finally {
  await emulator.close();
}
console.log(JSON.stringify({ core: version, node: process.version }));
