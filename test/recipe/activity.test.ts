import { contrast } from "./contrast.ts";
import { chat, heartbeats, maxAge, silence } from "./stories/activity.ts";

/** The how-to's advice for expiry: each socket reads its session from the store every so often. */
const expiryPoll = { expiryPollMs: 50 };

contrast("over is over: an idle socket ends with its session", {
  story: silence,
  options: { maxAge },
  kept: { closed: true, session: {}, socket: "gone" },
  broken: { closed: false, session: {}, socket: "still answers" },
  alsoKeptBy: { "with a read every so often and resave: false": { ...expiryPoll, resave: false } },
});

contrast("over is over: what closes an idle socket does not revive its session", {
  story: silence,
  by: ["polling"],
  options: { maxAge },
  kept: { closed: true, session: {}, socket: "gone" },
  recipes: { "with a read every so often": expiryPoll },
  broken: { closed: true, session: { name: "ada" }, socket: "gone" },
});

const goesOn = { closed: false, session: { name: "ada" }, socket: "still answers" } as const;

contrast("activity is what people do: who chats stays logged in", {
  story: chat,
  by: ["WebSocket", "polling upgraded to WebSocket"],
  options: { maxAge },
  kept: goesOn,
  recipes: {
    "as documented": {},
    "with resave: false": { resave: false },
    "with rolling": { rolling: true },
  },
  broken: { closed: false, session: {}, socket: "still answers" },
});

contrast("activity is what people do: who chats stays logged in, whoever asks for the expiry", {
  story: chat,
  by: ["WebSocket", "polling upgraded to WebSocket"],
  options: { maxAge },
  kept: goesOn,
  recipes: { "with a read every so often": expiryPoll },
  broken: { closed: true, session: {}, socket: "gone" },
});

contrast("activity is what people do: who chats over polling stays logged in", {
  story: chat,
  by: ["polling"],
  options: { maxAge },
  kept: goesOn,
  recipes: {},
  alsoKeptBy: { "as documented": {}, "with resave: false": { resave: false } },
});

contrast("activity is what people do: who does nothing does not stay logged in by polls and heartbeats", {
  story: heartbeats,
  by: ["polling"],
  options: { maxAge, io: { pingInterval: 100 } },
  kept: { closed: true, session: {}, socket: "gone" },
  broken: goesOn,
});
