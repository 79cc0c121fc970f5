/** Which origins the options take, in `origins` and in `exempt`, and what is said of the others. */
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";

const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => void warn.mockClear());

const build = (options: Record<string, unknown>) =>
  liveSessions({ store: memoryStore(), secret: "a secret of thirty-two characters", ...options } as never);

const places = [
  {
    name: "origins",
    option: "origins",
    give: (origins: unknown) => build({ origins }),
  },
  {
    name: "an exempt namespace",
    option: "exempt[1].origins",
    give: (origins: unknown) =>
      build({}).attach(new Server(), { exempt: ["/free", { namespace: "/admin", origins }] } as never),
  },
];

describe.each(places)("$name", ({ option, give }) => {
  test.each([
    "https://app.example",
    "http://localhost:5173",
    "https://xn--mller-kva.example",
    "http://[::1]:3000",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://-",
    "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
    "safari-web-extension://E4B79D4B-CE4A-4ECC-8D9F-5B7C3F4C3A10",
    "vscode-webview://1a2b3c",
  ])("takes %s", async (origin) => {
    await give([origin]).close();
  });

  test.each([
    ["an async function", async () => true],
    ["a function", () => false],
    ["an empty list", []],
    ["nothing", undefined],
  ])("takes %s", async (_name, origins) => {
    await give(origins).close();
  });

  test.each([
    ["no list", "https://app.example", `Write a list, ${option}: ["https://app.example"], or a function`],
    ["a pattern alone", /app/, "expects an array of origins, or a function; it was an object of RegExp"],
    ["null for no list", null, "expects an array of origins, or a function; it was null"],
    [
      "a pattern",
      [/app/],
      `No pattern is matched in a list. List each origin, or give a function: ${option}: (`,
    ],
    [
      "a wildcard",
      ["*"],
      `No wildcard is matched. List each origin, or give a function: ${option}: (origin) =>`,
    ],
    ["a wildcard in the host", ["https://*.app.example"], "No wildcard is matched"],
    ["a wildcard of the port", ["http://localhost:*"], "No wildcard is matched"],
    ["null", [null], 'It can\'t be allowed: browsers write "null" for frames and files of any site'],
    ["the text null", ["null"], 'It can\'t be allowed: browsers write "null"'],
    ["file:", ["file://"], "every file on the visitor's disk has it"],
    ["a file", ["file:///home/ada/index.html"], "every file on the visitor's disk has it"],
    ["a file of a host", ["file://server"], "every file on the visitor's disk has it"],
    ["a slash at the end", ["https://app.example/"], "It ends with a slash. Leave that out"],
    ["a slash after a scheme of an app", ["capacitor://localhost/"], "It ends with a slash. Leave that out"],
    ["a path", ["https://app.example/chat"], "It has a path or a query"],
    ["a query", ["https://app.example?a"], "It has a path or a query"],
    ["a user", ["https://ada@app.example"], "It has a user or a password"],
    ["no scheme", ["app.example"], "It has no scheme or no host"],
    ["no scheme but a port", ["localhost:3000"], "It has no scheme or no host"],
    ["no host", ["https://"], "It has no scheme or no host"],
    ["an empty text", [""], "it was an empty string. It has no scheme or no host"],
    ["capital letters", ["https://App.Example"], "It has capital letters"],
    ["the standard port of https", ["https://app.example:443"], "It has the port that is the scheme's own"],
    ["the standard port of http", ["http://app.example:80"], "It has the port that is the scheme's own"],
    ["another alphabet", ["https://müller.example"], 'such as "https://xn--mller-kva.example"'],
    ["the address of a socket", ["wss://app.example"], "Write the origin of the page"],
    ["a number", [7], 'Write what browsers send: scheme, host and port, such as "https://app.example:8443".'],
    ["spaces", ["https://app.example b"], "It has letters that browsers write otherwise"],
    ["a broken address", ["http://[::1"], "Write what browsers send"],
  ])("refuses %s, says where it stands, and what to write", (_name, origins, message) => {
    expect(() => give(origins)).toThrow(message);
    const place = Array.isArray(origins) ? `\`${option}[0]\` expects an origin` : `\`${option}\` expects`;
    expect(() => give(origins)).toThrow(place);
    expect(() => give(origins)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test("names the one that is wrong among others", () => {
    expect(() => give(["https://app.example", "https://*.app.example"])).toThrow(`\`${option}[1]\` expects`);
  });
});

describe("exempt", () => {
  const attach = (exempt: unknown) => build({}).attach(new Server(), { exempt } as never);

  test.each([
    ["a name", ["/admin"]],
    ["a pattern", [/^\/room-/]],
    ["an object with a name", [{ namespace: "/admin" }]],
    ["an object with a pattern", [{ namespace: /^\/room-/, origins: ["https://admin.example"] }]],
  ])("takes %s", async (_name, exempt) => {
    await attach(exempt).close();
  });

  test.each([
    ["a name without a slash", ["admin"], "`exempt[0]` expects the name of a namespace, or a pattern"],
    ["a pattern with g", [/x/g], "`exempt[0]` expects the name of a namespace, or a pattern without g and y"],
    ["no namespace", [{ origins: ["https://a.example"] }], "`exempt[0].namespace` expects the name"],
    ["a pattern with y in an object", [{ namespace: /x/y }], "`exempt[0].namespace` expects the name"],
    [
      "a misspelt option",
      [{ namespace: "/a", origin: [] }],
      "`exempt[0]` has no option `origin`. Write `origins`",
    ],
    ["a list in a list", [["/admin"]], "`exempt[0]` expects an object of options"],
    ["no list", { namespace: "/admin" }, "`exempt` expects an array of namespaces"],
  ])("refuses %s", (_name, exempt, message) => {
    expect(() => attach(exempt)).toThrow(message);
  });
});
