import type { Request, Response } from "express";
import type { FormAnswer, FormProblem } from "../shared/events.ts";

const statusByProblem: Readonly<Record<FormProblem, number>> = {
  nameEmpty: 422,
  nameTooLong: 422,
  nameTaken: 422,
  notLoggedIn: 401,
  tooOften: 429,
  gone: 404,
};

/**
 * Answers a form. An ordinary post gets a redirect, so that reloading the page posts nothing again; a script that asks for
 * JSON gets the answer itself.
 */
export function answerForm(request: Request, response: Response, answer: FormAnswer): void {
  if (request.accepts(["html", "json"]) === "json") {
    response.status(answer.ok ? 200 : statusByProblem[answer.problem]).json(answer);
  } else if (answer.ok) {
    response.redirect(303, "/");
  } else {
    response.redirect(
      303,
      `/?${new URLSearchParams({ form: request.path.slice(1), problem: answer.problem })}`,
    );
  }
}

/** A field of a form; empty if it is missing, or no text. */
export function fieldOf({ body }: Request, name: string): string {
  const posted: unknown = body?.[name];
  return typeof posted === "string" ? posted : "";
}
