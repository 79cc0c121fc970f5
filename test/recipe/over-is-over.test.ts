import { contrast } from "./contrast.ts";
import { everyNamespace, lateHandler, lateRequest, stillInMiddleware } from "./stories/logout.ts";

const staysOut = { request: {}, socket: "refused: SESSION_ENDED", sees: null };
const revived = { request: { name: "late" }, socket: "let in", sees: { name: "late" } };

contrast("over is over: a request that loaded the session before a logout does not revive it", {
  story: lateRequest,
  kept: staysOut,
  broken: revived,
});

contrast("over is over: a handler that loaded the session before a logout does not revive it", {
  story: lateHandler,
  kept: staysOut,
  broken: revived,
});

contrast("over is over: a logout closes the sockets in all namespaces", {
  story: everyNamespace,
  kept: { "/": "gone", "/admin": "gone", "/room-7": "gone" },
  broken: { "/": "gone", "/admin": "still answers", "/room-7": "still answers" },
});

contrast("over is over: a socket in asynchronous middleware at the logout never connects", {
  story: stillInMiddleware,
  kept: { isLetIn: false, connections: ["eve"] },
  broken: { isLetIn: true, connections: ["ada", "eve"] },
});
