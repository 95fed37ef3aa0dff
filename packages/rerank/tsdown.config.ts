import { build } from "../../tsdown.base.ts";

export default build({ entry: ["src/index.ts", "src/compressor.ts"] });
