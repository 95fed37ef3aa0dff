import { build } from "../../tsdown.base.ts";

export default build({
  entry: ["src/index.ts", "src/chat.ts", "src/client.ts", "src/embeddings.ts", "src/rerank.ts", "src/tools.ts"],
});
