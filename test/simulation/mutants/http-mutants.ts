/** Mutants of the facade of `express-session`, and of what requests are given. */
import type { Mutant } from "./mutant.ts";

export const httpMutants: readonly Mutant[] = [
  {
    name: "an update does not show in its request",
    file: "src/http/request-session.ts",
    from: "if (object) loaded.of(key.sid, object).refresh(snapshot, began);",
    to: "void [object, snapshot, began];",
    oracle: "no-crash",
    seeds: 5,
    layer: "requests",
  },
  {
    name: "a save that came too late counts as written",
    file: "src/http/store-saves.ts",
    from: "if (!implicit) throw new SessionEnded(key.publicId);",
    to: "void SessionEnded;",
    oracle: "no-lost-update",
    seeds: 40,
    layer: "requests",
  },
  {
    name: "a load does not wait for saves that wait",
    file: "src/http/store-facade.ts",
    from: "if (underWay) await underWay;",
    to: "",
    oracle: "serial-history",
    seeds: 60,
    layer: "requests",
  },
  {
    name: "requests are no activity",
    file: "src/http/store-saves.ts",
    from: "const touched = this.#context.activity.onRequest(loaded.key, used);",
    to: "const touched = [used, undefined].find((one) => one instanceof Promise);",
    oracle: "activity",
    seeds: 100,
    layer: "requests",
  },
  {
    name: "a new id ends nothing",
    file: "src/http/store-facade.ts",
    from: 'await hub.end(nameOf(request.sessionID), "replaced", { settled, isNewId });',
    to: "void [hub, nameOf, responses, isNewId];",
    oracle: "nothing-comes-back",
    seeds: 20,
    layer: "requests",
  },
  {
    name: "a logout ends nothing",
    file: "src/http/store-facade.ts",
    from: 'await this.#context.hub.end(this.#keyOf(sid, "destroy"), "destroyed");',
    to: 'void this.#keyOf(sid, "destroy");',
    oracle: "nothing-comes-back",
    seeds: 20,
    layer: "requests",
  },
];
