import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { start } from "./start.ts";

const pageDir = fileURLToPath(new URL("../dist", import.meta.url));
if (existsSync(`${pageDir}/index.html`)) start(pageDir);
else {
  console.error("The page has not been built. `npm start` builds and starts the chat.");
  process.exitCode = 1;
}
