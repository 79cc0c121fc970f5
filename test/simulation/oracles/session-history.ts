/** The versions that the database held of one session, and their times. */
import type { EventOf, Values } from "../trace.ts";
import { type Difference, differenceOf, printOf } from "./values.ts";

export type OfSession = EventOf<"stored" | "touched" | "removed" | "forgotten">;

export interface End {
  readonly at: number;
  readonly why: "removed" | "expired" | "forgotten";
}

/** How the session stood after an event of the database. */
export interface Stand {
  readonly event: OfSession;
  /** The event's place in the trace. */
  readonly index: number;
  /** Null: it is not stored. */
  readonly values: Values | null;
  readonly expiresAt: number;
  /** Since when it is over, if it is. */
  readonly end: End | undefined;
  /** Whether it was over by its time, or by a removal, right before. */
  readonly before: End | undefined;
  /** The changes in it; undefined for the first version. */
  readonly difference: Difference | undefined;
}

/** Data that the database held without a break. */
export interface Version {
  /** Events from `first` to before `next` find this. */
  readonly first: number;
  next: number;
  /** When the next one came. */
  until: number;
}

export class SessionHistory {
  readonly name: string;
  readonly stands: Stand[] = [];
  /** Appends and saves, with the place of the event that stored them first. */
  readonly storedBy = new Map<string, number>();
  /** The places of the events by which a failover set it back. */
  readonly setBacks: number[] = [];
  readonly #versionsByPrint = new Map<string, Version[]>();
  #latest: Version | undefined;
  #latestPrint = "";

  constructor(name: string) {
    this.name = name;
  }

  add(event: OfSession, index: number): void {
    const last = this.stands.at(-1);
    const before = last && endOf(last, event.at);
    const values = valuesAfter(event, last);
    const expiresAt = "expiresAt" in event ? event.expiresAt : (last?.expiresAt ?? 0);
    const isOver = values === null;
    const end = isOver
      ? (before ?? { at: event.at, why: event.kind === "forgotten" ? "forgotten" : "removed" })
      : undefined;
    const difference =
      event.kind === "stored" && last?.values ? differenceOf(last.values, event.values) : undefined;
    this.stands.push({ event, index, values, expiresAt, end, before, difference });
    if (event.kind === "forgotten") this.setBacks.push(index);
    if (difference?.kind === "append" || difference?.kind === "save") this.#note(difference.op, index);
    if (values) this.#show(printOf(values), index, event.at);
  }

  /** How it stood when the event at this place came. */
  standAt(index: number): Stand | undefined {
    return this.stands[this.#placeAfter(index) - 1];
  }

  /** Of the first that is at this place of the trace, or after it. */
  #placeAfter(index: number): number {
    let [low, high] = [0, this.stands.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.stands[middle]?.index ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The latest of its deadlines from the event at this place to that time; infinity if it was removed until then. */
  latestDeadline(index: number, until: number): number {
    let latest = this.standAt(index)?.expiresAt ?? Number.POSITIVE_INFINITY;
    for (let next = this.#placeAfter(index); (this.stands[next]?.event.at ?? until + 1) <= until; next++) {
      const stand = this.stands[next];
      if (!stand?.values) return Number.POSITIVE_INFINITY;
      latest = Math.max(latest, stand.expiresAt);
    }
    return latest;
  }

  /** Since when it was over at that time, if it was. */
  endAt(index: number, at: number): End | undefined {
    const stand = this.standAt(index);
    return stand && endOf(stand, at);
  }

  /** The last version with these data that began before the event at this place. */
  versionShown(values: Values, index: number): Version | undefined {
    return this.#versionsByPrint.get(printOf(values))?.findLast(({ first }) => first < index);
  }

  /** Whether a failover has set it back between two events. */
  wasSetBack(after: number, before: number): boolean {
    return this.setBacks.some((index) => after < index && index < before);
  }

  #note(op: string, index: number): void {
    if (!this.storedBy.has(op)) this.storedBy.set(op, index);
  }

  #show(print: string, index: number, at: number): void {
    if (this.#latest && print === this.#latestPrint) return;
    if (this.#latest) Object.assign(this.#latest, { next: index, until: at });
    this.#latest = { first: index, next: Number.POSITIVE_INFINITY, until: Number.POSITIVE_INFINITY };
    this.#latestPrint = print;
    const versions = this.#versionsByPrint.get(print) ?? [];
    versions.push(this.#latest);
    this.#versionsByPrint.set(print, versions);
  }
}

function endOf({ end, values, expiresAt }: Stand, at: number): End | undefined {
  if (end) return end;
  return values && expiresAt < at ? { at: expiresAt, why: "expired" } : undefined;
}

function valuesAfter(event: OfSession, last: Stand | undefined): Values | null {
  if (event.kind === "removed") return null;
  return event.kind === "touched" ? (last?.values ?? null) : event.values;
}
