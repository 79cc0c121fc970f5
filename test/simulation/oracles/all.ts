import type { Settings } from "../settings.ts";
import type { TraceEvent } from "../trace.ts";
export const oracles: {
  name: string;
  judge(facts: { events: readonly TraceEvent[]; settings: Settings }): { at: number; text: string }[];
}[] = [
  {
    name: "no-crash",
    judge: ({ events }) =>
      events.flatMap((e) =>
        e.kind === "crash" || e.kind === "livelock" ? [{ at: e.at, text: e.text }] : [],
      ),
  },
];
