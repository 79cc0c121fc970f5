/** Checks the columns of a table: an application may have another table of that name. */
import { SocketSessionError } from "../../base/errors.ts";
import { isRecord } from "../common/documents.ts";

interface Shape {
  readonly columns: Readonly<Record<string, RegExp>>;
  readonly shown: string;
  readonly cure: string;
}

const json = /^(jsonb?|text|character varying)/;
const time = /^timestamp/;
const any = /./;

export const shapes = {
  sessions: {
    columns: { sid: any, sess: json, expire: time },
    shown: "sid varchar (the primary key), sess json and expire timestamp, and no other that has to be set",
    cure: "If it is another application's, give `tableName` another name; else make its columns these.",
  },
  users: {
    columns: { user_id: any, sid: any, since: time, expires_at: time },
    shown: "user_id text and sid text (the primary key), since timestamptz and expires_at timestamptz",
    cure: "If it is another application's, give `usersTableName` another name, or `userIndex: false`.",
  },
} as const satisfies Record<string, Shape>;

/** Error codes of statements on a table with other columns, types or keys. */
const ofShape = new Set(["42703", "42804", "42846", "42883", "42P10", "23502", "22P02"]);
/** Of these, the codes of errors that do not concern the columns' names and types. */
const ofKeys = new Set(["42P10", "23502"]);

export function mayBeOfShape(code: unknown): boolean {
  return typeof code === "string" && ofShape.has(code);
}

const maxShown = 200;

/** `columns`: a JSON object of the columns' types by name. Undefined if they are right, or if there is no table. */
export function shapeError(
  table: string,
  columns: unknown,
  { columns: expected, shown, cure }: Shape,
  cause?: unknown,
): SocketSessionError | undefined {
  const found: unknown = typeof columns === "string" ? JSON.parse(columns) : undefined;
  if (!isRecord(found)) return undefined;
  const code = isRecord(cause) ? cause.code : undefined;
  const isRight = Object.entries(expected).every(([name, type]) => type.test(String(found[name] ?? "")));
  if (isRight && !ofKeys.has(String(code))) return undefined;
  const listed = Object.entries(found).map(([name, type]) => `${name} ${type}`);
  const all = listed.join(", ");
  const came = all.length > maxShown ? `${all.slice(0, maxShown)}…` : all || "no columns";
  const why = isRight ? ", and another key, or others that have to be set" : "";
  return new SocketSessionError(
    "STORE_OPEN",
    `postgresStore() expects the table ${table} to have the columns ${shown}; it has ${came}${why}. ${cure}`,
    cause === undefined ? {} : { cause },
  );
}
