import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { repository } from "../guard/setup.ts";

/** A regular expression of a published package, where it stands and as it is written. */
export interface Expression {
  file: string;
  written: string;
  /** `undefined` where it is put together while the program runs. */
  regex: RegExp | undefined;
}

/** Every regular expression of the packages' sources, found by the TypeScript parser: a new one cannot be forgotten. */
export function collectExpressions(): Expression[] {
  return globSync(join(repository, "packages/*/src/**/*.ts"))
    .filter((path) => !path.endsWith(".test.ts"))
    .toSorted()
    .flatMap((path) => expressionsOf(relative(repository, path), readFileSync(path, "utf8")));
}

function expressionsOf(file: string, text: string): Expression[] {
  const found: Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      const regex = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ file, written: node.text, regex });
    }
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp") {
      found.push({ file, written: node.getText().replaceAll(/\s+/g, " "), regex: undefined });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

/**
 * Texts that make a careless expression slow: each of its own pieces again and again, after what stands before it in the
 * expression, in pairs, and with an end that does not match.
 */
export function* adversaries({ source }: RegExp, length: number): Generator<string> {
  const pieces = piecesOf(source);
  for (const [position, piece] of pieces.entries()) {
    const before = pieces.slice(Math.max(0, position - 12), position).join("");
    for (const pump of [piece, piece + (pieces[position + 1] ?? ""), (pieces[position - 1] ?? "") + piece]) {
      for (const start of ["", before, "\n"]) {
        yield start + pump.repeat(Math.ceil(length / pump.length)).slice(0, length) + "\u0000";
      }
    }
  }
  for (const one of new Set(pieces)) {
    for (const other of new Set(pieces))
      yield (one + other).repeat(Math.ceil(length / (one + other).length)) + "\u0000";
  }
}

/** One character, or one run of them, for each part of an expression. */
function piecesOf(source: string): string[] {
  const pieces: string[] = [];
  const parts = source.matchAll(
    /\\[pP]\{(\w+)(?:=(\w+))?\}|\\u\{?([\da-fA-F]{4,5})\}?|\\x([\da-f]{2})|\\([^])|\(\?(?:<?[=!]|<\w+>|:)|\[(?:\\.|[^\]\\])*\]|\{\d+,?\d*\}|([()|?*+^$])|(\.)|([^\\[\](){}|?*+^$.]+)/gu,
  );
  for (const [part, property, value, code, byte, escaped, syntax, dot, literal] of parts) {
    if (syntax !== undefined || part.startsWith("(?") || part.startsWith("{")) continue;
    if (literal !== undefined) pieces.push(literal);
    else if (dot !== undefined) pieces.push("x");
    else if (code ?? byte) pieces.push(String.fromCodePoint(Number.parseInt((code ?? byte)!, 16)));
    else if (property !== undefined)
      pieces.push(value === "Han" ? "中" : property === "Lu" ? "A" : property.startsWith("N") ? "7" : "a");
    else if (escaped !== undefined) pieces.push(...(samples[escaped] ?? (/\w/.test(escaped) ? [] : [escaped])));
    else pieces.push(...membersOf(part));
  }
  return pieces.filter((piece) => piece !== "");
}

const samples: Record<string, string[]> = {
  s: [" ", "\n"],
  S: ["x"],
  d: ["1"],
  w: ["a"],
  n: ["\n"],
  r: ["\r"],
  t: ["\t"],
  b: [],
};

/** Characters that a class takes: the first few that are tried. */
function membersOf(written: string): string[] {
  const one = new RegExp(`^${written}$`, "u");
  return [" ", "\n", "a", "A", "1", "-", ".", "!", ")", "*", "(", "=", '"', "?", "中", "x", "/"]
    .filter((each) => one.test(each))
    .slice(0, 3);
}
