import type { ChatMessage, ChatRequest } from "./chat-request.js";
import { findEvidence, type Evidence, type Findings } from "./evidence.js";
import { promptOf, type Passage, type Prompt } from "./passages.js";
import { fillSchema, keysAskedFor } from "./schema-filling.js";
import { isChinese } from "./terms.js";
import { chooseToolCalls, type ChosenCall, type ToolResult } from "./tool-choice.js";

/** What the model thinks, says and wants called. */
export interface ModelAnswer {
  reasoning: string;
  content: string;
  toolCalls: ChosenCall[];
}

/**
 * What the emulator's chat model answers: a tool call where a tool fits, else what the tools returned, else quotes from
 * the passages in the prompt, else what it was shown, else who it is. It knows nothing that the request does not say.
 *
 * @param sights what there is to see in each picture
 */
export function answerTo(request: ChatRequest, sights: readonly string[] = []): ModelAnswer {
  const prompt = promptOf(request.messages);
  const results = toolResults(request.messages);
  const chinese = isChinese(prompt.question);

  const toolCalls = chooseToolCalls(request, prompt, results);
  if (toolCalls.length > 0) {
    const names = toolCalls.map((call) => call.name).join(chinese ? "、" : ", ");
    const reasoning = chinese ? `这个问题需要调用工具 ${names}。` : `This calls for a tool: ${names}.`;
    return { reasoning, content: "", toolCalls };
  }

  const spoken = results.length > 0 ? fromTools(results, chinese) : fromSources(prompt, sights, chinese);
  if (!request.jsonOutput) return { ...spoken, toolCalls: [] };
  return { ...spoken, content: asJson(request, prompt, spoken.content), toolCalls: [] };
}

type Spoken = Omit<ModelAnswer, "toolCalls">;

function fromSources(prompt: Prompt, sights: readonly string[], chinese: boolean): Spoken {
  if (sights.length === 0) return fromPassages(prompt, chinese);
  if (prompt.passages.length > 0 && findEvidence(prompt.question, prompt.passages).evidence.length > 0) {
    return fromPassages(prompt, chinese);
  }
  const lines = sights.map((sight, index) => {
    const number = sights.length > 1 ? `[${index + 1}] ` : "";
    return chinese ? `我看到${number}${sight}` : `I see ${number}${sight}`;
  });
  const reasoning = chinese
    ? `我看了看给我的 ${sights.length} 个媒体文件。`
    : `I looked at what I was shown: ${sights.length} in all.`;
  return { reasoning, content: lines.join("\n") };
}

function fromPassages({ question, passages }: Prompt, chinese: boolean): Spoken {
  if (passages.length === 0) return introduction(question, chinese);
  const findings = findEvidence(question, passages);
  const reasoning = thoughts(passages, findings, chinese);
  if (findings.evidence.length === 0) {
    const content = chinese ? "所给的段落中没有这个问题的答案。" : "The passages given do not answer this question.";
    return { reasoning, content };
  }
  const quotes = findings.evidence.map((evidence) => `${quoted(evidence.text, chinese)}${citation(evidence)}`);
  const opening = chinese ? "根据所给段落：" : "According to the passages:";
  return { reasoning, content: [opening, ...quotes].join("\n\n") };
}

/** Says what it looked at: every passage, what it holds of the question, and where the answer stands. */
function thoughts(passages: readonly Passage[], { evidence, held }: Findings, chinese: boolean): string {
  const lines = passages.map((passage, index) => {
    const name = nameOf(passage, chinese);
    const share = Math.round(held[index]! * 100);
    return chinese ? `- ${name}：与问题的重合约为 ${share}%。` : `- ${name} holds about ${share}% of what is asked.`;
  });
  const sources = [...new Set(evidence.map(({ passage }) => nameOf(passage, chinese)))].join(chinese ? "、" : ", ");
  const start = chinese
    ? `我来看看这 ${passages.length} 个段落。`
    : `Let me see what I was given: ${passages.length} in all.`;
  let end = chinese ? `答案应当在 ${sources} 中，我引用原文。` : `The answer should be in ${sources}; I will quote it.`;
  if (evidence.length === 0) end = chinese ? "没有一个段落包含答案。" : "None of them holds the answer.";
  return [start, ...lines, end].join("\n");
}

function nameOf(passage: Passage, chinese: boolean): string {
  if (passage.number !== undefined) return `[${passage.number}]`;
  return chinese ? "上下文" : "the context";
}

function citation({ passage }: Evidence): string {
  return passage.number === undefined ? "" : ` [${passage.number}]`;
}

/** In quotation marks that the text itself does not contain, so that a reader finds where it ends. */
function quoted(text: string, chinese: boolean): string {
  const pairs = chinese ? ["“”", "「」", '""'] : ['""', "“”", "「」"];
  const [open, close] = [...(pairs.find((pair) => ![...pair].some((mark) => text.includes(mark))) ?? "«»")];
  return `${open}${text}${close}`;
}

/** The results of the tools that were called since the user last spoke. */
function toolResults(messages: readonly ChatMessage[]): ToolResult[] {
  const names = new Map(messages.flatMap((message) => [...message.toolCalls]));
  const since = messages.findLastIndex((message) => message.role === "user");
  return messages
    .slice(since + 1)
    .filter((message) => message.role === "tool")
    .map((message) => ({ name: names.get(message.toolCallId ?? "") ?? "tool", text: message.text.trim() }));
}

function fromTools(results: readonly ToolResult[], chinese: boolean): Spoken {
  const names = [...new Set(results.map(({ name }) => name))].join(chinese ? "、" : ", ");
  return {
    reasoning: chinese
      ? `工具 ${names} 已经返回结果，可以回答了。`
      : `The results of ${names} are here, so I can answer.`,
    content: results
      .map(({ name, text }) =>
        chinese ? `${name} 的结果：${text || "（空）"}` : `${name} returned: ${text || "(nothing)"}`,
      )
      .join("\n"),
  };
}

function introduction(question: string, chinese: boolean): Spoken {
  const characters = [...question];
  const excerpt = characters.length > 80 ? `${characters.slice(0, 80).join("")}…` : question;
  if (chinese) {
    return {
      reasoning: "提示中没有可以引用的段落，也没有合适的工具，所以我说明自己是什么。",
      content: `您写道：“${excerpt}”。我是 SiliconFlow 接口的本地模拟器，不是真正的模型，自己什么都不知道。请给我带编号的段落和一个问题，我会引用能回答问题的句子；给我工具，我会调用合适的那个。`,
    };
  }
  return {
    reasoning: "The prompt holds no passages to quote and no tool that fits, so I say what I am.",
    content:
      `You wrote: “${excerpt}”. I am an emulator of the SiliconFlow API on this machine, not a real model, and know nothing myself. ` +
      "Give me numbered passages and a question, and I quote the sentences that answer it; give me tools, and I call the one that fits.",
  };
}

function asJson(request: ChatRequest, prompt: Prompt, answer: string): string {
  const { schema } = request.jsonOutput!;
  const source = { text: prompt.question, answer };
  if (schema) return JSON.stringify(fillSchema(schema, source));
  const asked = request.messages.map((message) => message.text).join("\n");
  const keys = keysAskedFor(asked);
  const properties = Object.fromEntries(keys.map((key) => [key, { type: "string" }]));
  return JSON.stringify(fillSchema({ type: "object", properties, required: keys }, source));
}
