/**
 * What a total outage costs: `npm run outage`. Two hundred callers go through it, in each of its kinds, and each bound that is
 * missed fails the run. `--seconds 10` makes the outages shorter, `failing`, `refusing` or `hanging` picks one.
 * Nothing leaves this machine.
 */
import { parseArgs } from "node:util";
import "../guard/loopback-only.mjs";
import { observe, type Observed, type Plan } from "./outage.ts";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, callers: { type: "string", default: "200" } },
  allowPositionals: true,
});
const callers = Number(values.callers);
const outageMs = Number(values.seconds) * 1000;
const kinds = (["failing", "refusing", "hanging"] as const).filter(
  (kind) => positionals.length === 0 || positionals.includes(kind),
);
if (!(callers >= 1) || !(outageMs >= 1000) || kinds.length === 0) {
  throw new Error("Usage: npm run outage -- [--seconds 60] [--callers 200] [failing] [refusing] [hanging]");
}

let missed = 0;
for (const health of kinds) {
  const plan: Plan = { health, callers, healthyMs: 6_000, outageMs, recoveryMs: 9_000, totalMs: 20_000 };
  report(plan, await observe(plan));
}
process.exitCode = missed === 0 ? 0 : 1;

function report(plan: Plan, seen: Observed): void {
  console.log(`\n${plan.health}: ${callers} callers, ${seconds(plan.outageMs)} of outage, ${seen.failed} calls failed`);
  console.log(chart(seen));
  const perCall = seen.attempts / seen.calls;
  const bounds: [string, string, boolean][] = [
    [
      "attempts per call in the outage, 1.3 at most",
      `${seen.attempts} / ${seen.calls} = ${perCall.toFixed(2)}`,
      perCall <= 1.3,
    ],
    [
      "attempts per caller in the outage, 1.3 at most",
      (seen.attempts / callers).toFixed(2),
      seen.attempts <= 1.3 * callers,
    ],
    ["longest call, its deadline at most", seconds(seen.longestMs), seen.longestMs <= plan.totalMs + 500],
    ["failures without type or reason, none", String(seen.odd.length), seen.odd.length === 0],
    ["from recovery to the first success, 5 s at most", seconds(seen.firstSuccessMs), seen.firstSuccessMs <= 5_000],
    ["from recovery to the full rate, 5 s at most", seconds(seen.fullRateMs), seen.fullRateMs <= 5_000],
    [
      "busiest tenth of a second after it, twice that before at most",
      `${seen.peakAfter} (${seen.peakBefore} before)`,
      seen.peakAfter <= 2 * seen.peakBefore,
    ],
  ];
  for (const [name, value, kept] of bounds) {
    console.log(`${kept ? "ok    " : "MISSED"} ${name}: ${value}`);
    if (!kept) missed += 1;
  }
  for (const error of seen.odd.slice(0, 3)) console.log(error);
}

/** Requests at the service: a bar for each second, the outage in brackets. */
function chart({ perSecond, outageFrom, outageTo }: Observed): string {
  const bars = " ▁▂▃▄▅▆▇█";
  const most = Math.max(...perSecond);
  const from = Math.round(outageFrom);
  const to = Math.round(outageTo);
  const line = perSecond
    .map((count, second) => {
      const bar = bars[count === 0 ? 0 : Math.max(1, Math.round((count / most) * 8))]!;
      return `${second === from ? "[" : ""}${second === to ? "]" : ""}${bar}`;
    })
    .join("");
  const inOutage = perSecond.slice(from + 1, to);
  return `requests a second, ${most} at most: ${line}\nin the outage: ${inOutage.join(" ")}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
