import { readFileSync } from "node:fs";
import { build } from "../../tsdown.base.ts";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };

export default build({
  define: { __PACKAGE_VERSION__: JSON.stringify(version) },
  // A file of its own: package.json names it as the one with a side effect, which bundlers must not drop.
  outputOptions: { codeSplitting: { groups: [{ name: "content-blocks", test: /[\\/]content-blocks\.ts$/ }] } },
});
