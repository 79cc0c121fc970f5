import type { Oracle } from "./oracle.ts";

/** No bug surfaces: neither an error that nothing catches, nor one that the product reports as its own. */
export const noCrash: Oracle = {
  name: "no-crash",
  promise: "Nothing that databases, networks and clients do ends a process.",
  judge({ events }) {
    return events.flatMap((event) =>
      event.kind === "crash" ? [{ at: event.at, text: `${event.node}: ${event.text}` }] : [],
    );
  },
};
