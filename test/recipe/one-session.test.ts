import { expect } from "vitest";
import { contrast } from "./contrast.ts";
import { hundredIncrements, pollInBetween, requestThenEvent } from "./stories/one-session.ts";

contrast("one session: what a request writes is in the next event", {
  story: requestThenEvent,
  kept: { before: { name: "ada" }, after: { name: "lovelace" } },
  broken: { before: { name: "ada" }, after: { name: "ada" } },
});

contrast("no lost update: a hundred increments are a hundred", {
  story: hundredIncrements,
  kept: { acknowledged: 100, stored: { name: "ada", n: 100 } },
  // How many are left depends on how the events fall together; polls may roll back even the last one.
  broken: { acknowledged: 100, stored: expect.objectContaining({ name: "ada" }) },
});

contrast("no lost update, over is over: a poll that waits meanwhile undoes neither a write nor a logout", {
  story: pollInBetween,
  by: ["polling"],
  kept: { afterWrite: { name: "lovelace" }, afterLogout: {} },
  recipes: { "as documented": {} },
  alsoKeptBy: { "with resave: false": { resave: false } },
  broken: { afterWrite: { name: "ada" }, afterLogout: { name: "ada" } },
});
