import { SiliconFlowError } from "@langchain-siliconflow/client";
import { ContextualCompressionRetriever } from "@langchain/classic/retrievers/contextual_compression";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { Document, type DocumentInterface } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { Runnable, RunnableLambda } from "@langchain/core/runnables";
import { FakeEmbeddings } from "@langchain/core/utils/testing";
import { describe, expect, test } from "vitest";
import { type Reranker, RerankedRetriever, type RerankedRetrieverInput } from "./reranked-retriever.js";
import { SiliconFlowRerank } from "./siliconflow-rerank.js";

const documents = ["a", "b", "c", "d"].map((text) => new Document({ pageContent: text, metadata: { text }, id: text }));

class ListRetriever extends BaseRetriever {
  lc_namespace = ["test"];
  asked: unknown[] = [];

  override async _getRelevantDocuments(query: string): Promise<DocumentInterface[]> {
    this.asked.push(query);
    return documents;
  }
}

/** A reranker that turns the order round, and keeps what it was called with. */
function reversing() {
  const calls: Parameters<Reranker["compressDocuments"]>[] = [];
  const reranker: Reranker = {
    async compressDocuments(...call) {
      calls.push(call);
      return call[0].toReversed();
    },
  };
  return { reranker, calls };
}

function failing(error: unknown): Reranker {
  return {
    async compressDocuments() {
      throw error;
    },
  };
}

function retrieverOf(fields: Partial<RerankedRetrieverInput> = {}) {
  return new RerankedRetriever({ retriever: new ListRetriever(), reranker: reversing().reranker, ...fields });
}

/** `SiliconFlowRerank` over a client that answers at once: the longest document is the best. */
function siliconFlowRerank(topN?: number) {
  const client = {
    rerank: {
      create: async ({ documents }: { documents: unknown[]; top_n?: number }) => ({
        results: documents.map((text, index) => ({ index, relevance_score: String(text).length / 100 })),
      }),
    },
  };
  return new SiliconFlowRerank({ model: "m", client, topN });
}

const textOf = (found: DocumentInterface[]) => found.map(({ pageContent }) => pageContent);

describe("what is returned", () => {
  test("is what the reranker makes of the candidates", async () => {
    await expect(retrieverOf().invoke("q").then(textOf)).resolves.toEqual(["d", "c", "b", "a"]);
  });

  test("is cut to topN, of the first fetchK candidates", async () => {
    await expect(retrieverOf({ fetchK: 3, topN: 2 }).invoke("q").then(textOf)).resolves.toEqual(["c", "b"]);
  });

  test("is nothing, without a rerank, when nothing was found", async () => {
    const { reranker, calls } = reversing();
    const retriever = new RunnableLambda<string, DocumentInterface[]>({ func: async () => [] });
    await expect(retrieverOf({ retriever, reranker }).invoke("q")).resolves.toEqual([]);
    expect(calls).toEqual([]);
  });

  test("carries the scores of SiliconFlowRerank", async () => {
    const retriever = retrieverOf({ reranker: siliconFlowRerank(), topN: 1 });
    await expect(retriever.invoke("q")).resolves.toEqual([
      { pageContent: "a", id: "a", metadata: { text: "a", relevanceScore: 0.01 } },
    ]);
    expect(documents[0]!.metadata).toEqual({ text: "a" });
  });
});

describe("a vector store's retriever", () => {
  test("is asked for fetchK documents, and keeps its own k for others", async () => {
    const store = new MemoryVectorStore(new FakeEmbeddings());
    await store.addDocuments(
      Array.from({ length: 30 }, (_, index) => new Document({ pageContent: "x".repeat(index + 1) })),
    );
    const retriever = store.asRetriever({ k: 4 });
    const { reranker, calls } = reversing();
    const reranked = retrieverOf({ retriever, reranker, fetchK: 20, topN: 5 });
    await expect(reranked.invoke("q")).resolves.toHaveLength(5);
    expect(calls[0]![0]).toHaveLength(20);
    expect(retriever.k).toBe(4);
    await expect(retriever.invoke("q")).resolves.toHaveLength(4);
  });

  test("is asked for its own k without fetchK", async () => {
    const store = new MemoryVectorStore(new FakeEmbeddings());
    await store.addDocuments(documents);
    const { reranker, calls } = reversing();
    await retrieverOf({ retriever: store.asRetriever(3), reranker }).invoke("q");
    expect(calls[0]![0]).toHaveLength(3);
  });
});

describe("callbacks", () => {
  class Recorder extends BaseCallbackHandler {
    name = "recorder";
    seen: unknown[] = [];
    #names = new Map<string, string>();

    override handleRetrieverStart(
      ...[, query, runId, parentRunId, tags]: Parameters<NonNullable<BaseCallbackHandler["handleRetrieverStart"]>>
    ) {
      this.#names.set(runId, parentRunId === undefined ? "outer" : "inner");
      this.seen.push(["start", this.#names.get(runId), this.#names.get(parentRunId ?? ""), query, tags]);
    }
    override handleRetrieverEnd(_: unknown, runId: string) {
      this.seen.push(["end", this.#names.get(runId)]);
    }
    override handleRetrieverError(error: Error, runId: string) {
      this.seen.push(["error", this.#names.get(runId), error.message]);
    }
    override handleCustomEvent(event: string, data: unknown, runId: string) {
      this.seen.push([event, this.#names.get(runId), data]);
    }
  }

  test("reach the inner retriever and the reranker as children of this run", async () => {
    const recorder = new Recorder();
    const { reranker, calls } = reversing();
    await retrieverOf({ reranker }).invoke("q", { callbacks: [recorder] });
    expect(recorder.seen).toEqual([
      ["start", "outer", undefined, "q", []],
      ["start", "inner", "outer", "q", ["retriever"]],
      ["end", "inner"],
      ["end", "outer"],
    ]);
    const child = calls[0]![2] as unknown as { getParentRunId(): string; tags: string[] };
    expect(child.getParentRunId()).toEqual(expect.any(String));
    expect(child.tags).toEqual(["reranker"]);
  });

  test("tell of a rerank that failed while the order was kept", async () => {
    const recorder = new Recorder();
    const reranker = failing(new SiliconFlowError("503 busy", { reason: "overloaded" }));
    const found = await retrieverOf({ reranker, topN: 2, onRerankError: "keepOrder" }).invoke("q", {
      callbacks: [recorder],
    });
    expect(found).toEqual([
      { pageContent: "a", id: "a", metadata: { text: "a", rerankError: "overloaded" } },
      { pageContent: "b", id: "b", metadata: { text: "b", rerankError: "overloaded" } },
    ]);
    expect(recorder.seen).toContainEqual([
      "rerank_failed",
      "outer",
      { name: "SiliconFlowError", reason: "overloaded", message: "503 busy" },
    ]);
    expect(recorder.seen.at(-1)).toEqual(["end", "outer"]);
    expect(documents[0]!.metadata).toEqual({ text: "a" });
  });

  test("tell of a rerank that failed the call", async () => {
    const recorder = new Recorder();
    const call = retrieverOf({ reranker: failing(new Error("no")) }).invoke("q", { callbacks: [recorder] });
    await expect(call).rejects.toThrow("no");
    expect(recorder.seen.at(-1)).toEqual(["error", "outer", "no"]);
  });
});

describe("a failed rerank", () => {
  test("is thrown by default", async () => {
    const error = new Error("no");
    await expect(retrieverOf({ reranker: failing(error) }).invoke("q")).rejects.toBe(error);
  });

  test("keeps the retriever's order when that was chosen, also without callbacks", async () => {
    const retriever = retrieverOf({ reranker: failing("no error at all"), onRerankError: "keepOrder", fetchK: 3 });
    const found = await retriever.invoke("q");
    expect(textOf(found)).toEqual(["a", "b", "c"]);
    expect(found[0]!.metadata).toMatchObject({ rerankError: "Error" });
  });

  test("is not confused with a failed search, which is always thrown", async () => {
    const retriever = new RunnableLambda<string, DocumentInterface[]>({
      func: async () => {
        throw new Error("no store");
      },
    });
    await expect(retrieverOf({ retriever, onRerankError: "keepOrder" }).invoke("q")).rejects.toThrow("no store");
  });
});

describe("a signal", () => {
  test("reaches the retriever and the reranker, with topN", async () => {
    const { reranker, calls } = reversing();
    const signals: unknown[] = [];
    const retriever = new RunnableLambda({
      func: async (_: string, config: { signal?: AbortSignal }) => {
        signals.push(config.signal);
        return documents as DocumentInterface[];
      },
    });
    const { signal } = new AbortController();
    await retrieverOf({ retriever, reranker, topN: 2 }).invoke("q", { signal });
    expect(signals).toEqual([signal]);
    expect(calls[0]![3]).toEqual({ signal, topN: 2 });
  });

  test.each(["throw", "keepOrder"] as const)(
    "ends a rerank that does not listen, with the caller's reason (%s)",
    async (onRerankError) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const reranker: Reranker = {
        compressDocuments: () => {
          queueMicrotask(() => controller.abort(reason));
          return new Promise(() => {});
        },
      };
      const call = retrieverOf({ reranker, onRerankError }).invoke("q", { signal: controller.signal });
      await expect(call).rejects.toBe(reason);
    },
  );

  test("of one call is not that of another", async () => {
    const controller = new AbortController();
    const retriever = retrieverOf();
    const [aborted, other] = [retriever.invoke("q", { signal: controller.signal }), retriever.invoke("q")];
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await expect(other).resolves.toHaveLength(4);
  });

  test("that fired before is heard, and a timeout is a TimeoutError", async () => {
    const reason = new Error("before");
    const retriever = new ListRetriever();
    const call = retrieverOf({ retriever }).invoke("q", { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect(retriever.asked).toEqual([]);
    const reranker: Reranker = { compressDocuments: () => new Promise(() => {}) };
    await expect(retrieverOf({ reranker }).invoke("q", { timeout: 30 })).rejects.toMatchObject({
      name: "TimeoutError",
      phase: "total",
    });
  });
});

describe("within LangChain", () => {
  test("it is a runnable like any other", async () => {
    const retriever = retrieverOf({ topN: 2 });
    expect(Runnable.isRunnable(retriever)).toBe(true);
    expect(retriever).toBeInstanceOf(BaseRetriever);
    await expect(retriever.pipe((found) => textOf(found)).invoke("q")).resolves.toEqual(["d", "c"]);
    await expect(retriever.batch(["q", "r"])).resolves.toHaveLength(2);
    expect(retriever.getName()).toBe("RerankedRetriever");
    // The form that older code calls.
    await expect(retriever._getRelevantDocuments("q").then(textOf)).resolves.toEqual(["d", "c"]);
  });

  test("SiliconFlowRerank works in ContextualCompressionRetriever", async () => {
    const retriever = new ContextualCompressionRetriever({
      baseCompressor: siliconFlowRerank(3),
      baseRetriever: new ListRetriever(),
    });
    const found = await retriever.invoke("q");
    expect(textOf(found)).toEqual(["a", "b", "c"]);
    expect(found[0]!.metadata).toEqual({ text: "a", relevanceScore: 0.01 });
  });

  test("nothing of a key can be read from it", () => {
    const reranker = new SiliconFlowRerank({ model: "m", apiKey: "sk-canary" });
    const retriever = retrieverOf({ reranker });
    expect(JSON.stringify(retriever) + JSON.stringify(retriever.lc_kwargs)).not.toContain("sk-canary");
  });

  test.each([
    [{ retriever: {} as never }, "of a vector store its asRetriever()"],
    [{ reranker: {} as never }, "reranker must be"],
    [{ fetchK: 0 }, "fetchK must be"],
    [{ topN: 2.5 }, "topN must be"],
    [{ onRerankError: "ignore" as never }, "onRerankError must be"],
  ] as [Partial<RerankedRetrieverInput>, string][])("the option %o is refused", (fields, message) => {
    expect(() => retrieverOf(fields)).toThrow(message);
  });

  test("no options at all are refused, too", () => {
    expect(() => new RerankedRetriever(undefined as never)).toThrow("retriever must be");
  });
});
