/** All oracles. Each judges by the trace alone, so that a mutant of the product shows which of them detect nothing. */
import { activity } from "./activity.ts";
import { cap } from "./cap.ts";
import { costs } from "./costs.ts";
import { freshData } from "./fresh-data.ts";
import { liveness } from "./liveness.ts";
import { noCrash } from "./no-crash.ts";
import { noLostUpdate } from "./no-lost-update.ts";
import { nobodyElse } from "./nobody-else.ts";
import { nothingComesBack } from "./nothing-comes-back.ts";
import { oneTicket } from "./one-ticket.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import { overIsOver } from "./over-is-over.ts";
import { ownKeysOnly } from "./own-keys-only.ts";
import { receipts } from "./receipts.ts";
import { recovery } from "./recovery.ts";
import { serialHistory } from "./serial-history.ts";

export const oracles: readonly Oracle[] = [
  ...[noCrash, costs, overIsOver, nothingComesBack, noLostUpdate],
  ...[ownKeysOnly, serialHistory, freshData, activity, liveness, nobodyElse, oneTicket, recovery],
  ...[cap, receipts],
];

/** The violations of a run, earliest first. */
export function judge(run: RunFacts): (Violation & { readonly oracle: string })[] {
  const found = oracles.flatMap(({ name, judge }) =>
    judge(run).map((violation) => ({ ...violation, oracle: name })),
  );
  return found.sort((a, b) => a.at - b.at);
}
