import { contrast } from "./contrast.ts";
import { chat, heartbeats, maxAge, silence } from "./stories/activity.ts";

contrast("over is over: an idle socket ends with its session", {
  story: silence,
  options: () => ({ maxAge }),
  kept: { socket: "gone", session: {} },
  broken: { socket: "still answers", session: {} },
});

contrast("activity is what people do: who chats stays logged in", {
  story: chat,
  by: ["WebSocket", "polling upgraded to WebSocket"],
  options: () => ({ maxAge }),
  kept: { socket: "still answers", session: { name: "ada" } },
  recipes: {
    "as documented": {},
    "with resave: false": { resave: false },
    "with rolling": { rolling: true },
  },
  broken: { socket: "still answers", session: {} },
});

contrast("activity is what people do: who does nothing does not stay logged in by polls and heartbeats", {
  story: heartbeats,
  by: ["polling"],
  options: () => ({ maxAge, io: { pingInterval: 100 } }),
  kept: { socket: "gone", session: {} },
  broken: { socket: "still answers", session: { name: "ada" } },
});
