import { contrast } from "./contrast.ts";
import { login } from "./stories/logout.ts";

const kept = { sees: { name: "ada" }, afterReload: { name: "ada" } };

contrast("login in place: a socket follows a login to the new session", {
  story: login,
  by: ["WebSocket", "polling upgraded to WebSocket"],
  kept,
  broken: { sees: { name: "a guest" }, afterReload: "failed: failed to load session" },
});

contrast("login in place: no poll brings the session before the login back", {
  story: login,
  by: ["polling"],
  kept,
  recipes: { "as documented": {} },
  broken: { sees: { name: "a guest" }, afterReload: { name: "a guest" } },
});
