/**
 * One node of an application, in a process of its own: `node node-process.ts <SQLite file>` tells its address. It runs
 * the built package, as there is no test runner here to map names to sources.
 */
import { sqliteStore } from "socket-session/sqlite";
import { installHandlers } from "./handlers.ts";
import { startWorld } from "./world.ts";

const [, , path = ""] = process.argv;
const world = await startWorld({ store: sqliteStore({ path }), sockets: (io) => installHandlers(io) });
process.send?.(world.url);
