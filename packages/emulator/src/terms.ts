import { stem } from "./stem.js";

/** One thing a text says: a stemmed word, a number, one ideograph or two neighbouring ones. */
export interface Term {
  text: string;
  /** How much it tells, before any collection was seen: near 0 for function words, about 1 for a rare word. */
  weight: number;
  /** Place in the text, counted in words and ideographs. */
  position: number;
}

const functionWords = new Set(
  (
    "a about above across after again against all almost along also although always am among an and another any are around as at " +
    "away back be became because become been before behind being below between both but by came can cannot come could did do does " +
    "doing done down during each either else even ever every few for from further get give go had has have having he her here hers " +
    "him himself his how however i if in into is it its itself just kind know known least less let like made make many may me might " +
    "mine more most much must my myself near neither never no nor not now of off often on once one only or other others our out " +
    "over own per please rather really same see seem shall she should since so some something such take tell than that the their " +
    "theirs them themselves then there these they thing this those though through thus to together too toward towards under until " +
    "up upon us use used using very was we well were what whatever when where whether which while who whoever whom whose why will " +
    "with within without would yes yet you your yours s t don doesn didn isn wasn aren ll ve re d m"
  ).split(" "),
);

// Words that stand in a great many texts, and in questions about anything. They tell something, but little.
const commonWords = new Set(
  (
    "able according act actually add age ago american amount answer area ask available base based began begin believe best better " +
    "big call called case cause century certain change child city common company consider contain continue country create current " +
    "day describe develop different early effect end example exist experience explain fact far feel find first follow form found full " +
    "general good great group grow hand happen hard help high history hold home human idea important include increase information " +
    "instead involve issue keep lack language large last late later lead leave left life likely line list little live local long look " +
    "low main major man mean member method million modern month move name nation national need new next number occur offer old " +
    "open order original part particular people percent period person place plan play point popular population possible power " +
    "present problem process produce provide public put question quite reason receive refer relate report result right role " +
    "run say second section set several show side similar simple single small social sort source special specific start state still " +
    "study support system talk term test thing think third time today total try turn two three four five type understand united usually " +
    "value view want war water way week word work world write year"
  )
    .split(" ")
    .map(stem),
);

const functionCharacters = new Set(
  "的了是在和与及或而且也就都又很最更把被让使对于从到向往由以为因所之其此这那哪谁何什么怎吗呢吧啊呀嘛么个们着过地得等中上下里内外前后时候多少几有无不没未非可能会要应该我你您他她它自己些每各另某么如若则即并但还再只已曾将正么样请问吗种间",
);

// Two ideographs that make up a question or hold a sentence together.
const functionPairs = new Set(
  "什么 怎么 怎样 如何 为什 哪些 哪个 哪里 哪种 哪位 多少 几个 何时 何种 何地 是谁 谁是 是什 的是 是否 可以 可能 因为 所以 但是 以及 或者 如果 这个 那个 这些 那些 他们 她们 它们 我们 自己 没有 不是 还是 就是 而是 进行 通过 之间 之后 之前 时候 其中 其他 由于 关于 对于 根据 一个 一种 一些 名字 称为 被称 叫做 哪一 请问 有多 么时 的人".split(
    " ",
  ),
);

const ideographs = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}";
const units = new RegExp(`[${ideographs}]+|\\p{N}+(?:[.,]\\p{N}+)*|(?:(?![${ideographs}])[\\p{L}\\p{M}])+`, "gu");
const ideographRun = new RegExp(`^[${ideographs}]`, "u");

/** The terms of a text in English, Chinese, or both, in their order. Case, accents and width make no difference. */
export function termsOf(text: string): Term[] {
  const terms: Term[] = [];
  let position = 0;
  for (const [unit] of folded(text).matchAll(units)) {
    if (ideographRun.test(unit)) {
      position = addIdeographs(terms, unit, position);
    } else {
      const { text: stemmed, weight } = word(unit);
      terms.push({ text: stemmed, weight, position });
      position += 1;
    }
  }
  return terms;
}

/** Whether a text is to be answered in Chinese. */
export function isChinese(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}

function folded(text: string): string {
  const lower = text.normalize("NFKC").toLowerCase();
  // Accents are dropped only where there are any: decomposing costs more than all the rest.
  return /[\u00c0-\u024f]|\p{M}/u.test(lower) ? lower.normalize("NFD").replaceAll(/\p{Mn}/gu, "") : lower;
}

// Texts repeat their words, and stemming is most of the work. Cleared when full: nobody's vocabulary is larger.
const knownWords = new Map<string, Omit<Term, "position">>();
const mostKnownWords = 100_000;

function word(unit: string): Omit<Term, "position"> {
  let known = knownWords.get(unit);
  if (!known) {
    known = weighedWord(unit);
    if (knownWords.size >= mostKnownWords) knownWords.clear();
    knownWords.set(unit, known);
  }
  return known;
}

function weighedWord(unit: string): Omit<Term, "position"> {
  if (/^\p{N}/u.test(unit)) {
    const digits = unit.replaceAll(",", "");
    return { text: digits, weight: digits.length > 1 ? 1 : 0.6 };
  }
  if (functionWords.has(unit)) return { text: unit, weight: 0.03 };
  const text = stem(unit);
  if (commonWords.has(text)) return { text, weight: 0.45 };
  // Long words are rarer than short ones, in every language that is written with letters.
  return { text, weight: Math.min(1.1, 0.7 + 0.04 * unit.length) };
}

function addIdeographs(terms: Term[], run: string, start: number): number {
  const characters = [...run];
  for (const [offset, character] of characters.entries()) {
    const position = start + offset;
    const functional = functionCharacters.has(character);
    terms.push({ text: character, weight: functional ? 0.02 : 0.5, position });
    const next = characters[offset + 1];
    if (next === undefined) continue;
    const pair = character + next;
    let weight = functional || functionCharacters.has(next) ? 0.35 : 1;
    if (functional && functionCharacters.has(next)) weight = 0.04;
    terms.push({ text: pair, weight: functionPairs.has(pair) ? 0.04 : weight, position });
  }
  return start + characters.length;
}
