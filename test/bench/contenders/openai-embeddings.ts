import { OpenAIEmbeddings } from "@langchain/openai";
import { batch } from "../answers.ts";
import type { Contender, Host } from "../contender.ts";

export function make({ url, apiKey }: Host): Contender {
  // Its own batch of 512 texts is refused by the service; all else is its default.
  const configuration = { baseURL: url };
  const embeddings = new OpenAIEmbeddings({ apiKey, model: "BAAI/bge-m3", batchSize: batch, configuration });
  return { embed: (texts) => embeddings.embedDocuments(texts) };
}
