export * from "@langchain-siliconflow/tools";
