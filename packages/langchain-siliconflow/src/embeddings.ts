export * from "@langchain-siliconflow/embeddings";
