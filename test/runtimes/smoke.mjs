import { startEmulator } from "@langchain-siliconflow/emulator";
import * as siliconflow from "langchain-siliconflow";
import { smoke } from "./smoke.steps.mjs";

console.log(JSON.stringify(await smoke(siliconflow, startEmulator)));
