import { isBuiltin } from "node:module";
import { describe, expect, test } from "vitest";
import { packageOf, sources } from "./sources.ts";

const within = (folder: string) => sources().filter(({ file }) => file.startsWith(`${folder}/`));
const offences = (files: ReturnType<typeof sources>, isForbidden: (specifier: string) => boolean) =>
  files.flatMap(({ file, imports }) =>
    imports.filter(isForbidden).map((specifier) => `${file} imports ${specifier}`),
  );

describe("what the folders of src know of each other", () => {
  test("core knows neither Express, Socket.IO nor a driver, and none of what is built around it", () => {
    const isForbidden = (specifier: string) =>
      /^(http|socket|stores|client)\//.test(specifier) ||
      ["node:http", "node:https", "node:sqlite"].includes(specifier) ||
      ![undefined, "debug"].includes(packageOf(specifier));
    expect(within("core")).not.toEqual([]);
    expect(offences(within("core"), isForbidden)).toEqual([]);
  });

  test("stores know neither requests nor sockets", () => {
    const isForbidden = (specifier: string) => /^(http|socket|client)\//.test(specifier);
    expect(offences(within("stores"), isForbidden)).toEqual([]);
  });

  test("what a browser loads imports nothing of Node and no package but socket.io-client", () => {
    const inBrowser = [...sources().filter(({ file }) => file === "protocol.ts"), ...within("client")];
    const isForbidden = (specifier: string) =>
      isBuiltin(specifier) ||
      ![undefined, "socket.io-client"].includes(packageOf(specifier)) ||
      (specifier.endsWith(".ts") && !/^(client\/.*|protocol\.ts)$/.test(specifier));
    expect(offences(inBrowser, isForbidden)).toEqual([]);
  });

  test("the suite for stores is loaded by nothing else, and needs no test runner", () => {
    const isOfSuite = (file: string) => /^testing\//.test(file);
    const others = sources().filter(({ file }) => !isOfSuite(file));
    expect(
      offences(others, (specifier) => isOfSuite(specifier) || specifier.startsWith("node:assert")),
    ).toEqual([]);
    const isRunner = (specifier: string) => specifier === "node:test" || packageOf(specifier) !== undefined;
    expect(within("testing")).not.toEqual([]);
    expect(offences(within("testing"), isRunner)).toEqual([]);
  });

  test("no debug output prints an error as it is, whose message may quote ids, data or credentials", () => {
    const lines = sources().flatMap(({ file, text }) =>
      text.split("\n").map((line) => ({ place: `${file}: ${line.trim()}`, line })),
    );
    const output = lines.filter(({ line }) => /\bdebug\(|emitWarning\(/.test(line));
    expect(output.length).toBeGreaterThan(10);
    const isRaw = (line: string) => /%O|, (error|failure|cause)\b|\.message\b/.test(line);
    expect(output.filter(({ line }) => isRaw(line)).map(({ place }) => place)).toEqual([]);
  });

  test("every import between sources names a file that exists", () => {
    const files = new Set(sources().map(({ file }) => file));
    expect(offences(sources(), (specifier) => specifier.endsWith(".ts") && !files.has(specifier))).toEqual(
      [],
    );
  });
});
