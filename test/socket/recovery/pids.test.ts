import { describe, expect, test } from "vitest";
import { sessionPids } from "../../../src/socket/recovery.ts";

const random = "a".repeat(20);

describe("the pids of a session", () => {
  test("are its own: of its id, in one namespace, under the same secret", () => {
    const pids = sessionPids(["secret"]);
    const pid = pids("ada's").bind("/", random);
    expect(pid).toMatch(/^a{20}\.[\w-]{43}$/);
    expect(pids("ada's").owns("/", pid)).toBe(true);
    expect(pids("eve's").owns("/", pid)).toBe(false);
    expect(pids("ada's").owns("/admin", pid)).toBe(false);
    expect(sessionPids(["another"])("ada's").owns("/", pid)).toBe(false);
  });

  test("are bound under the first secret, and stay its own under all, in any order", () => {
    const old = sessionPids(["old"])("ada's").bind("/", random);
    const both = sessionPids(["new", "old"])("ada's");
    const pid = both.bind("/", random);
    expect(pid).toBe(sessionPids(["new"])("ada's").bind("/", random));
    for (const one of [old, pid]) {
      expect(both.owns("/", one)).toBe(true);
      expect(sessionPids(["old", "new"])("ada's").owns("/", one)).toBe(true);
    }
    expect(sessionPids(["new"])("ada's").owns("/", old)).toBe(false);
  });

  test("differ where the same characters are divided in another way, or can't be encoded", () => {
    const pids = sessionPids([Buffer.from("secret")]);
    const made = [
      pids("b").bind("/a", random),
      pids("ab").bind("/", random),
      pids('b","c').bind("/a", random),
      pids("c").bind('/a","b', random),
      pids("\ud800").bind("/a", random),
      pids("\ud801").bind("/a", random),
      pids("\ufffd").bind("/a", random),
    ];
    expect(new Set(made).size).toBe(made.length);
  });

  test.each([
    "",
    ".",
    "..",
    random,
    `${random}.`,
    "__proto__",
    "constructor",
    "\ud800.\udc00",
    "é".repeat(64),
    "x".repeat(1e6),
    `${"x".repeat(1e6)}.${"A".repeat(43)}`,
  ])("are not anything else, as %j", (pid) => {
    expect(sessionPids(["secret"])("ada's").owns("/", pid)).toBe(false);
  });

  test("are hashed only up to a length", () => {
    const pids = sessionPids(["secret"])("ada's");
    expect(pids.owns("/", pids.bind("/", "x".repeat(56)))).toBe(true);
    expect(pids.owns("/", pids.bind("/", "x".repeat(57)))).toBe(false);
  });
});
