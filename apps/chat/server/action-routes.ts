import express, { type Request, type RequestHandler, type Router } from "express";
import type { LiveSessions } from "socket-session";
import { countOf } from "../shared/count-of.ts";
import { type FormAnswer, limits } from "../shared/events.ts";
import { answerForm, fieldOf } from "./answers.ts";
import { endDevice, receiptWords } from "./end-sessions.ts";
import { postedName } from "./posted-name.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface ActionRoutesOptions {
  readonly sessions: LiveSessions;
  readonly idleMs: number;
  /** By session. */
  readonly rate: RateLimit;
  /** Stops a node of the cluster for a while; undefined if there is no cluster. */
  readonly stopNode: ((node: string) => void) | undefined;
}

/** A visitor who has logged in. */
interface Visitor {
  readonly userId: string;
  readonly publicId: string;
}

type Action = (visitor: Visitor, request: Request) => Promise<FormAnswer>;

/** What visitors may do to their own sessions, and to a node of the cluster, so many times in a minute. */
export function actionRoutes(options: ActionRoutesOptions): Router {
  const { sessions, idleMs, rate, stopNode } = options;
  const router = express.Router();
  const on = (path: string, action: Action) => router.post(path, forVisitors(sessions, rate, action));

  on("/rename", async (_visitor, request) => {
    const name = postedName(request);
    if (typeof name !== "string") return { ok: false, ...name };
    await sessions.of(request).update((draft) => {
      draft.name = name;
    });
    return {
      ok: true,
      story: `Renamed to ${name} in the session: every tab has it, and none had to reconnect.`,
    };
  });

  on("/devices/end", ({ userId }, request) => endDevice(sessions, userId, fieldOf(request, "publicId")));

  on("/devices/end-others", async ({ userId, publicId }) => {
    const ended = await sessions.user(userId).end({ exceptPublicId: publicId });
    return { ok: true, story: `Revoked: ${countOf(ended, "other session")}. This one goes on.` };
  });

  on("/try/revoke", async (_visitor, { sessionID }) => {
    const message = "An administrator has ended your session.";
    return { ok: true, story: receiptWords(await sessions.end(sessionID, { message, receipt: true })) };
  });

  on("/try/short", async (_visitor, { session, body }) => {
    const isShort = body?.on === "1";
    session.isShort = isShort;
    session.cookie.maxAge = isShort ? limits.shortMs : idleMs;
    const story = isShort
      ? "Shortened: the session now ends a minute after you last do something."
      : "Back to normal: the session has its full time again.";
    return { ok: true, story };
  });

  on("/try/admin", async (_visitor, request) => {
    const isAdmin = request.body?.on === "1";
    await sessions.of(request).update((draft) => {
      draft.isAdmin = isAdmin;
    });
    const story = isAdmin
      ? "Made an admin: every tab of this session has joined the room."
      : "Right taken away: every tab had left the room before this answer was sent.";
    return { ok: true, story };
  });

  if (stopNode)
    on("/try/stop-node", async (_visitor, request) => {
      const node = fieldOf(request, "node");
      request.res?.once("close", () => stopNode(node)); // not before, as it may be this one
      const seconds = limits.stopsEveryMs / 1_000;
      return {
        ok: true,
        story: `Asked for a stop of ${node}. A node stops at most every ${seconds} seconds.`,
      };
    });

  return router;
}

function forVisitors(sessions: LiveSessions, rate: RateLimit, action: Action): RequestHandler {
  return async (request, response) => {
    const { userId, publicId } = sessions.of(request);
    if (userId === undefined) return answerForm(request, response, { ok: false, problem: "notLoggedIn" });
    if (rate.take(publicId) > 0) return answerForm(request, response, { ok: false, problem: "tooOften" });
    answerForm(request, response, await action({ userId, publicId }, request));
  };
}
