import { describe, expect, test } from "vitest";
import { answerTo, type ModelAnswer } from "./answering.js";
import { chatRequestOf } from "./chat-request.js";
import { hostedModels } from "./catalog.js";
import { settingsFrom } from "./options.js";
import { promptOf } from "./passages.js";
import type { Service } from "./router.js";

type Message = { role: "system" | "user"; content: string };

// Reading a request takes only the catalogue and the settings of a service.
const service = { models: hostedModels({ semantic: false }), settings: settingsFrom({}) } as unknown as Service;

function request(messages: string | Message[]) {
  const list = typeof messages === "string" ? [{ role: "user", content: messages }] : messages;
  return chatRequestOf({ model: "emulator/quote", messages: list }, service);
}

const answer = (messages: string | Message[]): ModelAnswer => answerTo(request(messages));
const promptIn = (messages: string | Message[]) => promptOf(request(messages).messages);

const alpha = "Alpha is a town in the north of Peru. It lies on the river Beta.";
const gamma = 'Gamma was founded in 1532 by Dr. J. Smith. Its people call it "the old one" to this day.';

describe("passages and question are read from", () => {
  const passages = [
    { number: 1, text: alpha },
    { number: 2, text: gamma },
  ];
  const question = "When was Gamma founded?";

  test.each([
    [
      "numbers in brackets and a labelled question",
      `Cite your sources.\n\n[1] ${alpha}\n\n[2] ${gamma}\n\nQuestion: ${question}\nAnswer:`,
    ],
    ["numbers in brackets and a question below", `[1] ${alpha}\n\n[2] ${gamma}\n\n${question}`],
    ["a question above", `Question: ${question}\n\n[1]: ${alpha}\n[2]: ${gamma}`],
    [
      "tags with an id",
      `<passages>\n<passage id="1" source="a.md">\n${alpha}\n</passage>\n<passage id='2'>${gamma}</passage>\n</passages>\n\n${question}`,
    ],
    [
      "documents in tags",
      `<document index="1"><source>a</source><document_content>${alpha}</document_content></document><document index="2">${gamma}</document>\n<question>${question}</question>`,
    ],
    ["labels", `Passage 1: ${alpha}\nPassage 2: ${gamma}\n\nQ: ${question}`],
    [
      "labels as headings with titles",
      `### Document 1 (a.md)\n${alpha}\n\n### Document 2 (b.md)\n${gamma}\n\n**Question:** ${question}`,
    ],
    ["passages between ruled lines", `---\n[1] ${alpha}\n---\n[2] ${gamma}\n---\n\n${question}`],
    ["brackets within a tag", `<context>\n[1] ${alpha}\n\n[2] ${gamma}\n</context>\n\n${question}`],
  ])("%s", (_form, prompt) => {
    expect(promptIn(prompt)).toEqual({ question, passages });
  });

  test("a system message, while the user only asks", () => {
    const messages: Message[] = [
      { role: "system", content: `Answer from these.\n[1] ${alpha}\n[2] ${gamma}` },
      { role: "user", content: question },
    ];
    expect(promptIn(messages)).toEqual({ question, passages });
  });

  test("Chinese labels", () => {
    expect(promptIn("段落1：黑豹队只丢了308分。\n段落2：野马队赢了。\n\n问题：黑豹队丢了多少分？")).toEqual({
      question: "黑豹队丢了多少分？",
      passages: [
        { number: 1, text: "黑豹队只丢了308分。" },
        { number: 2, text: "野马队赢了。" },
      ],
    });
  });

  test("a context without numbers", () => {
    const prompt = `Use this context.\nQuestion: ${question}\nContext: ${alpha}\n\n${gamma}\nAnswer:`;
    expect(promptIn(prompt)).toEqual({ question, passages: [{ number: undefined, text: `${alpha}\n\n${gamma}` }] });
  });

  test("a passage that itself has a reference at the start of a line", () => {
    const prompt = `[1] See below.\n[7] is a reference.\n\n[2] ${gamma}\n\n${question}`;
    expect(promptIn(prompt).passages.map((passage) => passage.text)).toEqual([
      "See below.\n[7] is a reference.",
      gamma,
    ]);
  });

  test("nothing, when there are none", () => {
    expect(promptIn("What is the capital of Peru?")).toEqual({
      question: "What is the capital of Peru?",
      passages: [],
    });
  });
});

describe("the answer", () => {
  const ask = (question: string) => answer(`[1] ${alpha}\n\n[2] ${gamma}\n\nQuestion: ${question}`);

  test("quotes the sentence that answers, whole and verbatim, with its number", () => {
    expect(ask("When was Gamma founded?").content).toBe(
      'According to the passages:\n\n"Gamma was founded in 1532 by Dr. J. Smith." [2]',
    );
  });

  test("puts a sentence with quotation marks between others", () => {
    expect(ask("What do the people of Gamma call it?").content).toContain(
      '“Its people call it "the old one" to this day.” [2]',
    );
  });

  test("tells in its thoughts what it looked at", () => {
    expect(ask("When was Gamma founded?").reasoning).toMatch(
      /\[1\] holds about 0%.*\n.*\[2\] holds about \d+%[^]*in \[2\]/,
    );
  });

  test("says that the passages hold no answer, without a citation", () => {
    const { content, reasoning } = ask("Who won the chess championship of 1990?");
    expect(content).toBe("The passages given do not answer this question.");
    expect(reasoning).toContain("None of them holds the answer.");
  });

  test("says so to a question that asks about nothing", () => {
    expect(ask("What is it?").content).not.toContain("[");
  });

  test("is in Chinese for a Chinese question", () => {
    const passages = "[1] 黑豹队的防守只丢了308分，排名第六。野马队赢了超级碗。\n\n";
    expect(answer(`${passages}问题：黑豹队丢了多少分？`).content).toBe(
      "根据所给段落：\n\n“黑豹队的防守只丢了308分，排名第六。” [1]",
    );
    expect(answer(`${passages}问题：光合作用是怎么发生的？`).content).toBe("所给的段落中没有这个问题的答案。");
  });

  test("leaves the number out where there is none", () => {
    expect(answer(`Context:\n${gamma}\n\nQuestion: When was Gamma founded?`).content).toMatch(/Smith\."$/);
  });

  test("keeps a wrapped line of Markdown whole, and leaves list marks and headings out", () => {
    const text = "## Sockets\n\n- The pool keeps eight\n  sockets open by default.\n- Other things are closed.";
    expect(answer(`[1] ${text}\n\nQuestion: How many sockets does the pool keep open?`).content).toContain(
      '"The pool keeps eight\n  sockets open by default." [1]',
    );
  });

  test("without passages is who it is, with nothing that looks like a citation", () => {
    const { content } = answer("What is the capital of Peru?");
    expect(content).toContain("I am an emulator of the SiliconFlow API");
    expect(content).not.toMatch(/\[\d+\]/);
    expect(answer("你是谁？").content).toContain("本地模拟器");
  });
});
