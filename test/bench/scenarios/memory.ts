/** A gibibyte down and up: the program of `npm run memory`, and what its table says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome } from "../pairing.ts";

export const memoryName = "memory";

const noFigures: Record<string, number[]> = {};

export async function runMemory(mebibytes: number): Promise<Outcome> {
  const program = fileURLToPath(new URL("../../memory/run.ts", import.meta.url));
  const run = spawn(process.execPath, [program, "--mebibytes", `${mebibytes}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let table = "";
  run.stdout.on("data", (piece: Buffer) => (table += piece.toString()));
  await once(run, "close");
  return readMemoryTable(table, mebibytes);
}

/** Its first column names the transfer; `growth` may be followed by words. */
export function readMemoryTable(table: string, mebibytes: number): Outcome {
  const [head, , ...rows] = table
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const columns = { growth: head?.indexOf("growth") ?? -1, rate: head?.indexOf("MiB/s") ?? -1 };
  return {
    scenario: memoryName,
    title: `${mebibytes} MiB down and up`,
    figures: { growth: "peak over idle, MiB", rate: "MiB a second" },
    rows: rows.map((cells) => {
      const growth = Number.parseFloat(cells[columns.growth] ?? "");
      const rate = Number.parseFloat(cells[columns.rate] ?? "");
      const read = Number.isFinite(growth) && Number.isFinite(rate);
      return {
        name: cells[0]!,
        // Undici alone, and others that are there to be compared with.
        role: cells[0]!.startsWith("reference") ? "other" : "ours",
        values: read ? { growth: [growth], rate: [rate] } : noFigures,
        ratios: noFigures,
        ...(!read && { wrong: cells.slice(1).join(" ") || "no figure" }),
      };
    }),
  };
}
