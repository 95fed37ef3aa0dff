/**
 * Turn texts into vectors, and find the one nearest to a question.
 *
 *   npm run example retrieval/embed               offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example retrieval/embed
 */
import { SiliconFlowEmbeddings } from "langchain-siliconflow";

const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" });

const texts = [
  "The giant panda eats bamboo for up to fourteen hours a day.",
  "West Lake lies in the centre of Hangzhou.",
  "大熊猫每天花十几个小时吃竹子。",
];
const vectors = await embeddings.embedDocuments(texts);

for (const question of ["What does the panda eat?", "大熊猫吃什么？"]) {
  const asked = await embeddings.embedQuery(question);
  const nearness = vectors.map((vector) => cosine(asked, vector));

  console.log(`${question}  (${asked.length} numbers)`);
  for (const [index, text] of texts.entries()) console.log(`  ${nearness[index]!.toFixed(3)}  ${text}`);
}

function cosine(a: number[], b: number[]): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, index) => sum + value * y[index]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
