/**
 * Mutants of the product: in each, a promise is broken on purpose. The oracle that is named has to find it within that many
 * seeds; an oracle without a mutant that it alone finds may be asleep.
 */
import { adapterMutants } from "./adapter-mutants.ts";
import type { Layer } from "./mix.ts";

export interface Mutant {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Text that is in the file once. */
  readonly from: string;
  readonly to: string;
  readonly oracle: string;
  readonly seeds: number;
  /** Where it shows: any layer or database if left out. */
  readonly layer?: Layer;
  readonly database?: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "livelock",
    file: "src/core/checks.ts",
    from: "if (!entry.snapshot) return Number.POSITIVE_INFINITY;",
    to: "",
    oracle: "costs",
    seeds: 60,
    layer: "core",
  },
  {
    name: "what is idle is kept",
    file: "src/core/hub.ts",
    from: "if (entry.idle && !entry.isEnded) this.#forget(entry);",
    to: "",
    oracle: "costs",
    seeds: 20,
    layer: "core",
  },
  {
    name: "live sessions are read each second",
    file: "src/core/checks.ts",
    from: "return feedSuffices() ? Number.POSITIVE_INFINITY : entry.confirmedAt + revalidateIntervalMs;",
    to: "return entry.confirmedAt + (feedSuffices() ? 1_000 : revalidateIntervalMs);",
    oracle: "costs",
    seeds: 30,
    layer: "core",
  },
  {
    name: "a failed touch is not caught",
    file: "src/core/activity.ts",
    from: "this.#hub.report(error);",
    to: "throw error;",
    oracle: "no-crash",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a missed end",
    file: "src/core/hub.ts",
    from: 'else if (change.kind === "ended") this.finish(entry, { reason: change.reason });',
    to: 'else if (change.kind === "ended") return;',
    oracle: "over-is-over",
    seeds: 30,
    layer: "core",
  },
  {
    name: "snapshots never become stale",
    file: "src/core/revalidation.ts",
    from: "this.#checks.staleAt(entry) <= this.#options.clock.now()",
    to: "this.#checks.staleAt(entry) < 0",
    oracle: "over-is-over",
    seeds: 120,
    layer: "core",
  },
  {
    name: "no regular reads without a feed",
    file: "src/core/checks.ts",
    from: "return feedSuffices() ? Number.POSITIVE_INFINITY : entry.confirmedAt + revalidateIntervalMs;",
    to: "return Number.POSITIVE_INFINITY + (feedSuffices() ? 0 : revalidateIntervalMs);",
    oracle: "over-is-over",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a save revives",
    file: "src/core/saves.ts",
    from: '      if (current) throw this.#writes.contention(key, "save");\n      return nothing;',
    to: '      if (current) throw this.#writes.contention(key, "save");\n      return { snapshot: await this.#writes.create(key, applyPatch(known.fields, edit.patch), edit.cookie), conflicts: [] };',
    oracle: "nothing-comes-back",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a beaten update counts as written",
    file: "src/core/updates.ts",
    from: "      if (snapshot) return { result, snapshot };\n      if (attempt > 1)",
    to: "      if (snapshot ?? seen) return { result, snapshot: snapshot ?? undefined };\n      if (attempt > 1)",
    oracle: "no-lost-update",
    seeds: 60,
    layer: "core",
  },
  {
    name: "last writer wins",
    file: "src/core/updates.ts",
    from: 'this.#writes.replace(key, seen, applyPatch(seen.fields, patch), seen.cookie, "keep"),',
    to: 'this.#writes.replace(key, entry.snapshot ?? seen, applyPatch(seen.fields, patch), seen.cookie, "keep"),',
    oracle: "no-lost-update",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a save writes all keys",
    file: "src/core/saves.ts",
    from: "const patched = applyPatch(current.fields, edit.patch);",
    to: "const patched = applyPatch(edit.base.fields, edit.patch);",
    oracle: "own-keys-only",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a save writes the texts that it has loaded",
    file: "src/core/saves.ts",
    from: "const patched = applyPatch(current.fields, edit.patch);",
    to: "const texts = [...edit.base.fields].filter(([, text]) => text.startsWith('\"'));\n        const patched = applyPatch(new Map([...current.fields, ...texts]), edit.patch);",
    oracle: "own-keys-only",
    seeds: 120,
    layer: "core",
  },
  {
    name: "requests read the snapshot",
    file: "src/core/reads.ts",
    from: "    if (!entry) return store.read(key);",
    to: "    if (!entry) return store.read(key);\n    const { snapshot } = entry;\n    if (snapshot) return { ...snapshot, document: { ...structuredClone(JSON.parse(JSON.stringify(snapshot.data))), cookie: { ...snapshot.cookie } } };",
    oracle: "serial-history",
    seeds: 60,
    layer: "core",
  },
  {
    name: "reads are never overtaken",
    file: "src/core/live-entry.ts",
    from: "return mark > this.#changedBy;",
    to: "return mark > 0;",
    oracle: "fresh-data",
    seeds: 120,
    layer: "core",
  },
  {
    name: "a change of another node is not read",
    file: "src/core/hub.ts",
    from: "else if (!this.#ownWrites.knows(change.write)) void this.#revalidation.changed(entry);",
    to: "",
    oracle: "fresh-data",
    seeds: 30,
    layer: "core",
  },
  {
    name: "a node does not take its own write",
    file: "src/core/hub.ts",
    from: "this.#adopt(entry, snapshot, began, this.mark());\n      else",
    to: "void 0;\n      else",
    oracle: "fresh-data",
    seeds: 30,
    layer: "core",
  },
  {
    name: "no touch interval",
    file: "src/core/activity.ts",
    from: "return target - stored >= touchIntervalFor(life, this.#options.touchIntervalMs);",
    to: "return target - stored >= Math.min(1, touchIntervalFor(life, this.#options.touchIntervalMs));",
    oracle: "activity",
    seeds: 30,
    layer: "core",
  },
  {
    name: "events are no activity",
    file: "src/core/activity.ts",
    from: "if (!snapshot || entry.touching || now < entry.touchNotBefore) return;",
    to: "if (now > 0 || !snapshot) return;",
    oracle: "activity",
    seeds: 120,
    layer: "core",
  },
  {
    name: "nothing is read at its deadline",
    file: "src/core/checks.ts",
    from: "const next = Math.min(deadline, ",
    to: "const next = Math.min(Math.max(deadline, Number.POSITIVE_INFINITY), ",
    oracle: "activity",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a lock that a failure never releases",
    file: "src/core/keyed-lock.ts",
    from: "      () => this.#release(key, tail),\n      () => this.#release(key, tail),",
    to: "      () => this.#release(key, tail),\n      () => new Promise(() => {}),",
    oracle: "liveness",
    seeds: 60,
    layer: "core",
  },
  {
    name: "what can't be verified is told to stay away",
    file: "src/core/hub.ts",
    from: 'unverified: (entry) => this.finish(entry, { reason: "unverified" }),',
    to: 'unverified: (entry) => this.finish(entry, { reason: "expired" }),',
    oracle: "liveness",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a gap in the feed is not caught up with",
    file: "src/core/revalidation.ts",
    from: "filter(({ isDoubtful }) => isDoubtful)",
    to: "filter(({ isEnded }) => isEnded)",
    oracle: "over-is-over",
    seeds: 200,
    layer: "core",
  },
  {
    name: "a feed that comes back has missed nothing",
    file: "src/stores/remote-feed.ts",
    from: "if (this.#whole === whole) this.#listeners.missed();",
    to: "",
    oracle: "over-is-over",
    seeds: 200,
    layer: "core",
  },
  ...adapterMutants,
];

export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (!mutant)
    throw new Error(`Expected one of ${mutants.map((one) => one.name).join("; ")}; it was ${name}.`);
  return mutant;
}
