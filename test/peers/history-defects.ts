import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import type { Reply } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { brief, defect, whenAnswered, type Defect, type Scene } from "./scenario.ts";

const answered: Reply = { body: wire.completion({ content: "A" }) };
type Sent = Record<string, unknown>[];

/** Sends a conversation and returns it as the server saw it. */
const sent =
  (...messages: BaseMessage[]) =>
  async ({ model, server }: Scene): Promise<Sent> => {
    await model({ model: "deepseek-ai/DeepSeek-V3.2" }).invoke(messages);
    return server.requests[0]!.body["messages"] as Sent;
  };

const question = new HumanMessage("How many?");
const call = { id: "c1", name: "stock", args: { sku: "A" }, type: "tool_call" as const };
const result = new ToolMessage({ content: "12", tool_call_id: "c1", name: "stock" });
/** As every answer of the v3 events is. */
const v1 = (...blocks: object[]): AIMessage =>
  // The blocks of one version of LangChain are given by hand.
  new AIMessage({
    content: blocks as never,
    tool_calls: [call],
    response_metadata: { output_version: "v1" },
  });

const hasThought = whenAnswered<Sent>((messages) =>
  messages[1]?.["reasoning_content"] === "Hm." ? undefined : "thoughts dropped",
);
const hasPlainContent = whenAnswered<Sent>((messages) =>
  Array.isArray(messages[1]?.["content"]) ? `content: ${brief(JSON.stringify(messages[1]["content"]))}` : undefined,
);
const group = "history";

/** A part that the service documents, or a clear refusal, but neither silence nor a part nobody knows. */
const partOfMessage =
  (place: number, type: string): Defect<Sent>["judge"] =>
  (outcome, scene) => {
    if ("error" in outcome && /image|video/.test(outcome.error.message)) return undefined;
    return whenAnswered<Sent>((messages) => {
      const { content } = messages[place]!;
      const parts = Array.isArray(content) ? (content as { type: string }[]) : [];
      if (parts.some((part) => part.type === type)) return undefined;
      const unknown = parts.find((part) => part.type !== "text");
      return unknown ? `sent raw as "${unknown.type}"` : "dropped without a word";
    })(outcome, scene);
  };

export const historyDefects: readonly Defect[] = [
  defect({
    group,
    name: "reasoning_content of a tool turn goes back",
    replies: [answered],
    call: sent(
      question,
      new AIMessage({ content: "", tool_calls: [call], additional_kwargs: { reasoning_content: "Hm." } }),
      result,
    ),
    judge: hasThought,
  }),
  defect({
    group,
    name: "reasoning block of a tool turn goes back (v1 message)",
    replies: [answered],
    call: sent(question, v1({ type: "reasoning", reasoning: "Hm." }, call), result),
    judge: hasThought,
  }),
  defect({
    group,
    name: "text of a v1 message goes out as text",
    replies: [answered],
    call: sent(question, v1({ type: "text", text: "Let me look." }, call), result),
    judge: hasPlainContent,
  }),
  defect({
    group,
    name: "a v1 message of calls alone has no list as content",
    replies: [answered],
    call: sent(question, v1(call), result),
    judge: hasPlainContent,
  }),
  defect({
    group,
    name: 'the name "model" that agents write stays at home',
    replies: [answered],
    call: sent(question, new AIMessage({ content: "", name: "model", tool_calls: [call] }), result),
    judge: whenAnswered((messages) => {
      const named = messages.filter((message) => "name" in message).map(({ role }) => role);
      return named.length === 0 ? undefined : `name sent with: ${named.join(", ")}`;
    }),
  }),
  defect({
    group,
    name: "an image block of a question becomes image_url",
    replies: [answered],
    call: sent(new HumanMessage({ content: [{ type: "image", url: "https://example.test/a.png" }] })),
    judge: partOfMessage(0, "image_url"),
  }),
  defect({
    group,
    name: "an image block of a tool's result is refused or becomes image_url",
    replies: [answered],
    call: sent(
      question,
      new AIMessage({ content: "", tool_calls: [call] }),
      new ToolMessage({ content: [{ type: "image", url: "https://example.test/a.png" }], tool_call_id: "c1" }),
    ),
    judge: partOfMessage(2, "image_url"),
  }),
  defect({
    group,
    name: "a v1 video block becomes video_url",
    replies: [answered],
    call: sent(
      new HumanMessage({
        contentBlocks: [
          { type: "text", text: "What is this?" },
          { type: "video", url: "https://example.test/a.mp4" },
        ],
      }),
    ),
    judge: partOfMessage(0, "video_url"),
  }),
];
