export * from "@langchain-siliconflow/rerank";
