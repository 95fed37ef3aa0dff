import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import type { Contender, Host } from "../contender.ts";

export function make({ url, apiKey }: Host): Contender {
  const embeddings = new SiliconFlowEmbeddings({ apiKey, baseURL: url, model: "BAAI/bge-m3" });
  return {
    embed: (texts) => embeddings.embedDocuments(texts),
    embedStream: (texts) => embeddings.embedStream(texts),
  };
}
