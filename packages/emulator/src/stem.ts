// Porter's algorithm of 1980 (https://tartarus.org/martin/PorterStemmer/), as tables of suffix → replacement.
const consonants = "[^aeiou][^aeiouy]*";
const vowels = "[aeiouy][aeiou]*";
/** At least one, exactly one, at least two changes from vowels to consonants. */
const oneOrMore = new RegExp(`^(${consonants})?${vowels}${consonants}`);
const exactlyOne = new RegExp(`^(${consonants})?${vowels}${consonants}(${vowels})?$`);
const twoOrMore = new RegExp(`^(${consonants})?${vowels}${consonants}${vowels}${consonants}`);
const hasVowel = new RegExp(`^(${consonants})?[aeiouy]`);
const endsShort = /^[^aeiou][^aeiouy]*[aeiouy][^aeiouwxy]$/;

const doubled = suffixes(
  "ational ate,tional tion,enci ence,anci ance,izer ize,bli ble,alli al,entli ent,eli e,ousli ous,ization ize,ation ate," +
    "ator ate,alism al,iveness ive,fulness ful,ousness ous,aliti al,iviti ive,biliti ble,logi log",
);
const derived = suffixes("icate ic,ative ,alize al,iciti ic,ical ic,ful ,ness ");
const endings = suffixes(
  "al ,ance ,ence ,er ,ic ,able ,ible ,ant ,ement ,ment ,ent ,ou ,ism ,ate ,iti ,ous ,ive ,ize ,sion s,tion t",
);

/** The stem of a lower-case English word, so that `invaded` and `invades` are one term. Other words come back as they are. */
export function stem(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  let result = word;
  if (/(ss|i)es$/.test(result)) result = result.slice(0, -2);
  else if (/[^s]s$/.test(result)) result = result.slice(0, -1);
  result = withoutPast(result);
  if (result.endsWith("y") && hasVowel.test(result.slice(0, -1))) result = `${result.slice(0, -1)}i`;
  result = replaced(result, doubled, oneOrMore);
  result = replaced(result, derived, oneOrMore);
  result = replaced(result, endings, twoOrMore);
  if (result.endsWith("e")) {
    const base = result.slice(0, -1);
    if (twoOrMore.test(base) || (exactlyOne.test(base) && !endsShort.test(base))) result = base;
  }
  return result.endsWith("ll") && twoOrMore.test(result) ? result.slice(0, -1) : result;
}

function withoutPast(word: string): string {
  if (word.endsWith("eed")) return oneOrMore.test(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const base = word.replace(/(ed|ing)$/, "");
  if (base === word || !hasVowel.test(base)) return word;
  if (/(at|bl|iz)$/.test(base)) return `${base}e`;
  if (/([^aeiouylsz])\1$/.test(base)) return base.slice(0, -1);
  return endsShort.test(base) ? `${base}e` : base;
}

function suffixes(table: string): [suffix: string, replacement: string][] {
  const pairs = table.split(",").map((pair) => pair.split(" ") as [string, string]);
  // The longest suffix that fits decides, also when its condition then fails.
  return pairs.toSorted(([one], [other]) => other.length - one.length);
}

function replaced(word: string, table: [string, string][], condition: RegExp): string {
  const found = table.find(([suffix]) => word.endsWith(suffix));
  if (!found) return word;
  const base = word.slice(0, -found[0].length);
  return condition.test(base) ? base + found[1] : word;
}
