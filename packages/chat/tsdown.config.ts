import { readFileSync } from "node:fs";
import { build } from "../../tsdown.base.ts";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };

export default build({ define: { __PACKAGE_VERSION__: JSON.stringify(version) } });
