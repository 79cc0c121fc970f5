import type { Request } from "express";
import { type FormProblem, guestName, limits } from "../shared/events.ts";
import { fieldOf } from "./answers.ts";
import { userOf } from "./session-data.ts";

/** The name in a form, as it is shown, or the problem with it. */
export function postedName(request: Request): string | { problem: FormProblem } {
  // Invisible characters would let two people look the same.
  const name = fieldOf(request, "name").replace(/\p{C}/gu, "").replace(/\s+/gu, " ").trim();
  if (name === "") return { problem: "nameEmpty" };
  if (name.length > limits.nameLength) return { problem: "nameTooLong" };
  if (userOf({ name }) === guestName) return { problem: "nameTaken" };
  return name;
}
