import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packAll, run, runIn, scratchProject, type PackedPackage } from "./scratch-project.js";

const require = createRequire(import.meta.url);

let folder: string;
let packed: PackedPackage[];
let project: ReturnType<typeof scratchProject>;
let emulator: Emulator;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "siliconflow-packed-"));
  packed = packAll(folder);
  project = scratchProject(packed);
  emulator = await startEmulator();
  environment = { SILICONFLOW_API_KEY: emulator.apiKey, SILICONFLOW_BASE_URL: emulator.url };
}, 120_000);

afterAll(async () => {
  await emulator.close();
  project.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** One call of each adapter, in the words of either module system. */
const everything = `
  const chat = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B" });
  const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" });
  const reranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3" });
  const answer = await chat.invoke("Who are you?");
  const vector = await embeddings.embedQuery("a text");
  const ranked = await reranker.rerank(["an orange", "the capital of Peru is Lima"], "What is the capital of Peru?");
  const drawn = await new SiliconFlowImageTool({ model: "Kwai-Kolors/Kolors", imageSize: "1024x1024" }).invoke({ prompt: "a boat" });
  const models = await new SiliconFlowClient().models.list();
  console.log(JSON.stringify({
    answered: answer.text.length > 0,
    reasoning: answer.contentBlocks.some((block) => block.type === "reasoning"),
    dimensions: vector.length,
    best: ranked[0].index,
    drawn: drawn.startsWith("Made the picture"),
    models: models.data.length > 0,
  }));
`;
const expected = { answered: true, reasoning: true, dimensions: 1024, best: 1, drawn: true, models: true };

describe("a tarball", () => {
  test("holds what is meant and nothing else", () => {
    expect(packed.map(({ manifest }) => manifest.name).sort()).toEqual([
      "@langchain-siliconflow/chat",
      "@langchain-siliconflow/client",
      "@langchain-siliconflow/embeddings",
      "@langchain-siliconflow/emulator",
      "@langchain-siliconflow/rerank",
      "@langchain-siliconflow/tools",
      "langchain-siliconflow",
    ]);
    for (const { folder: files, manifest } of packed) {
      expect(readdirSync(files).sort(), manifest.name).toEqual([
        "LICENSE",
        "README.md",
        ...(manifest.name.endsWith("/emulator") ? ["bin"] : []),
        "dist",
        "package.json",
      ]);
      const names = readdirSync(files, { recursive: true, encoding: "utf8" });
      expect(
        names.filter((name) => name.includes(".test.")),
        manifest.name,
      ).toEqual([]);
    }
  });

  test("names its dependencies as a registry understands them", () => {
    for (const { folder: files } of packed) {
      expect(readFileSync(join(files, "package.json"), "utf8")).not.toMatch(/workspace:|catalog:/);
    }
  });
});

describe("the packed packages in an empty project", () => {
  test("run as ES modules", async () => {
    const code = `
      import { ChatSiliconFlow, SiliconFlowClient, SiliconFlowEmbeddings, SiliconFlowImageTool, SiliconFlowRerank } from "langchain-siliconflow";
      ${everything}`;
    expect(JSON.parse(await runIn(project.folder, "main.mjs", code, environment))).toEqual(expected);
  });

  test("run as CommonJS", async () => {
    const code = `
      const { ChatSiliconFlow, SiliconFlowClient, SiliconFlowEmbeddings, SiliconFlowImageTool, SiliconFlowRerank } = require("langchain-siliconflow");
      void (async () => { ${everything} })();`;
    expect(JSON.parse(await runIn(project.folder, "main.cjs", code, environment))).toEqual(expected);
  });

  test("run from each subpath and each package on its own", async () => {
    const code = `
      import { ChatSiliconFlow } from "langchain-siliconflow/chat";
      import { SiliconFlowClient } from "langchain-siliconflow/client";
      import { SiliconFlowEmbeddings } from "langchain-siliconflow/embeddings";
      import { SiliconFlowRerank } from "@langchain-siliconflow/rerank";
      import { SiliconFlowImageTool } from "langchain-siliconflow/tools";
      ${everything}`;
    expect(JSON.parse(await runIn(project.folder, "subpaths.mjs", code, environment))).toEqual(expected);
  });

  test("recognise each other's errors when both module systems meet in one process", async () => {
    const code = `
      import { createRequire } from "node:module";
      import { isSiliconFlowError, SiliconFlowClient } from "@langchain-siliconflow/client";
      const cjs = createRequire(import.meta.url)("@langchain-siliconflow/client");
      const error = await new cjs.SiliconFlowClient({ apiKey: "sk-wrong" }).models.list().catch((reason) => reason);
      console.log(JSON.stringify({
        copies: cjs.SiliconFlowClient !== SiliconFlowClient,
        recognised: isSiliconFlowError(error),
        name: error.name,
      }));`;
    expect(JSON.parse(await runIn(project.folder, "both.mjs", code, environment))).toEqual({
      copies: true,
      recognised: true,
      name: "AuthenticationError",
    });
  });

  test("type-check in a strict TypeScript project, under NodeNext and under a bundler's resolution", () => {
    const code = `
      import { ChatSiliconFlow, SiliconFlowClient, SiliconFlowEmbeddings, SiliconFlowRerank, isSiliconFlowError } from "langchain-siliconflow";
      import type { AIMessage } from "@langchain/core/messages";
      import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";

      export async function main(): Promise<number> {
        const client = new SiliconFlowClient({ apiKey: "k", region: "global", timeouts: { idleMs: 1000 } });
        const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client, enableThinking: true });
        const answer: AIMessage = await model.invoke("hello", { thinkingBudget: 128 });
        const vectors: number[][] = await new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client }).embedDocuments([answer.text]);
        const ranked = await new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", client }).rerank(["a"], "b");
        const score: number | undefined = ranked[0]?.relevanceScore;
        for await (const chunk of client.chat.stream({ model: "m", messages: [{ role: "user", content: "hi" }] })) {
          const text: string | null | undefined = chunk.choices[0]?.delta?.content;
          if (text) break;
        }
        new FetchClient({ apiKey: "k", fetch: globalThis.fetch });
        return (vectors[0]?.length ?? 0) + (score ?? 0);
      }
      export const narrow = (error: unknown): string => (isSiliconFlowError(error) ? error.reason : "other");
      // @ts-expect-error a model is required
      new SiliconFlowEmbeddings({});
    `;
    writeFileSync(join(project.folder, "main.ts"), code);
    writeFileSync(join(project.folder, "package.json"), JSON.stringify({ type: "module", private: true }));
    const types = join(project.folder, "node_modules", "@types");
    mkdirSync(types, { recursive: true });
    symlinkSync(dirname(require.resolve("@types/node/package.json")), join(types, "node"));
    const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
    for (const resolution of [
      ["--module", "nodenext"],
      ["--module", "esnext", "--moduleResolution", "bundler"],
    ]) {
      const flags = [
        "--noEmit",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--skipLibCheck",
        "--target",
        "es2023",
        "--types",
        "node",
      ];
      const compile = () =>
        execFileSync(process.execPath, [tsc, ...flags, ...resolution, "main.ts"], {
          cwd: project.folder,
          encoding: "utf8",
          stdio: "pipe",
        });
      expect(compile, resolution.join(" ")).not.toThrow();
    }
  }, 60_000);

  test("need no undici through the fetch entry", async () => {
    const bare = scratchProject(
      packed.filter(({ manifest }) => manifest.name.endsWith("/client")),
      { without: ["undici"] },
    );
    const code = `
      import { SiliconFlowClient } from "@langchain-siliconflow/client/fetch";
      const client = new SiliconFlowClient();
      const { data } = await client.models.list();
      let text = "";
      for await (const chunk of client.chat.stream({ model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "hello" }] })) {
        text += chunk.choices[0]?.delta?.content ?? "";
      }
      console.log(JSON.stringify({ models: data.length > 0, answered: text.length > 0 }));`;
    expect(JSON.parse(await runIn(bare.folder, "main.mjs", code, environment))).toEqual({
      models: true,
      answered: true,
    });
    bare.remove();
  });

  test("need no @langchain/openai for tools", async () => {
    const bare = scratchProject(packed.filter(({ manifest }) => /\/(client|tools)$/.test(manifest.name)));
    const code = `
      import { SiliconFlowToolkit } from "@langchain-siliconflow/tools";
      const { tools } = new SiliconFlowToolkit({ include: ["image"] });
      const openai = await import("@langchain/openai").then(() => "there", () => "missing");
      console.log(JSON.stringify({ openai, drawn: await tools[0].invoke({ prompt: "a boat" }) }));`;
    expect(JSON.parse(await runIn(bare.folder, "main.mjs", code, environment))).toEqual({
      openai: "missing",
      drawn: expect.stringContaining("Made the picture"),
    });
    bare.remove();
  });

  test("keep reasoning in content blocks after an application was bundled and tree-shaken", async () => {
    writeFileSync(
      join(project.folder, "application.mjs"),
      `import { ChatSiliconFlow } from "langchain-siliconflow";
       const answer = await new ChatSiliconFlow({ model: "Qwen/Qwen3-8B" }).invoke("Who are you?");
       console.log(JSON.stringify(answer.contentBlocks.map((block) => block.type)));`,
    );
    await build({
      root: project.folder,
      logLevel: "silent",
      configFile: false,
      build: {
        ssr: "application.mjs",
        outDir: "bundled",
        rollupOptions: { output: { entryFileNames: "application.mjs" } },
      },
      ssr: { noExternal: true },
    });
    const printed = await run(join(project.folder, "bundled", "application.mjs"), environment);
    expect(JSON.parse(printed)).toEqual(["reasoning", "text"]);
  }, 60_000);
});
