import { contrast } from "./contrast.ts";
import { login } from "./stories/logout.ts";

contrast("login in place: a socket follows a login to the new session", {
  story: login,
  kept: { sees: { name: "ada" }, afterReload: { name: "ada" } },
  broken: { sees: { name: "a guest" }, afterReload: "failed: failed to load session" },
});
