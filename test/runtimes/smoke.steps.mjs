import assert from "node:assert/strict";

/**
 * One call of everything, against an emulator in the same process. Throws at the first thing that is not as it should be.
 * @param {typeof import("langchain-siliconflow")} siliconflow
 * @param {typeof import("@langchain-siliconflow/emulator").startEmulator} startEmulator
 */
export async function smoke(
  { ChatSiliconFlow, SiliconFlowClient, SiliconFlowEmbeddings, SiliconFlowRerank },
  startEmulator,
) {
  const emulator = await startEmulator();
  const client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url });
  try {
    const chat = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client });
    const whole = await chat.invoke("Who are you?");
    assert.ok(whole.text.length > 0);
    let streamed;
    for await (const chunk of await chat.stream("Who are you?")) streamed = streamed ? streamed.concat(chunk) : chunk;
    assert.equal(streamed?.text, whole.text);
    assert.ok((streamed?.usage_metadata?.total_tokens ?? 0) > 0);

    const vectors = await new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client }).embedDocuments(["one", "two"]);
    assert.deepEqual(
      vectors.map((vector) => vector.length),
      [1024, 1024],
    );

    const ranked = await new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", client }).rerank(
      ["An orange is a fruit.", "The capital of Peru is Lima."],
      "What is the capital of Peru?",
    );
    assert.equal(ranked[0]?.index, 1);
    return { version: process.version, answer: whole.text.length, vectors: vectors.length, first: ranked[0]?.index };
  } finally {
    await client.close();
    await emulator.close();
  }
}
