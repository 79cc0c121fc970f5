import { inspect } from "node:util";
import { SocketSessionError } from "../base/errors.ts";
import { shownMember } from "../base/shown.ts";
import type { SessionValues } from "./fields.ts";

const values = Symbol("values");
/** Clients may choose keys, so neither many nor long ones are cached for ever. */
const rememberedKeys = 1_000;
const maxRememberedLength = 64;

/** The accessors of each key, shared by all sessions: objects with the same keys share a hidden class, so reads stay fast. */
const accessorsByKey = new Map<string, PropertyDescriptor>();

/**
 * A view of the frozen `data`: writing to a key throws `SESSION_READ_ONLY`, in sloppy mode too. It looks like plain
 * frozen data to spread, `JSON.stringify`, `structuredClone`, comparisons and the console. Adding a key can't be
 * caught: the engine throws a TypeError, or ignores it in sloppy mode.
 */
export function readOnlyData(data: Readonly<SessionValues>): Readonly<SessionValues> {
  const view: SessionValues = {};
  Object.defineProperty(view, values, { value: data });
  Object.defineProperty(view, inspect.custom, { value: shown });
  for (const key of Object.keys(data)) Object.defineProperty(view, key, accessorsOf(key));
  return Object.freeze(view);
}

interface View {
  readonly [values]: Readonly<SessionValues>;
}

function accessorsOf(key: string): PropertyDescriptor {
  const known = accessorsByKey.get(key);
  if (known) return known;
  const accessors: PropertyDescriptor & ThisType<View> = {
    enumerable: true,
    get() {
      return this[values][key];
    },
    set() {
      throw readOnlyError(key);
    },
  };
  if (accessorsByKey.size < rememberedKeys && key.length <= maxRememberedLength)
    accessorsByKey.set(key, accessors);
  return accessors;
}

function shown(this: View): Readonly<SessionValues> {
  return this[values];
}

function readOnlyError(written: string): SocketSessionError {
  const member = shownMember(written);
  return new SocketSessionError(
    "SESSION_READ_ONLY",
    `data${member} of a session was written to, and is read-only: nothing was changed. Write with \`await session.update((s) => { s${member} = … })\`.`,
  );
}
