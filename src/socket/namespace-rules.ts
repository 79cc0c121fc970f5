/** The rules that were given to `use` of a namespace, each found by its middleware. */
import type { Namespace } from "socket.io";
import type { Rule } from "../session/rule.ts";

const ruleByMiddleware = new WeakMap<object, Rule>();

/** Remembers that `middleware` applies `rule`. */
export function isMiddlewareOf(middleware: object, rule: Rule): void {
  ruleByMiddleware.set(middleware, rule);
}

/** In the order in which they are asked. A rule that other middleware calls is not among them. */
export function rulesOf(namespace: Namespace): Rule[] {
  // as in `guardNamespaces`
  const middleware: readonly object[] = Reflect.get(namespace, "_fns");
  return middleware.map((fn) => ruleByMiddleware.get(fn)).filter((rule) => rule !== undefined);
}
