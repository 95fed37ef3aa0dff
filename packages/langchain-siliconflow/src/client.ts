export * from "@langchain-siliconflow/client";
