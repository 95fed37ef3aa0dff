/** A piece of an answer, told apart. */
export interface ToldApart {
  reasoning: string;
  text: string;
}

const opening = "<think>";
const closing = "</think>";

/**
 * Tells thoughts from text where a model writes both into its content, as `<think>…</think>` before the answer.
 *
 * Only the start of an answer is looked at, white space aside: a tag further on is what the model wants to say. Tags may come
 * in any number of pieces. White space around the thoughts is not a part of them, nor of the text.
 */
export class ThinkTags {
  #state: "start" | "thinking" | "closed" | "text" = "start";
  /** What cannot be told yet: a part of a tag, or white space that may stand before one. */
  #held = "";
  /** Whether any thought has been passed on: white space before the first one is dropped. */
  #begun = false;

  /** Whether nothing will be told apart any more: content may go past this. */
  get over(): boolean {
    return this.#state === "text";
  }

  push(piece: string): ToldApart {
    if (this.#state === "text") return { reasoning: "", text: piece };
    let rest = this.#held + piece;
    let reasoning = "";
    this.#held = "";

    if (this.#state === "start") {
      const begun = rest.trimStart();
      if (!begun.startsWith(opening)) {
        if (opening.startsWith(begun)) this.#held = rest;
        else this.#state = "text";
        return { reasoning, text: this.#state === "text" ? rest : "" };
      }
      this.#state = "thinking";
      rest = begun.slice(opening.length);
    }
    if (this.#state === "thinking") {
      if (!this.#begun) rest = rest.trimStart();
      const end = rest.indexOf(closing);
      if (end === -1) {
        const told = rest.slice(0, startOfOpenEnd(rest));
        this.#held = rest.slice(told.length);
        this.#begun ||= told !== "";
        return { reasoning: told, text: "" };
      }
      reasoning = rest.slice(0, end).trimEnd();
      rest = rest.slice(end + closing.length);
      this.#state = "closed";
    }
    const text = rest.trimStart();
    if (text !== "") this.#state = "text";
    return { reasoning, text };
  }

  /** What was held back when the answer ends, or goes on elsewhere. */
  end(): ToldApart {
    const held = this.#held;
    const thinking = this.#state === "thinking";
    this.#held = "";
    this.#state = "text";
    return thinking ? { reasoning: held.trimEnd(), text: "" } : { reasoning: "", text: held };
  }
}

/** Where the end of the thoughts may begin: at white space, or the start of a closing tag, that reaches to the end. */
function startOfOpenEnd(text: string): number {
  let end = text.length;
  const tag = text.lastIndexOf("<");
  if (tag !== -1 && closing.startsWith(text.slice(tag))) end = tag;
  return text.slice(0, end).trimEnd().length;
}

/** {@link ThinkTags} for an answer that came in one piece. */
export function tellApart(content: string): ToldApart {
  const tags = new ThinkTags();
  const { reasoning, text } = tags.push(content);
  const end = tags.end();
  return { reasoning: reasoning + end.reasoning, text: text + end.text };
}
