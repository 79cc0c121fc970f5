/** The faults of a run: when, and who was affected. */
import type { EventOf, Fault, TraceEvent } from "../trace.ts";
import type { Bounds } from "./bounds.ts";

/**
 * - `store`: the node can't reach the database, or does not run.
 * - `feed`: or it does, and the feed may lose messages.
 * - `opening`: it has just started. Until its first subscription stands, it reads its sessions from time to time.
 */
export type Trouble = "store" | "feed" | "opening";

/** A clock that jumps disturbs neither the store nor the feed: what it excuses is asked for by `jumps`. */
const ofStore = new Set<Fault>([
  ...(["pause", "kill", "cut", "reset", "lost reply"] as const),
  ...(["slow", "failing", "hanging", "restart", "failover"] as const),
]);

/** Faults that break connections, or during which nothing is lost: what comes after them is short. */
const isKnownAtOnce = new Set<Fault>(["reset", "restart", "failover", "deaf", "lost reply", "pause", "slow"]);

interface Span {
  readonly from: number;
  readonly until: number;
}

export class Troubles {
  readonly #spans = new Map<string, Spans>();
  readonly #jumps = new Map<string, number[]>();
  readonly #pauses = new Map<string, Span[]>();
  readonly #bounds: Bounds;

  constructor(events: readonly TraceEvent[], bounds: Bounds) {
    this.#bounds = bounds;
    // Longer faults end when the world is healed.
    const calmAt = events.find(({ kind }) => kind === "calm")?.at ?? Number.POSITIVE_INFINITY;
    for (const event of events) {
      if (event.kind === "fault") this.#add(event, Math.min(event.until, calmAt));
      if (event.kind === "start")
        this.#spansOf("opening", event.node).add({ from: event.at, until: event.at + bounds.startMs });
    }
  }

  /** Whether nothing goes wrong for the node, nor has an aftermath, at any moment between these. */
  isQuiet(trouble: Trouble, node: string, from: number, until: number): boolean {
    return [node, everywhere].every((place) => !this.#spansOf(trouble, place).overlap(from, until));
  }

  /** As `isQuiet`, for all nodes. */
  isQuietEverywhere(from: number, until: number): boolean {
    for (const [key, spans] of this.#spans)
      if (key.startsWith("store ") && spans.overlap(from, until)) return false;
    return true;
  }

  /** How often the node's clock was set between these moments: after each, ages count from then on at the latest. */
  jumps(node: string, from: number, until: number): number {
    const all = [...(this.#jumps.get(node) ?? []), ...(this.#jumps.get(everywhere) ?? [])];
    return all.filter((at) => from <= at && at <= until).length;
  }

  isPaused(node: string, at: number): boolean {
    return this.wasPaused(node, at, at);
  }

  /** At any moment between these. */
  wasPaused(node: string, from: number, until: number): boolean {
    const overlaps = (span: Span) => span.from <= until && from < span.until;
    return [node, everywhere].some((place) => this.#pauses.get(place)?.some(overlaps));
  }

  /** For how long anything was wrong for the node, aftermaths included. */
  lasting(node: string, from: number, until: number): number {
    return (
      this.#spansOf("feed", node).within(from, until) + this.#spansOf("feed", everywhere).within(from, until)
    );
  }

  #add({ fault, node = everywhere, at }: EventOf<"fault">, until: number): void {
    const span = { from: at, until: Math.max(at, until) };
    if (fault === "clock") addTo(this.#jumps, node, at);
    else this.#addSpan(fault, node, span);
    if (fault === "pause") addTo(this.#pauses, node, span);
  }

  #addSpan(fault: Fault, node: string, { from, until }: Span): void {
    const { aftermathMs, reopenedMs } = this.#bounds;
    const span = { from, until: until + (isKnownAtOnce.has(fault) ? reopenedMs : aftermathMs) };
    this.#spansOf("feed", node).add(span);
    if (ofStore.has(fault)) this.#spansOf("store", node).add(span);
  }

  #spansOf(trouble: Trouble, place: string): Spans {
    const key = `${trouble} ${place}`;
    const spans = this.#spans.get(key) ?? new Spans();
    this.#spans.set(key, spans);
    return spans;
  }
}

const everywhere = "";

function addTo<T>(lists: Map<string, T[]>, key: string, ...items: T[]): void {
  const list = lists.get(key);
  if (list) list.push(...items);
  else lists.set(key, items);
}

/** Spans of time in the order of their beginning. */
class Spans {
  readonly #spans: Span[] = [];
  /** The latest end of each and of all before it. */
  readonly #untils: number[] = [];

  add(span: Span): void {
    this.#spans.push(span);
    this.#untils.push(Math.max(span.until, this.#untils.at(-1) ?? Number.NEGATIVE_INFINITY));
  }

  overlap(from: number, until: number): boolean {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const span = this.#spans[middle];
      if (span && span.from <= until) low = middle + 1;
      else high = middle;
    }
    return (this.#untils[low - 1] ?? Number.NEGATIVE_INFINITY) >= from;
  }

  within(from: number, until: number): number {
    let total = 0;
    let counted = from;
    for (const span of this.#spans) {
      const [begin, end] = [Math.max(span.from, counted), Math.min(span.until, until)];
      if (end <= begin) continue;
      total += end - begin;
      counted = end;
    }
    return total;
  }
}
