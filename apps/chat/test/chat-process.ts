/**
 * The chat as `npm start` starts it, in a process of its own: `node chat-process.ts <folder of the page> [--cluster]`. There is no
 * test runner here to map the package's names to its sources, so that is done first.
 */
import { registerHooks } from "node:module";

const [, , pageDir = ""] = process.argv;
const sources = new URL("../../../src/", import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const [, store] = /^socket-session(?:\/(\w+))?$/.exec(specifier) ?? [];
    if (store) return next(new URL(`stores/${store}.ts`, sources).href, context);
    return next(specifier === "socket-session" ? new URL("index.ts", sources).href : specifier, context);
  },
});

const { start } = await import("../server/start.ts");
start(pageDir);
