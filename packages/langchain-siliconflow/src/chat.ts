export * from "@langchain-siliconflow/chat";
