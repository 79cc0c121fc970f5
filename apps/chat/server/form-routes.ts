import express, { type Router } from "express";
import type { LiveSessions } from "socket-session";
import { answerForm } from "./answers.ts";
import type { ClientAddress } from "./client-address.ts";
import { deviceName } from "./device.ts";
import { countedNetwork } from "./network.ts";
import { postedName } from "./posted-name.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface FormRoutesOptions {
  readonly sessions: LiveSessions;
  readonly address: ClientAddress;
  /** Of logins, by network. */
  readonly rate: RateLimit;
}

/**
 * Log in and log out, by ordinary forms. There is no password: this demonstrates sessions, and visitors may take
 * any name.
 */
export function formRoutes({ sessions, address, rate }: FormRoutesOptions): Router {
  const router = express.Router();

  router.post("/login", async (request, response) => {
    const from = address.ofRequest(request);
    const name = postedName(request);
    if (typeof name !== "string") return answerForm(request, response, { ok: false, ...name });
    if (rate.take(countedNetwork(from)) > 0)
      return answerForm(request, response, { ok: false, problem: "tooOften" });
    await sessions.login(request, { name, device: deviceName(request.get("user-agent"), from) });
    const story = `Logged in as ${name}: a new session with a new id, and every tab of this browser has it.`;
    answerForm(request, response, { ok: true, story });
  });

  router.post("/logout", async (request, response) => {
    await sessions.logout(request, response);
    answerForm(request, response, { ok: true, story: "Logged out: the session is over, in every tab." });
  });

  return router;
}
