/** Reads what comes from the network and from other tabs, whose shape is not known. */
import type { ForbiddenMessage } from "../protocol.ts";

/** The state of the session, as the server says. */
export interface Told {
  readonly state: "live" | "guest";
  readonly publicId: string | undefined;
  readonly leftMs: number | undefined;
  /** Undefined if the browser keeps the cookie until it is closed. */
  readonly cookieMs: number | undefined;
  readonly data: unknown;
}

/** The fields of an object; of anything else, none. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => Object(value);

export const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown) => (typeof value === "number" ? value : undefined);

/** The code of a refusal: in the error of a `CONNECT_ERROR`, and in the body of an HTTP answer. */
export const codeIn = (refusal: unknown) => textOf(fieldsOf(fieldsOf(refusal).data).code);

/** Undefined for what is no message of a state that is known here. */
export function toldIn(value: unknown): Told | undefined {
  const { state, publicId, leftMs, cookieMs, data } = fieldsOf(value);
  if (state !== "live" && state !== "guest") return undefined;
  return {
    state,
    publicId: textOf(publicId),
    leftMs: numberOf(leftMs),
    cookieMs: numberOf(cookieMs),
    data,
  };
}

export const isForbidden = (value: unknown): value is ForbiddenMessage =>
  typeof fieldsOf(value).code === "string";
