import { build } from "../../tsdown.base.ts";

export default build({
  entry: ["src/index.ts", "src/cli.ts"],
  format: ["esm"],
  attw: { level: "error", profile: "esm-only" },
});
