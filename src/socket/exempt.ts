import { types } from "node:util";
import { checkOptions, invalid } from "../base/arguments.ts";
import { type OriginsOption, originsOf } from "./allowed-origins.ts";
import type { Origins } from "./origin.ts";

/** A namespace with an authentication of its own. */
export interface ExemptNamespace {
  /** Its name, or a pattern of names. */
  namespace: string | RegExp;
  /**
   * Origins whose pages may use it, in addition to the server's own and those of `liveSessions({ origins })`. Such a
   * page gets no session, whatever cookie it sends, and only the namespaces that list its origin.
   */
  origins?: OriginsOption;
}

export interface Exemption {
  matches(namespace: string): boolean;
  /** Origins whose pages may use only these namespaces. */
  readonly origins: Origins;
}

const known: Readonly<Record<keyof ExemptNamespace, true>> = { namespace: true, origins: true };
const cure =
  'Write exempt: ["/name"], [/^\\/pattern-/] without g and y, or [{ namespace: "/name", origins: […] }].';

/** Checks the `exempt` option of `attach`; throws `INVALID_OPTION`. */
export function exemptionsOf(exempt: unknown = []): readonly Exemption[] {
  if (!Array.isArray(exempt)) throw invalid("`exempt` expects an array of namespaces", exempt, cure);
  return exempt.map((one: unknown, index) => {
    const name = `exempt[${index}]`;
    if (typeof one !== "object" || one === null || types.isRegExp(one))
      return { matches: matcherOf(name, one), origins: originsOf(name, undefined) };
    checkOptions(`\`${name}\``, one, Object.keys(known));
    return {
      matches: matcherOf(`${name}.namespace`, one.namespace),
      origins: originsOf(`${name}.origins`, one.origins),
    };
  });
}

function matcherOf(option: string, namespace: unknown): (name: string) => boolean {
  if (typeof namespace === "string" && namespace.startsWith("/")) return (name) => name === namespace;
  // with g and y a pattern remembers where it stopped
  if (types.isRegExp(namespace) && !namespace.global && !namespace.sticky)
    return (name) => namespace.test(name);
  throw invalid(
    `\`${option}\` expects the name of a namespace, or a pattern without g and y`,
    namespace,
    cure,
  );
}
