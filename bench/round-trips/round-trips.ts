/** Round trips to the database for each request, handshake, event and `update`, compared with plain express-session. */
import { type CountedStore, countedStores } from "../../test/support/costs/counted-stores.ts";
import {
  type Asked,
  boundOf,
  type ScenarioName,
  scenarioNames,
  scenarios,
} from "../../test/support/costs/round-trips.ts";
import type { Benchmark, Report } from "../run/benchmark.ts";
import { urlOf } from "../run/servers.ts";
import { startWorker } from "../run/worker.ts";
import type { CountingAnswers } from "./round-trips-process.ts";

interface Counted {
  readonly store: CountedStore;
  readonly counts: Record<ScenarioName, Asked>;
}

export const roundTrips: Benchmark = {
  name: "round-trips",
  async run() {
    const all: Counted[] = [];
    const notes: string[] = [];
    for (const store of countedStores) {
      const url = store.service === undefined ? "" : urlOf(store.service);
      if (url === undefined) notes.push(`${store.name}: not counted, its server is missing.`);
      else all.push({ store, counts: await count(store.name, url) });
    }
    refuseBeyondBounds(all);
    return reportOf(all, notes);
  },
};

async function count(name: string, url: string): Promise<Record<ScenarioName, Asked>> {
  const worker = startWorker<CountingAnswers>(new URL("round-trips-process.ts", import.meta.url), {
    name,
    url,
  });
  try {
    return await worker.ask("count");
  } finally {
    await worker.end();
  }
}

function refuseBeyondBounds(all: readonly Counted[]): void {
  const beyond = all.flatMap(({ store, counts }) =>
    scenarioNames.flatMap((name) => {
      const { ours } = counts[name];
      const { bound, more } = boundOf(store, name, counts[name]);
      return ours.length > bound + more
        ? [`${store.name}, ${scenarios[name].title}: ${ours.join(", ")}; ${bound + more} at most`]
        : [];
    }),
  );
  if (beyond.length > 0) throw new Error(`More round trips than promised:\n${beyond.join("\n")}`);
}

/** `2 (3)`: ours, and the peer's for the same request. A star if the store exceeds its bound by one. */
function reportOf(all: readonly Counted[], missing: readonly string[]): Report {
  const cell = (name: ScenarioName, { store, counts }: Counted) => {
    const { ours, theirs } = counts[name];
    const star = boundOf(store, name, counts[name]).more > 0 ? " *" : "";
    return `${ours.length}${theirs ? ` (${theirs.length})` : ""}${star}`;
  };
  return {
    title: "Round trips to the database",
    about:
      "Requests on the wire, by a proxy between client and database; for SQLite transactions, beside the calls of a " +
      "MemoryStore. Ours, and in parentheses those of plain `express-session` over the package whose format the store " +
      "keeps. A touch extends a session, here once in `touchIntervalMs` at most, there at every request.",
    metrics: [],
    measured: [],
    tables: [
      {
        title: "",
        rows: [
          ["", ...all.map(({ store }) => store.name)],
          ["beside", ...all.map(({ store }) => store.peerName)],
          ...scenarioNames.map((name) => [scenarios[name].title, ...all.map((one) => cell(name, one))]),
        ],
      },
    ],
    notes: [
      ...all.flatMap(({ store }) => (store.oneMore ? [`* ${store.name}: ${store.oneMore.why}.`] : [])),
      ...missing,
    ],
    raw: all.map(({ store, counts }) => ({ store: store.name, peer: store.peerName, counts })),
  };
}
