/** What the documents say is true of the sources, as far as a machine can tell. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { endReasons, errorCodes, LiveSessions, refusals } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { describe, expect, test } from "vitest";
import { services } from "../../scripts/services.mjs";
import { resolveOptions } from "../../src/options/options.ts";
import { compile, type Source } from "./compile.ts";
import { documentedTypes, fragmentGlobals, imports } from "./documented.ts";
import { type CodeBlock, documentAt, documents, root } from "./markdown.ts";

const sourceText = globSync("src/**/*.ts", { cwd: root })
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");

/** All that `pattern` finds in the sources. */
const inSources = (pattern: RegExp) => [...sourceText.matchAll(pattern)].map(([, found = ""]) => found);

describe("code blocks", () => {
  const blocks = documents.flatMap((document) => document.blocks);
  const code = blocks.filter(({ language, info }) => /^(ts|js)$/.test(language) && info !== "ignore-check");
  const sourceOf = ({ file, line, language, code }: CodeBlock): Source => ({
    name: file,
    line,
    extension: language === "ts" ? "ts" : "mjs",
    code,
  });

  test("are of a language that is checked, or no code", () => {
    const known =
      /^(ts( fragment| ignore-check)?|js( fragment)?|html|\w+ examples\/\S+|sh|diff|nginx|apache|caddy|python|text)$/;
    const unknown = blocks.filter(({ language, info }) => !known.test(`${language} ${info}`.trim()));
    expect(unknown.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
  });

  test("compile, and so do the programs of the guides", { timeout: 120_000 }, async () => {
    const programs = globSync(["docs/guide/examples/*.ts", "examples/*.mts"], { cwd: root }).map(
      (file): Source => ({
        name: file,
        line: 1,
        extension: file.endsWith(".mts") ? "mts" : "ts",
        code: readFileSync(join(root, file), "utf8"),
      }),
    );
    const whole = code.filter(({ info }) => info === "").map(sourceOf);
    const fragments = code.filter(({ info }) => info === "fragment").map(sourceOf);
    expect(programs).not.toEqual([]);
    expect(whole).not.toEqual([]);
    const errors = await Promise.all([compile([...programs, ...whole]), compile(fragments, fragmentGlobals)]);
    expect(errors.flat()).toEqual([]);
  });

  test("that do not are named by document and line", async () => {
    const wrong = { name: "a.md", line: 10, extension: "ts" as const, code: "\nconst n: number = 'text';" };
    expect(await compile([wrong])).toEqual([expect.stringMatching(/^a\.md:11: error TS2322/)]);
  });
});

describe("samples", () => {
  const blocks = documents.flatMap((document) => document.blocks);
  const named = (found: readonly CodeBlock[]) => found.map(({ file, line }) => `${file}:${line}`);

  test("of pages read what they fetch to its end, before which the session is not saved", () => {
    const fetching = blocks.filter(({ code }) => /\bfetch\(/.test(code));
    expect(fetching).not.toEqual([]);
    expect(named(fetching.filter(({ code }) => !/\.(text|json)\(\)/.test(code)))).toEqual([]);
  });

  test("of logins that answer with a redirect store the session first, as a browser follows one at its headers", () => {
    const redirects = blocks.filter(({ code }) => /(?:regenerate|login)\([\s\S]*?redirect\(/.test(code));
    expect(redirects).not.toEqual([]);
    const waits =
      /regenerate\([\s\S]*?\.save\([\s\S]*?redirect\(|await [\w.]*sessions\.login\(|sessions\.login\(.*\)\.then\(/;
    expect(named(redirects.filter(({ code }) => !waits.test(code)))).toEqual([]);
  });

  test("of async routes say what Express 4 needs, or are written so", () => {
    const asyncRoute = /\bapp\.\w+\("[^"]*", async /;
    const unsaid = documents.filter(
      ({ file, blocks, links }) =>
        blocks.some(({ code }) => asyncRoute.test(code.replaceAll(/^[+ ]/gm, ""))) &&
        !links.some(({ target }) => target.endsWith("#express-4")) &&
        file !== "docs/guide/getting-started.md",
    );
    expect(unsaid.map(({ file }) => file)).toEqual([]);
  });
});

describe("links", () => {
  const relative = documents
    .flatMap((document) => document.links)
    .filter(({ target }) => !/^(https?|mailto):/.test(target));

  test("lead to files and headings that are there", () => {
    const broken = relative.filter(({ file, target }) => {
      const [path = "", anchor] = target.split("#");
      const found = path === "" ? file : normalize(join(dirname(file), path)).replaceAll("\\", "/");
      if (!existsSync(join(root, found))) return true;
      return anchor !== undefined && !documentAt(found).anchors.has(anchor);
    });
    expect(broken.map(({ file, line, target }) => `${file}:${line}: ${target}`)).toEqual([]);
  });

  test("of functions lead to the file that has them", () => {
    const named = documents.flatMap(({ file, prose }) =>
      [...prose.matchAll(/\[`([^`\]]+)`\]\(([^)#]+\.ts)\)/g)].map(([, name = "", target = ""]) => ({
        file,
        name: name.split(".").at(-1) ?? "",
        path: normalize(join(dirname(file), target)),
      })),
    );
    const functions = named.filter(({ name, path }) => !path.endsWith(`${name}`) && name !== "ts");
    expect(functions.length).toBeGreaterThan(20);
    const isIn = ({ name, path }: { name: string; path: string }) =>
      new RegExp(`(^|[^\\w])${name}\\b`).test(readFileSync(join(root, path), "utf8"));
    expect(functions.filter((one) => !isIn(one))).toEqual([]);
  });

  test("stay within what the package on npm holds", () => {
    const isPublished =
      /^(?:(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE|(?:docs|examples|src)(?:\/.*)?)$/;
    const outside = relative.filter(({ file, target }) => {
      const path = normalize(join(dirname(file), target.split("#")[0] || ".")).replaceAll("\\", "/");
      return !target.startsWith("#") && !isPublished.test(path);
    });
    expect(outside.map(({ file, line, target }) => `${file}:${line}: ${target}`)).toEqual([]);
  });

  test("lead to every document from the README", () => {
    const reached = new Set(["README.md"]);
    for (const file of reached) {
      for (const link of relative.filter((one) => one.file === file)) {
        const target = normalize(join(dirname(file), link.target.split("#")[0] ?? "")).replaceAll("\\", "/");
        if (target.endsWith(".md")) reached.add(target);
      }
    }
    expect(documents.map(({ file }) => file).filter((file) => !reached.has(file))).toEqual([]);
  });
});

describe("names", () => {
  test("of options, members, events, codes and reasons: each documented, none that does not exist", async () => {
    const sources = documentedTypes.map(({ keys, file, headings }): Source => {
      const document = documentAt(file);
      const names = headings.flatMap((heading) => document.names(heading));
      const object = names.map((name) => `${JSON.stringify(name)}: 0`).join(", ");
      return {
        name: `${file} (${headings.join(", ")})`,
        line: 1,
        extension: "ts",
        code: `export const documented: Record<${keys}, 0> = { ${object} };${imports}`,
      };
    });
    expect(await compile(sources)).toEqual([]);
  });

  test("of errors and start warnings", () => {
    const errors = documentAt("docs/reference/errors.md");
    expect(errors.names("Errors").sort()).toEqual(Object.keys(errorCodes).sort());
    expect(errors.names("Warnings at the start").sort()).toEqual(inSources(/code: "(SOCKET_\w+)"/g).sort());
  });

  test("in capitals are codes of the sources", () => {
    const known = new Set([
      ...Object.keys(errorCodes),
      ...Object.keys(refusals),
      ...inSources(/code: "(SOCKET_\w+)"/g),
      ...["CONNECT_ERROR", "SESSION_SECRET", "NODE_ENV", "LOGIN_REQUIRED"], // Socket.IO's, and variables of the environment
      ...services.map(({ variable }) => variable),
    ]);
    const named = documents.flatMap(({ file, codeSpans }) =>
      codeSpans.filter((code) => /^[A-Z]+(_[A-Z]+)+$/.test(code)).map((code) => ({ file, code })),
    );
    expect(named.filter(({ code }) => !known.has(code))).toEqual([]);
  });

  test("of files and folders of the repository are there", () => {
    const isPath = /^(?:\.ci|apps|bench|docs|examples|scripts|src|test)\/[\w./-]*$/;
    const named = documents.flatMap(({ file, codeSpans }) =>
      codeSpans.filter((code) => isPath.test(code)).map((path) => ({ file, path })),
    );
    expect(named).not.toEqual([]);
    expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("of methods that prose mentions are methods", () => {
    const mentioned = documents.flatMap(({ file, codeSpans }) =>
      codeSpans.flatMap((code) =>
        [...code.matchAll(/(?<!-)\bsessions\.(\w+)/g)].map(([, name = ""]) => ({ file, name })),
      ),
    );
    const files = new Set(["db"]);
    expect(mentioned.filter(({ name }) => !(name in LiveSessions.prototype) && !files.has(name))).toEqual([]);
  });

  test("of debug output", () => {
    const namespaces = inSources(/createDebug\("([^"]+)"\)/g);
    const debug = documentAt("docs/reference/sessions.md").names("Debug output");
    expect(
      new Set(
        documentAt("docs/reference/sessions.md")
          .table("Debug output")
          .map(([cell]) => cell),
      ),
    ).toEqual(new Set(namespaces.map((name) => `\`${name}\``)));
    expect(debug.length).toBeGreaterThan(0);
  });
});

describe("values", () => {
  test("what a stock client does at each refusal and end", () => {
    const document = documentAt("docs/reference/refusals-and-ends.md");
    const documented = (heading: string) =>
      Object.fromEntries(
        document.table(heading).map(([code = "", client]) => [code.replaceAll("`", ""), client]),
      );
    const actual = (table: Record<string, { client: string }>) =>
      Object.fromEntries(Object.entries(table).map(([code, { client }]) => [code, client]));
    expect(documented("Refusals")).toEqual(actual(refusals));
    expect(documented("Ends")).toEqual(actual(endReasons));
  });

  test("the status of each error", () => {
    const documented = documentAt("docs/reference/errors.md")
      .table("Errors")
      .map(([code = "", status]) => [code.replaceAll("`", ""), Number(status)]);
    const actual = Object.entries(errorCodes).map(([code, { status }]) => [code, status]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(actual));
  });

  test("the default of each time", () => {
    const resolved = resolveOptions({ store: memoryStore(), secret: "a secret" });
    const times = documentAt("docs/reference/options.md").table("Times");
    const documented = Object.fromEntries(
      times.map(([name = "", standard = ""]) => [
        name.replaceAll("`", ""),
        standard === "no limit"
          ? Number.POSITIVE_INFINITY
          : Number(/^[\d_]+/.exec(standard)?.[0].replaceAll("_", "")),
      ]),
    );
    for (const [name, standard] of Object.entries(documented))
      expect({ [name]: Reflect.get(resolved, name) }).toEqual({ [name]: standard });
  });

  test("the version of the package is the newest of the changelog", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(/^## (\S+)/m.exec(documentAt("CHANGELOG.md").prose)?.[1]).toBe(version);
  });
});
