import { bare } from "./bare.ts";
import { expressSocketioSession } from "./express-socketio-session.ts";
import { least } from "./least.ts";
import { limit } from "./limit.ts";
import { limitSession } from "./limit-session.ts";
import { plain } from "./plain.ts";
import { recipe, recipePoll, recipeReload } from "./recipe.ts";
import { before, socketSession } from "./socket-session.ts";
import { storeGet } from "./store-get.ts";
import type { Subject } from "./subject.ts";

/** As tables list them. */
const subjects: readonly Subject[] = [
  bare,
  limit,
  limitSession,
  least,
  plain,
  recipe,
  recipeReload,
  recipePoll,
  expressSocketioSession,
  storeGet,
  before,
  socketSession,
];

export function subjectNamed(name: string): Subject {
  const found = subjects.find((subject) => subject.name === name);
  if (!found) throw new Error(`There is no subject "${name}".`);
  return found;
}
