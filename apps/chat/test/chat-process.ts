/** The chat as `npm start` starts it, in a process of its own: `node chat-process.ts <folder of the page> [--cluster | --split]`. */
import { start } from "../server/start.ts";

const [, , pageDir = ""] = process.argv;
start(pageDir);
