import { SocketSessionError } from "socket-session";
import { expect, test } from "vitest";
import { errorText } from "../src/errors.ts";

class MongoServerError extends Error {
  override readonly name = "MongoServerError";
  readonly code = 11000;
}
class SimpleError extends Error {} // as node-redis has it

const named = (name: string, code?: unknown) => Object.assign(new Error("s3cret"), { name, code });

test.each([
  [new Error("s3cret"), "Error"],
  [new SyntaxError("s3cret"), "SyntaxError"],
  [new MongoServerError("s3cret"), "MongoServerError 11000"],
  [named("error", "42P01"), "error 42P01"],
  [named("Error", "ECONNREFUSED"), "Error ECONNREFUSED"],
  [new SimpleError("WRONGTYPE s3cret"), "SimpleError WRONGTYPE"],
  [named("ReplyError"), "ReplyError"],
  [named("ReplyError", "NOAUTH"), "ReplyError NOAUTH"],
  [Object.assign(new Error("OOM s3cret"), { name: "ReplyError" }), "ReplyError OOM"],
  [new Error("WRONGTYPE s3cret"), "Error"],
  [named("a s3cret name"), "Error"],
  [named("Error", "a s3cret code"), "Error"],
  [named("Error", { s3cret: true }), "Error"],
  [Object.create(null), "a thrown object"],
  ["s3cret", "a thrown string"],
  [undefined, "a thrown undefined"],
  [null, "a thrown null"],
  [
    new SocketSessionError("STORE_OPEN", "The file is gone.", { cause: "s3cret" }),
    "SocketSessionError STORE_OPEN: The file is gone.",
  ],
])("what is printed of %s", (error, text) => {
  expect(errorText(error)).toBe(text);
});
