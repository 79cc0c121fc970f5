/** Mutants of what is around the core: the gateway of sockets, and the facade of `express-session`. */
import type { Mutant } from "./mutants.ts";

const upstream = "src/socket/upstream.ts";
const connection = "src/socket/session-connection.ts";
const facade = "src/http/store-facade.ts";

export const layerMutants: readonly Mutant[] = [
  {
    name: "an event that waited in a middleware reaches its handler",
    file: connection,
    from: "isOver: () => !this.isServable,",
    to: "isOver: () => this.isEnded,",
    oracle: "fresh-data",
    seeds: 400,
    layer: "sockets",
  },
  {
    name: "what waits for a poll is kept at the end",
    file: upstream,
    from: "writeBuffer.splice(0, writeBuffer.length, ...kept);",
    to: "void kept;",
    oracle: "over-is-over",
    seeds: 60,
    layer: "sockets",
  },
  {
    name: "a stale connection is written to",
    file: upstream,
    from: "connection.write = (...args) => (mayWrite() ? ",
    to: "connection.write = (...args) => (mayWrite.length === 0 ? ",
    oracle: "fresh-data",
    seeds: 120,
    layer: "sockets",
  },
  {
    name: "a stale connection is listened to",
    file: upstream,
    from: "packetTypes.DISCONNECT || mayTake()",
    to: "packetTypes.DISCONNECT || mayTake.length === 0",
    oracle: "fresh-data",
    seeds: 120,
    layer: "sockets",
  },
  {
    name: "events of sockets are no activity",
    file: connection,
    from: "if (this.#entry) this.#context.activity.onEvent(this.#entry);",
    to: "",
    oracle: "activity",
    seeds: 120,
    layer: "sockets",
  },
  {
    name: "a new id ends nothing",
    file: facade,
    from: 'await hub.end(nameOf(request.sessionID), "replaced", responses.settled(request), isNewId);',
    to: "void [hub, nameOf, responses, isNewId];",
    oracle: "nothing-comes-back",
    seeds: 20,
    layer: "requests",
  },
  {
    name: "a logout ends nothing",
    file: facade,
    from: 'await this.#context.hub.end(this.#keyOf(sid, "destroy"), "destroyed");',
    to: 'void this.#keyOf(sid, "destroy");',
    oracle: "nothing-comes-back",
    seeds: 20,
    layer: "requests",
  },
];
