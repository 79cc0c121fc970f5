import { contrast } from "./contrast.ts";
import { loggedOutWhileOffline, nextUserInTheTab } from "./stories/recovery.ts";

const recovery = (skipMiddlewares: boolean) => ({
  io: { connectionStateRecovery: { skipMiddlewares } },
});

const refused = {
  entry: "refused: SESSION_ENDED",
  recovered: false,
  received: ["first"],
  missedOnTheWire: false,
};

contrast("over is over: recovery restores nothing after a logout, middleware skipped (the default)", {
  story: loggedOutWhileOffline,
  options: recovery(true),
  kept: refused,
  broken: {
    entry: "let in",
    recovered: true,
    received: ["first", "missed", "later"],
    missedOnTheWire: true,
  },
});

contrast("over is over: recovery sends nothing after a logout, middleware run", {
  story: loggedOutWhileOffline,
  options: recovery(false),
  kept: refused,
  broken: {
    entry: "refused: log in first",
    recovered: false,
    received: ["first"],
    missedOnTheWire: true,
  },
});

contrast("nobody else gets in: recovery gives the next user nothing of the last one", {
  story: nextUserInTheTab,
  options: recovery(true),
  kept: { entry: "let in", recovered: false, received: ["first"], missedOnTheWire: false },
  broken: {
    entry: "let in",
    recovered: true,
    received: ["first", "missed", "later"],
    missedOnTheWire: true,
  },
});
