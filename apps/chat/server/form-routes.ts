import express, { type Request, type Response, type Router } from "express";
import { type FormAnswer, type FormProblem, guestName, limits } from "../shared/events.ts";

/**
 * Log in, rename, log out, by ordinary forms. There is no password: this demonstrates sessions, and visitors may take
 * any name. Each form answers with a redirect, so that reloading the page posts nothing again; scripts that ask for
 * JSON get JSON.
 */
export function formRoutes(): Router {
  const router = express.Router();
  router.use(express.urlencoded({ extended: false, limit: 2_000 }));

  router.post("/login", (request, response, next) => {
    const name = nameIn(request);
    if (typeof name !== "string") return refuse(request, response, name);
    // A new id at every login: an id that an attacker has planted in this browser becomes worthless.
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.name = name;
      // Saved before the answer: a browser follows a redirect at its headers, and the page connects at once.
      request.session.save((failure) => (failure ? next(failure) : accept(request, response)));
    });
  });

  router.post("/rename", (request, response) => {
    const name = nameIn(request);
    if (request.session.name === undefined) return refuse(request, response, { problem: "notLoggedIn" });
    if (typeof name !== "string") return refuse(request, response, name);
    request.session.name = name;
    accept(request, response);
  });

  router.post("/logout", (request, response, next) => {
    request.session.destroy((error) => {
      if (error) return next(error);
      response.clearCookie("sid");
      accept(request, response);
    });
  });

  return router;
}

/** The name as it is shown, or the problem with it. */
function nameIn({ body }: Request): string | { problem: FormProblem } {
  const posted: unknown = body?.name;
  // Invisible characters would let two people look the same.
  const name = typeof posted === "string" ? posted.replace(/\p{C}/gu, "").replace(/\s+/gu, " ").trim() : "";
  if (name === "") return { problem: "nameEmpty" };
  if (name.length > limits.nameLength) return { problem: "nameTooLong" };
  if (name.toLowerCase() === guestName) return { problem: "nameTaken" };
  return name;
}

function accept(request: Request, response: Response): void {
  const answer: FormAnswer = { ok: true };
  if (wantsJson(request)) response.json(answer);
  else response.redirect(303, "/");
}

function refuse(request: Request, response: Response, { problem }: { problem: FormProblem }): void {
  const answer: FormAnswer = { ok: false, problem };
  if (wantsJson(request)) response.status(problem === "notLoggedIn" ? 401 : 422).json(answer);
  else response.redirect(303, `/?${new URLSearchParams({ form: request.path.slice(1), problem })}`);
}

function wantsJson(request: Request): boolean {
  return request.accepts(["html", "json"]) === "json";
}
