/** Takes the secret kept at a path, or makes it: `node secret-process.ts <path>`, several of them at once. */
import { keptSecret } from "../server/secret.ts";

process.send?.(keptSecret(process.argv[2] ?? ""));
