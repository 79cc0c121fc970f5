import { isProxy } from "node:util/types";

/**
 * What is known of an object that another package made: a weak map, for objects that live as long as a request. V8's frequent
 * collections keep all that the values of a `WeakMap` refer to, whether their keys are in use or not. A value that refers to its
 * key keeps the whole request, until a full collection. So this is a property of the object, which nothing enumerates.
 *
 * ```ts
 * const responses = new HiddenProperty<ServerResponse>("response");
 * responses.set(request, response);
 * ```
 */
export class HiddenProperty<Value> {
  readonly #key: symbol;
  /** Of what can't have a property that only this reads: a proxy, and what takes none. */
  readonly #others = new WeakMap<object, Value>();

  constructor(name: string) {
    this.#key = Symbol(name);
  }

  get(object: object): Value | undefined {
    const other = this.#others.get(object);
    if (other !== undefined || isProxy(object) || !Object.hasOwn(object, this.#key)) return other;
    return Reflect.get(object, this.#key)(object);
  }

  set(object: object, value: Value): void {
    // Copies of the object may have the property too, by its descriptor.
    const answer = (asked: unknown) => (asked === object ? value : undefined);
    const property = { value: answer, writable: true, configurable: true };
    if (isProxy(object) || !Reflect.defineProperty(object, this.#key, property))
      this.#others.set(object, value);
  }
}
