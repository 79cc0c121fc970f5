import express, { type Request, type Router } from "express";
import type { LiveSessions } from "socket-session";
import { type FormProblem, guestName, limits } from "../shared/events.ts";
import { answerForm, fieldOf } from "./answers.ts";
import type { ClientAddress } from "./client-address.ts";
import { deviceName } from "./device.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface FormRoutesOptions {
  readonly sessions: LiveSessions;
  readonly address: ClientAddress;
  /** Of logins, by address. */
  readonly rate: RateLimit;
}

/**
 * Log in, rename, log out, by ordinary forms. There is no password: this demonstrates sessions, and visitors may take
 * any name.
 */
export function formRoutes({ sessions, address, rate }: FormRoutesOptions): Router {
  const router = express.Router();

  router.post("/login", async (request, response) => {
    const from = address.ofRequest(request);
    const name = nameIn(request);
    if (typeof name !== "string") return answerForm(request, response, { ok: false, ...name });
    if (rate.take(from) > 0) return answerForm(request, response, { ok: false, problem: "tooOften" });
    await sessions.login(request, { name, device: deviceName(request.get("user-agent"), from) });
    const story = `Logged in as ${name}: a new session with a new id, and every tab of this browser has it.`;
    answerForm(request, response, { ok: true, story });
  });

  router.post("/rename", async (request, response) => {
    const name = nameIn(request);
    const { userId } = sessions.of(request);
    if (userId === undefined) return answerForm(request, response, { ok: false, problem: "notLoggedIn" });
    if (typeof name !== "string") return answerForm(request, response, { ok: false, ...name });
    await sessions.of(request).update((draft) => {
      draft.name = name;
    });
    const story = `Renamed to ${name} in the session: every tab has it, and none had to reconnect.`;
    answerForm(request, response, { ok: true, story });
  });

  router.post("/logout", async (request, response) => {
    await sessions.logout(request, response);
    answerForm(request, response, { ok: true, story: "Logged out: the session is over, in every tab." });
  });

  return router;
}

/** The name as it is shown, or the problem with it. */
function nameIn(request: Request): string | { problem: FormProblem } {
  // Invisible characters would let two people look the same.
  const name = fieldOf(request, "name").replace(/\p{C}/gu, "").replace(/\s+/gu, " ").trim();
  if (name === "") return { problem: "nameEmpty" };
  if (name.length > limits.nameLength) return { problem: "nameTooLong" };
  if (name.toLowerCase() === guestName) return { problem: "nameTaken" };
  return name;
}
