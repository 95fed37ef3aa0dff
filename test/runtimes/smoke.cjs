const siliconflow = require("langchain-siliconflow");

void (async () => {
  const { startEmulator } = await import("@langchain-siliconflow/emulator");
  const { smoke } = await import("./smoke.steps.mjs");
  console.log(JSON.stringify(await smoke(siliconflow, startEmulator)));
})();
