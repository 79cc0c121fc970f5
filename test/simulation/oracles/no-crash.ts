import type { Oracle } from "./oracle.ts";

/** No bug surfaces: no uncaught error, and none that the product reports as its own. */
export const noCrash: Oracle = {
  name: "no-crash",
  promise: "Nothing that databases, networks and clients do ends a process.",
  judge({ events }) {
    return events.flatMap((event) => {
      if (event.kind === "crash") return [{ at: event.at, text: `${event.node}: ${event.text}` }];
      // An error that has no code of the product is a bug, also where it is answered.
      const isBug = event.kind === "failed" && event.code.includes(":");
      return isBug ? [{ at: event.at, text: `${event.node}: ${event.op} failed with ${event.code}` }] : [];
    });
  },
};
