/**
 * Let a model write what stands between two pieces of code.
 *
 *   npm run example chat/fill-in-the-middle       offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example chat/fill-in-the-middle
 */
import { SiliconFlow } from "langchain-siliconflow";

const before = `const north = readFileSync("north.csv", "utf8");
const south = readFileSync("south.csv", "utf8");
const east = readFileSync(`;

const after = `);
const west = readFileSync("west.csv", "utf8");
`;

const model = new SiliconFlow({ model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", maxTokens: 64, temperature: 0 });

process.stdout.write(`${before}«`);
for await (const piece of await model.stream(before, { suffix: after })) process.stdout.write(piece);
process.stdout.write(`»${after}`);
