import { contrast } from "./contrast.ts";
import { otherOrigin, otherVisitorsPoll } from "./stories/nobody-else.ts";

contrast("nobody else gets in: a page on another origin", {
  story: otherOrigin,
  by: ["WebSocket"],
  kept: { entry: "refused", sees: null },
  recipes: {
    "as documented": {},
    "with resave: false": { resave: false },
    "with CORS for another page": { io: { cors: { origin: "https://listed.example", credentials: true } } },
  },
  broken: { entry: "let in", sees: { name: "ada" } },
});

contrast("nobody else gets in: another visitor on a running polling connection", {
  story: otherVisitorsPoll,
  by: ["polling"],
  kept: {
    poll: { status: 403, tells: false },
    upgrade: "HTTP/1.1 403 Forbidden",
    handled: ["ada: mine"],
    owner: '42["news","secret"]\u001e42["news","later"]',
  },
  broken: {
    poll: { status: 200, tells: true },
    upgrade: "HTTP/1.1 101 Switching Protocols",
    handled: ["ada: forged", "ada: mine"],
    owner: '42["news","later"]',
  },
});
