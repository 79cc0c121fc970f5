import { describe, expect, test, vi } from "vitest";
import { transportKinds } from "../support/matrix.ts";
import { type Application, type ApplicationOptions, tell } from "./application.ts";
import { isRecipeTested } from "./contrast.ts";
import { ours } from "./ours.ts";
import { recipe } from "./recipe.ts";
import { storeDown } from "./stories/nobody-else.ts";
import { UnreliableStore } from "./unreliable-store.ts";

// Over a store like this one, socket-session says at each start what it cannot promise.
vi.spyOn(process, "emitWarning").mockImplementation(() => {});

const kept = { entry: "refused", triesAgain: true, sees: { name: "ada" } };

describe.concurrent.each(transportKinds)("while the store is down, by $name", ({ transports }) => {
  function outage(
    start: (options: ApplicationOptions) => Promise<Application>,
    announces: boolean,
    namespace: string,
  ) {
    const store = new UnreliableStore({ announces });
    return tell(storeDown(store, namespace), start({ store }), transports);
  }

  test.each([
    ["a store that fails", false, "/"],
    ["a store that fails", false, "/admin"],
    ["a store that says it is disconnected", true, "/"],
    ["a store that says it is disconnected", true, "/admin"],
  ])("nobody is let in: %s (says so: %s, in %s)", async (_store, announces, namespace) => {
    expect(await outage(ours, announces, namespace)).toEqual(kept);
  });

  if (!isRecipeTested) return;
  test("nobody is let in by the recipe either, if the store only fails", async () => {
    expect(await outage(recipe, false, "/")).toEqual(kept);
    expect(await outage(recipe, false, "/admin")).toEqual(kept);
  });

  test("the recipe lets sockets without a session in, if the store says it is disconnected", async () => {
    const broken = { entry: "let in", triesAgain: true, sees: null };
    expect(await outage(recipe, true, "/admin")).toEqual(broken);
    // In the main namespace that ends the process: see process.test.ts.
  });
});
