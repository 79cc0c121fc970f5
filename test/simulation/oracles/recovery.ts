import type { EventOf } from "../trace.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import { unnoticedFor } from "./unnoticed.ts";

/** A socket is recovered by the session that it had, by one client at a time, and no other receives what it has missed. */
export const recovery: Oracle = {
  name: "recovery",
  promise: "Missed events go to the session that missed them.",
  judge(run) {
    const lines = new Lines(run);
    return [...recoveries(run, lines), ...deliveries(run, lines)];
  },
};

/** The sockets that follow one another by recovery, each with what came of it. */
class Lines {
  readonly history: History;
  readonly resumes = new Map<string, EventOf<"resumes">>();
  readonly #first = new Map<string, string>();

  constructor(run: RunFacts) {
    this.history = historyOf(run);
    for (const event of run.events) {
      if (event.kind === "resumes") this.resumes.set(event.socket, event);
      if (event.kind === "recovered") this.#first.set(event.socket, event.line);
    }
  }

  /** The socket that it was at first. */
  of(socket: string): string {
    return this.#first.get(socket) ?? socket;
  }

  sessionOf(socket: string): string | undefined {
    return this.history.sockets.get(socket)?.asks.event.session;
  }
}

function recoveries(run: RunFacts, lines: Lines): Violation[] {
  const violations: Violation[] = [];
  const lastByPlace = new Map<string, string>();
  for (const [index, event] of run.events.entries()) {
    if (event.kind !== "recovered") continue;
    const { at, node, session, socket, line } = event;
    const note = (fault: string) =>
      violations.push({ at, text: `${node} recovered ${line} as ${socket}, ${fault}.` });
    const had = lines.sessionOf(line);
    if (had !== session) note(`which was in ${had}, and is in ${session}`);
    const asked = lines.resumes.get(socket);
    if (!asked || asked.isCut || lines.of(asked.of) !== line) note("whose client had no pid of it");
    const place = `${node} ${line}`;
    const last = lines.history.sockets.get(lastByPlace.get(place) ?? "");
    const isIn = last?.answer?.event.kind === "admitted" && last.killedAt === undefined;
    if (isIn && (last.closed?.index ?? index + 1) > index)
      note(`while ${last.asks.event.socket} was connected`);
    lastByPlace.set(place, socket);
  }
  return violations;
}

/** From a node to its client. */
const travelMs = 100;

function deliveries(run: RunFacts, lines: Lines): Violation[] {
  const { history } = lines;
  return run.events.flatMap((event, index) => {
    if (event.kind !== "resent") return [];
    const { at, node, session, socket, of } = event;
    const asked = lines.resumes.get(socket);
    const text = `The client of ${socket} received from ${node} what was for ${of}`;
    const had = lines.sessionOf(of);
    if (had !== session)
      return [{ at, text: `${text}: ${of} was in ${had}, and ${socket} is in ${session}.` }];
    if (!asked || lines.of(asked.of) !== lines.of(of))
      return [{ at, text: `${text}, and had not asked for that.` }];
    const end = history.session(session).endAt(index, at);
    if (!end || end.why === "expired") return [];
    const lateMs = at - end.at - travelMs;
    const { limitMs, why } = unnoticedFor(run, history, node, end.at, at);
    if (lateMs <= limitMs) return [];
    return [{ at, text: `${text}, ${Math.round(lateMs)} ms after ${session} was ${end.why}; ${why}.` }];
  });
}
