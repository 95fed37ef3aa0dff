export * from "@langchain-siliconflow/chat";
export * from "@langchain-siliconflow/client";
export * from "@langchain-siliconflow/embeddings";
export * from "@langchain-siliconflow/rerank";
export * from "@langchain-siliconflow/tools";
