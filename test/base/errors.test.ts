import { SocketSessionError } from "socket-session";
import { expect, test } from "vitest";
import { errorText } from "../../src/base/errors.ts";

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
])("what is printed of error %#", (error, text) => {
  expect(errorText(error)).toBe(text);
});

const throwing = () => {
  throw new Error("s3cret");
};
const every = { get: throwing, has: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing };

test.each([
  [Object.assign(new Error("s3cret"), { constructor: undefined })],
  [Object.assign(new Error("s3cret"), { constructor: null, name: "ReplyError" })],
  [Object.assign(new Error("s3cret"), { name: Object.create(null) })],
  [Object.assign(new Error("s3cret"), { name: Symbol("s3cret") })],
  [Object.assign(new Error("s3cret"), { name: { toString: throwing } })],
  [Object.assign(new Error("s3cret"), { name: "ReplyError", message: 7n })],
  [Object.assign(new Error("s3cret"), { name: "ReplyError", message: undefined })],
  [Object.defineProperty(new Error("s3cret"), "name", { get: throwing })],
  [Object.defineProperty(new Error("s3cret"), "code", { get: throwing })],
  [Object.defineProperty(new Error("s3cret"), "constructor", { get: throwing })],
  [new Proxy(new Error("s3cret"), every)],
  [new Proxy(throwing, every)],
  [Object.defineProperty(new SocketSessionError("STORE_OPEN", "gone"), "code", { get: throwing })],
  [Object.assign(new SocketSessionError("STORE_OPEN", "gone"), { message: Symbol("s3cret") })],
])("something is printed of an error that can't be looked at: %#", (error) => {
  expect(errorText(error)).toMatch(/^[a-zA-Z' ]{1,40}$/);
});

test("the status of a code that is not known is 500", () => {
  const error = new SocketSessionError("STORE_OPEN", "gone");
  expect(error.status).toBe(503);
  for (const code of ["of a newer release", "toString", undefined])
    expect(Object.assign(error, { code }).status).toBe(500);
});
