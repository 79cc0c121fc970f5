// What a test file asks for a service of scripts/services.mjs: its address, and a `describe` that is skipped without it.
//
//   const redis = withService("redis");
//   redis.describe("…", () => { … connect to redis.url … });
import { describe } from "vitest";
import { findBinary, services } from "../../scripts/services.mjs";

const missing = (process.env.SOCKET_SESSION_MISSING ?? "").split(",");

/**
 * What the environment variable of a service says. The test command has opened it; where Vitest runs by itself, a program
 * that tests start themselves is looked for, and servers have to be named.
 */
function locate(name: string): { variable: string; value: string | undefined } {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`There is no service "${name}" in scripts/services.mjs.`);
  const { variable, isBinary } = service;
  if (missing.includes(name)) return { variable, value: undefined };
  return { variable, value: process.env[variable] || (isBinary ? findBinary(service) : undefined) };
}

export type ServiceName =
  | "chromium"
  | "nginx"
  | "apache"
  | "caddy"
  | "python-socketio"
  | "redis"
  | "redis-cluster"
  | "postgres"
  | "mongodb"
  | "mongodb-replica";

export interface TestedService {
  readonly isMissing: boolean;
  /** A URL, URLs with commas between, or the path of a program. Throws where it is missing, so read it in `describe`'s tests. */
  readonly url: string;
  /** A `describe` whose tests are skipped, and reported as skipped, where the service is missing. */
  readonly describe: ReturnType<typeof describe.skipIf>;
}

export function withService(name: ServiceName): TestedService {
  const { variable, value } = locate(name);
  return {
    isMissing: value === undefined,
    get url() {
      if (value === undefined) throw new Error(`There is no ${name} here. Set ${variable}.`);
      return value;
    },
    describe: describe.skipIf(value === undefined),
  };
}

const chromium = withService("chromium");

export const describeWithChromium = chromium.describe;

/** The path of the binary to launch. Throws where there is none, so use it within `describeWithChromium`. */
export const chromiumPath = (): string => chromium.url;
