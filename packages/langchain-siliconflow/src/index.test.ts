import * as chat from "@langchain-siliconflow/chat";
import * as client from "@langchain-siliconflow/client";
import * as embeddings from "@langchain-siliconflow/embeddings";
import * as rerank from "@langchain-siliconflow/rerank";
import * as tools from "@langchain-siliconflow/tools";
import { expect, test } from "vitest";
import * as chatSubpath from "./chat.js";
import * as clientSubpath from "./client.js";
import * as embeddingsSubpath from "./embeddings.js";
import * as everything from "./index.js";
import * as rerankSubpath from "./rerank.js";
import * as toolsSubpath from "./tools.js";

test("the root holds every public name of the packages, and no name twice", () => {
  // A name that two packages export would silently be missing from `export *`.
  const names = [chat, client, embeddings, rerank, tools].flatMap((exported) => Object.keys(exported));
  expect(Object.keys(everything).sort()).toEqual(names.sort());
  expect(everything).toMatchObject({ ...chat, ...client, ...embeddings, ...rerank, ...tools });
});

test("each subpath is its package", () => {
  expect({ ...chatSubpath }).toEqual({ ...chat });
  expect({ ...clientSubpath }).toEqual({ ...client });
  expect({ ...embeddingsSubpath }).toEqual({ ...embeddings });
  expect({ ...rerankSubpath }).toEqual({ ...rerank });
  expect({ ...toolsSubpath }).toEqual({ ...tools });
});
